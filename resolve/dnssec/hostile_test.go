package dnssec_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec/dnssectest"
)

// edit makes a Tamper that changes responses to the question, or to all.
func edit(t testing.TB, to string, change func(m *dns.Msg)) func(resolve.Question, []byte) []byte {
	return func(q resolve.Question, msg []byte) []byte {
		if to != "" && q != question(to) {
			return msg
		}
		var m dns.Msg
		if err := m.Unpack(msg); err != nil {
			t.Error(err)
			return msg
		}
		change(&m)
		m.Compress = true
		out, err := m.Pack()
		if err != nil {
			t.Error(err)
		}
		return out
	}
}

// without leaves out the records that match.
func without(rrs []dns.RR, match func(dns.RR) bool) []dns.RR {
	var out []dns.RR
	for _, rr := range rrs {
		if !match(rr) {
			out = append(out, rr)
		}
	}
	return out
}

func isType(types ...uint16) func(dns.RR) bool {
	return func(rr dns.RR) bool {
		for _, typ := range types {
			if rr.Header().Rrtype == typ {
				return true
			}
		}
		return false
	}
}

func signatures(rrs []dns.RR, f func(*dns.RRSIG)) {
	for _, rr := range rrs {
		if sig, ok := rr.(*dns.RRSIG); ok {
			f(sig)
		}
	}
}

// ask returns the sections of a question's true response.
func ask(t testing.TB, w *dnssectest.World, q string) *dns.Msg {
	t.Helper()
	_, msg, err := w.Exchange(context.Background(), question(q))
	if err != nil {
		t.Fatal(err)
	}
	var m dns.Msg
	if err := m.Unpack(msg); err != nil {
		t.Fatal(err)
	}
	return &m
}

// TestTampered changes responses on the way. Whatever is done to those of a
// signed zone, the result is bogus or indeterminate, never secure with other
// records and never insecure.
func TestTampered(t *testing.T) {
	clean := newWorld(t, zones()...)
	noSigs := func(m *dns.Msg) {
		m.Answer, m.Ns = without(m.Answer, isType(dns.TypeRRSIG)), without(m.Ns, isType(dns.TypeRRSIG))
	}
	noDenial := func(m *dns.Msg) {
		m.Ns = without(m.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype != dns.TypeSOA })
	}
	// The denial of one question in the response to another.
	denialOf := func(other string, rcode int) func(w *dnssectest.World) func(m *dns.Msg) {
		return func(w *dnssectest.World) func(m *dns.Msg) {
			o := ask(t, w, other)
			return func(m *dns.Msg) { m.Answer, m.Ns, m.Rcode = nil, o.Ns, rcode }
		}
	}
	plain := func(f func(m *dns.Msg)) func(*dnssectest.World) func(*dns.Msg) {
		return func(*dnssectest.World) func(*dns.Msg) { return f }
	}
	nx := dns.RcodeNameError
	// The wildcard's records for a name where it does not apply, with the proof that
	// the name does not exist.
	wildAnswer := func(zone string) func(*dnssectest.World) func(*dns.Msg) {
		return func(w *dnssectest.World) func(*dns.Msg) {
			o, denial := ask(t, w, "any.wild."+zone+" TXT"), ask(t, w, "x.node.wild."+zone+" TXT")
			return func(m *dns.Msg) {
				m.Answer, m.Ns, m.Rcode = o.Answer, denial.Ns, 0
				for _, rr := range m.Answer {
					rr.Header().Name = "x.node.wild." + zone + "."
				}
			}
		}
	}
	tests := []struct {
		name, question, at string // at: the response changed; empty: all
		change             func(*dnssectest.World) func(*dns.Msg)
		status             dnssec.Status
		reason             dnssec.Reason
	}{
		{"signatures removed", "mx.good.test A", "mx.good.test A", plain(noSigs), dnssec.Bogus, dnssec.ReasonNoSignature},
		{"all signatures removed", "mx.good.test A", "", plain(noSigs), dnssec.Indeterminate, dnssec.ReasonStripped},
		{"denial removed", "nothing.good.test A", "nothing.good.test A", plain(noDenial), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"denial removed, NSEC3", "nothing.good3.test A", "nothing.good3.test A", plain(noDenial), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"denial unsigned", "nothing.good.test A", "nothing.good.test A", plain(noSigs), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"wildcard without proof", "any.wild.good.test TXT", "any.wild.good.test TXT", plain(func(m *dns.Msg) { m.Ns = nil }), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"wildcard without proof, NSEC3", "any.wild.good3.test TXT", "any.wild.good3.test TXT", plain(func(m *dns.Msg) { m.Ns = nil }), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"address changed", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) { m.Answer[0].(*dns.A).A = net.IPv4(6, 6, 6, 6) }), dnssec.Bogus, dnssec.ReasonBadSignature},
		{"address added", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) {
			more := dns.Copy(m.Answer[0]).(*dns.A)
			more.A = net.IPv4(6, 6, 6, 6)
			m.Answer = append(m.Answer, more)
		}), dnssec.Bogus, dnssec.ReasonBadSignature},
		{"time of the signature changed", "mx.expired.test A", "", plain(func(m *dns.Msg) {
			signatures(m.Answer, func(s *dns.RRSIG) {
				if s.SignerName == "expired.test." {
					s.Expiration = uint32(now.Add(time.Hour).Unix())
				}
			})
		}), dnssec.Bogus, dnssec.ReasonBadSignature},
		{"key tag changed", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) { signatures(m.Answer, func(s *dns.RRSIG) { s.KeyTag++ }) }), dnssec.Bogus, dnssec.ReasonWrongKey},
		{"algorithm changed", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) { signatures(m.Answer, func(s *dns.RRSIG) { s.Algorithm = dns.RSASHA1 }) }), dnssec.Bogus, dnssec.ReasonNoSignature},
		{"signer below", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) { signatures(m.Answer, func(s *dns.RRSIG) { s.SignerName = "mx.good.test." }) }), dnssec.Bogus, dnssec.ReasonSigner},
		{"signer elsewhere", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) {
			signatures(m.Answer, func(s *dns.RRSIG) { s.SignerName = "unsigned.test." })
		}), dnssec.Bogus, dnssec.ReasonSigner},
		{"signer with the same ending", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) { signatures(m.Answer, func(s *dns.RRSIG) { s.SignerName = "ood.test." }) }), dnssec.Bogus, dnssec.ReasonSigner},
		{"signed by the parent", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) { signatures(m.Answer, func(s *dns.RRSIG) { s.SignerName = "test." }) }), dnssec.Bogus, dnssec.ReasonWrongKey},
		{"empty signature", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) { signatures(m.Answer, func(s *dns.RRSIG) { s.Signature = "" }) }), dnssec.Bogus, dnssec.ReasonBadSignature},
		{"long signature", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) {
			signatures(m.Answer, func(s *dns.RRSIG) { // zeros before both halves leave the numbers as they are
				b, _ := base64.StdEncoding.DecodeString(s.Signature)
				long := append([]byte{0}, b[:32]...)
				s.Signature = base64.StdEncoding.EncodeToString(append(append(long, 0), b[32:]...))
			})
		}), dnssec.Bogus, dnssec.ReasonBadSignature},
		{"DS removed", "mx.good.test A", "good.test DS", plain(func(m *dns.Msg) { m.Answer = nil }), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"DS unsigned", "mx.good.test A", "good.test DS", plain(noSigs), dnssec.Bogus, dnssec.ReasonNoSignature},
		{"DS denied by a neighbour", "mx.good.test A", "good.test DS", denialOf("unsigned.test DS", 0), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"DS denied by the child", "mx.good.test A", "good.test DS", denialOf("good.test TLSA", 0), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"DS denied by the child, NSEC3", "mx.good3.test A", "good3.test DS", denialOf("good3.test TLSA", 0), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"denied by the parent", "mx.good.test A", "mx.good.test A", denialOf("nods.test DS", nx), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"denied by the delegation", "mx.good.test A", "mx.good.test A", denialOf("good.test TYPE65280", 0), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"denied by another name", "mx.good.test A", "mx.good.test A", denialOf("nothing.good.test A", nx), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"denied by another name, NSEC3", "mx.good3.test A", "mx.good3.test A", denialOf("nothing.good3.test A", nx), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"denied by another type's absence", "mx.good.test A", "mx.good.test A", denialOf("mx.good.test TXT", 0), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"denied by the record of an alias", "www.good.test TXT", "www.good.test TXT", func(w *dnssectest.World) func(*dns.Msg) {
			o := ask(t, w, "www.good.test NSEC")
			return func(m *dns.Msg) { m.Answer, m.Ns = nil, o.Answer }
		}, dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"no name, though it exists", "mx.good.test TXT", "mx.good.test TXT", denialOf("mx.good.test TXT", nx), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"no name, though a wildcard makes it", "any.wild.good.test TXT", "any.wild.good.test TXT", denialOf("any.wild.good.test A", nx), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"wildcard in place of a name", "held.wild.good.test TXT", "held.wild.good.test TXT", func(w *dnssectest.World) func(*dns.Msg) {
			o := ask(t, w, "any.wild.good.test TXT")
			return func(m *dns.Msg) {
				m.Answer, m.Ns = o.Answer, o.Ns
				for _, rr := range m.Answer {
					rr.Header().Name = "held.wild.good.test."
				}
			}
		}, dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"wildcard over an empty non-terminal", "x.node.wild.good.test TXT", "x.node.wild.good.test TXT", wildAnswer("good.test"), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"wildcard over an empty non-terminal, NSEC3", "x.node.wild.good3.test TXT", "x.node.wild.good3.test TXT", wildAnswer("good3.test"), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"NSEC made from a wildcard", "held.wild.good.test A", "held.wild.good.test A", func(w *dnssectest.World) func(*dns.Msg) {
			o := ask(t, w, "any.wild.good.test A")
			return func(m *dns.Msg) {
				m.Answer, m.Ns = nil, o.Ns
				for _, rr := range m.Ns {
					if strings.HasPrefix(rr.Header().Name, "*.") {
						rr.Header().Name = "held.wild.good.test."
					}
				}
			}
		}, dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"denied by the NSEC3 of the parent", "mx.child.p3.test A", "mx.child.p3.test A", func(w *dnssectest.World) func(*dns.Msg) {
			var all []dns.RR
			seen := map[string]bool{}
			for i := range 40 { // all of its few records
				for _, rr := range ask(t, w, fmt.Sprintf("n%d.p3.test A", i)).Ns {
					if !seen[rr.String()] {
						all, seen[rr.String()] = append(all, rr), true
					}
				}
			}
			return func(m *dns.Msg) { m.Answer, m.Ns, m.Rcode = nil, all, nx }
		}, dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"keys removed", "mx.good.test A", "good.test DNSKEY", plain(func(m *dns.Msg) { m.Answer = nil }), dnssec.Bogus, dnssec.ReasonNoKeys},
		{"keys unsigned", "mx.good.test A", "good.test DNSKEY", plain(noSigs), dnssec.Bogus, dnssec.ReasonNoSignature},
		{"keys of another zone", "mx.good.test A", "good.test DNSKEY", func(w *dnssectest.World) func(*dns.Msg) {
			o := ask(t, w, "good3.test DNSKEY")
			return func(m *dns.Msg) {
				m.Answer = o.Answer
				for _, rr := range m.Answer {
					rr.Header().Name = "good.test."
				}
			}
		}, dnssec.Bogus, dnssec.ReasonDSMismatch},
		{"key without the zone bit", "mx.good.test A", "good.test DNSKEY", plain(func(m *dns.Msg) { m.Answer[0].(*dns.DNSKEY).Flags = 1 }), dnssec.Bogus, dnssec.ReasonDSMismatch},
		{"key revoked", "mx.good.test A", "good.test DNSKEY", plain(func(m *dns.Msg) { m.Answer[0].(*dns.DNSKEY).Flags |= dns.REVOKE }), dnssec.Bogus, dnssec.ReasonDSMismatch},
		{"target of an alias", "www.good.test A", "", plain(func(m *dns.Msg) {
			for _, rr := range m.Answer {
				if c, ok := rr.(*dns.CNAME); ok {
					c.Target = "mx.unsigned.test."
				}
			}
		}), dnssec.Bogus, dnssec.ReasonBadSignature},
		{"alias made of nothing", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) {
			m.Answer = []dns.RR{&dns.CNAME{Hdr: dns.RR_Header{Name: "mx.good.test.", Rrtype: dns.TypeCNAME, Class: 1}, Target: "mx.unsigned.test."}}
		}), dnssec.Bogus, dnssec.ReasonNoSignature},
		{"DNAME that leads elsewhere", "mx.old.good.test A", "mx.old.good.test A", plain(func(m *dns.Msg) {
			for _, rr := range m.Answer {
				if c, ok := rr.(*dns.CNAME); ok {
					c.Target = "mx.unsigned.test."
				}
			}
		}), dnssec.Bogus, dnssec.ReasonNoSignature},
		{"opt-out for a signed child", "mx.signed.opt3.test A", "signed.opt3.test DS", denialOf("nothing.opt3.test DS", nx), dnssec.Bogus, dnssec.ReasonMissingDenial},
		{"truncated", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) { m.Truncated = true }), dnssec.Indeterminate, dnssec.ReasonLookup},
		{"another question", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) { m.Question[0].Name = "x.good.test." }), dnssec.Indeterminate, dnssec.ReasonLookup},
		{"server failure", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) { m.Rcode = dns.RcodeServerFailure }), dnssec.Indeterminate, dnssec.ReasonLookup},
		{"keys refused", "mx.good.test A", "good.test DNSKEY", plain(func(m *dns.Msg) { m.Rcode = dns.RcodeRefused }), dnssec.Indeterminate, dnssec.ReasonLookup},
		{"referral", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) {
			m.Answer = nil
			m.Ns = []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: "test.", Rrtype: dns.TypeNS, Class: 1}, Ns: "ns.test."}}
		}), dnssec.Indeterminate, dnssec.ReasonLookup},
		{"no name, with records", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) { m.Rcode = nx }), dnssec.Indeterminate, dnssec.ReasonLookup},
		{"two aliases", "www.good.test A", "www.good.test A", plain(func(m *dns.Msg) {
			c := dns.Copy(m.Answer[0]).(*dns.CNAME)
			c.Target = "x.test."
			m.Answer = append(m.Answer, c)
		}), dnssec.Indeterminate, dnssec.ReasonLookup},
		// What does not matter.
		{"case varied", "good.test TXT", "", plain(func(m *dns.Msg) {
			for i, rr := range append(append([]dns.RR{}, m.Answer...), m.Ns...) {
				if i%2 == 0 {
					rr.Header().Name = strings.ToUpper(rr.Header().Name)
				}
			}
		}), dnssec.Secure, ""},
		{"TTL raised", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) { m.Answer[0].Header().Ttl = 1 << 30 }), dnssec.Secure, ""},
		{"record twice", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) { m.Answer = append(m.Answer, m.Answer[0]) }), dnssec.Secure, ""},
		{"a bad signature beside the good one", "mx.good.test A", "mx.good.test A", plain(func(m *dns.Msg) {
			sig := dns.Copy(m.Answer[1]).(*dns.RRSIG)
			sig.Signature = base64.StdEncoding.EncodeToString(make([]byte, 64))
			m.Answer = append([]dns.RR{sig}, m.Answer...)
		}), dnssec.Secure, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := *clean
			w.Tamper = edit(t, tt.at, tt.change(clean))
			v := newValidator(t, &w, dnssec.Options{})
			r := v.Validate(t.Context(), question(tt.question))
			if r.Status != tt.status || r.Reason != tt.reason {
				t.Fatalf("%v, want %s (%s)", r, tt.status, tt.reason)
			}
			if tt.status != dnssec.Secure && resolve.StateOf(r.Err) != resolve.Unavailable {
				t.Errorf("error %v", r.Err)
			}
			if tt.status == dnssec.Secure && r.Answer.Records[0].TTL > 3600 {
				t.Errorf("TTL %d is above the signed one (RFC 4035, Section 5.3.3)", r.Answer.Records[0].TTL)
			}
		})
	}
}

// A node must not wait for itself, whoever claims to have signed it.
func TestNoDeadlock(t *testing.T) {
	clean := newWorld(t, zones()...)
	sig := ask(t, clean, "mx.good.test A").Answer[1]
	for i, signer := range []string{"", "mx.good.test.", "good.test.", "test.", "a.mx.good.test.", "."} {
		for _, typ := range []uint16{dns.TypeCNAME, dns.TypeDS, dns.TypeDNAME, dns.TypeNSEC, dns.TypeNSEC3, dns.TypeSOA} {
			w := *clean
			w.Tamper = func(q resolve.Question, msg []byte) []byte {
				if !q.Name.Within(resolve.MustName("good.test")) || q.Type == resolve.TypeDNSKEY || q == question("good.test DS") {
					return msg
				}
				return edit(t, "", func(m *dns.Msg) {
					rr := dns.TypeToRR[typ]()
					*rr.Header() = dns.RR_Header{Name: q.Name.FQDN(), Rrtype: typ, Class: 1, Ttl: 60}
					if c, ok := rr.(*dns.CNAME); ok {
						c.Target = "other.good.test."
					}
					m.Answer, m.Ns = []dns.RR{rr}, nil
					if signer != "" {
						s := dns.Copy(sig).(*dns.RRSIG)
						s.Hdr.Name, s.TypeCovered, s.SignerName = q.Name.FQDN(), typ, signer
						m.Answer = append(m.Answer, s)
					}
					if typ == dns.TypeNSEC || typ == dns.TypeNSEC3 || typ == dns.TypeSOA {
						m.Answer, m.Ns = nil, m.Answer
					}
				})(q, msg)
			}
			start := time.Now()
			r := newValidator(t, &w, dnssec.Options{Timeout: 10 * time.Second}).Validate(t.Context(), question("mx.good.test TXT"))
			if r.Status != dnssec.Bogus && r.Status != dnssec.Indeterminate || time.Since(start) > 5*time.Second {
				t.Errorf("%d, type %d by %q: %v after %v", i, typ, signer, r, time.Since(start))
			}
		}
	}
}

// junkKeys makes keys that differ and have one tag: it is a sum of words, so
// their order does not count.
func junkKeys(n int) (text string, tag uint16) {
	var b strings.Builder
	for i := range n {
		key := make([]byte, 64)
		for j := range key {
			key[j] = byte(j / 2)
		}
		key[0], key[1], key[2*i+2], key[2*i+3] = key[2*i+2], key[2*i+3], key[0], key[1]
		k := &dns.DNSKEY{Hdr: dns.RR_Header{Name: "trap.test.", Rrtype: dns.TypeDNSKEY, Class: 1, Ttl: 60}, Flags: 256, Protocol: 3, Algorithm: 13,
			PublicKey: base64.StdEncoding.EncodeToString(key)}
		tag = k.KeyTag()
		fmt.Fprintln(&b, k)
	}
	return b.String(), tag
}

// TestKeyTrap has a zone with many keys of one tag and many signatures
// (CVE-2023-50387): the work is bounded.
func TestKeyTrap(t *testing.T) {
	keys, tag := junkKeys(30)
	junk := func(copies int) func(m *dns.Msg) {
		return func(m *dns.Msg) {
			for _, rr := range m.Answer {
				sig, ok := rr.(*dns.RRSIG)
				if !ok {
					continue
				}
				m.Answer = without(m.Answer, isType(dns.TypeRRSIG))
				for i := range copies {
					c := dns.Copy(sig).(*dns.RRSIG)
					b := make([]byte, 64)
					b[0], b[1], b[40] = byte(i), byte(i>>8), 1
					c.KeyTag, c.Signature = tag, base64.StdEncoding.EncodeToString(b)
					m.Answer = append(m.Answer, c)
				}
				return
			}
		}
	}
	for _, copies := range []int{1, 400} {
		w := newWorld(t, dnssectest.Zone{Name: "trap.test", Text: records + keys})
		w.Tamper = edit(t, "mx.trap.test A", junk(copies))
		v := newValidator(t, w, dnssec.Options{})
		start := time.Now()
		r := v.Validate(t.Context(), question("mx.trap.test A"))
		if r.Status != dnssec.Bogus || r.Reason != dnssec.ReasonLimit {
			t.Errorf("%d signatures: %v", copies, r)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
	}
	many, _ := junkKeys(30)
	for i := range 40 { // other tags
		many += fmt.Sprintf("@ DNSKEY 256 3 13 %s\n", base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("%064d", i*i*i))))
	}
	v := newValidator(t, newWorld(t, dnssectest.Zone{Name: "trap.test", Text: records + many}), dnssec.Options{})
	if r := v.Validate(t.Context(), question("mx.trap.test A")); r.Reason != dnssec.ReasonLimit {
		t.Errorf("a zone with 71 keys: %v", r)
	}
}

// The limits of a validation end it, and nothing of it is kept.
func TestLimits(t *testing.T) {
	w := newWorld(t, zones()...)
	for name, opt := range map[string]dnssec.Options{"queries": {Fetches: 3}, "signatures": {Verifications: 3}} {
		v := newValidator(t, w, opt)
		if r := v.Validate(t.Context(), question("mx.good.test A")); r.Status != dnssec.Indeterminate || r.Reason != dnssec.ReasonLimit {
			t.Errorf("%s: %v", name, r)
		}
	}
	deep := strings.Repeat("a.", 60) + "good.test"
	w2 := *w
	w2.Tamper = edit(t, "mx.good.test A", func(m *dns.Msg) {
		m.Answer = without(m.Answer, isType(dns.TypeA))
		for i := range 3000 {
			m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: "mx.good.test.", Rrtype: dns.TypeA, Class: 1}, A: net.IPv4(10, 0, byte(i>>8), byte(i))})
		}
	})
	if r := newValidator(t, &w2, dnssec.Options{}).Validate(t.Context(), question("mx.good.test A")); r.Reason != dnssec.ReasonLimit {
		t.Errorf("a set of 3000 records: %v", r)
	}
	w2.Tamper = edit(t, deep+" A", func(m *dns.Msg) { m.Ns = nil })
	v := newValidator(t, &w2, dnssec.Options{})
	if r := v.Validate(t.Context(), question(deep+" A")); r.Reason != dnssec.ReasonLimit {
		t.Errorf("a name of 62 labels without proof: %v", r)
	}
	v = newValidator(t, w, dnssec.Options{})
	if r := v.Validate(t.Context(), question(deep+" A")); r.Status != dnssec.Secure {
		t.Errorf("a name of 62 labels: %v", r)
	}
	v = newValidator(t, w, dnssec.Options{Iterations: 51})
	if r := v.Validate(t.Context(), question("nothing.many3.test A")); r.Status != dnssec.Secure {
		t.Errorf("51 iterations of 51: %v", r)
	}
	v = newValidator(t, w, dnssec.Options{Iterations: -1})
	if r := v.Validate(t.Context(), question("nothing.good3.test A")); r.Status != dnssec.Secure {
		t.Errorf("0 iterations of 0: %v", r)
	}
	if r := v.Validate(t.Context(), question("nothing.salt3.test A")); r.Reason != dnssec.ReasonIterations {
		t.Errorf("10 iterations of 0: %v", r)
	}
}

// Zones are asked for once, whoever needs them.
func TestSingleFlight(t *testing.T) {
	w := newWorld(t, zones()...)
	var mu sync.Mutex
	asked := map[resolve.Question]int{}
	clock := atomic.Int64{}
	clock.Store(now.Unix())
	v := newValidator(t, w, dnssec.Options{
		Clock: func() time.Time { return time.Unix(clock.Load(), 0) },
		Exchange: func(ctx context.Context, q resolve.Question) (resolve.Answer, []byte, error) {
			mu.Lock()
			asked[q]++
			mu.Unlock()
			return w.Exchange(ctx, q)
		}})
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			if r := v.Validate(t.Context(), question(fmt.Sprintf("n%d.good.test A", i))); r.Status != dnssec.Secure {
				t.Error(r)
			}
		})
	}
	wg.Wait()
	for _, q := range []string{". DNSKEY", "test DS", "test DNSKEY", "good.test DS", "good.test DNSKEY"} {
		if n := asked[question(q)]; n != 1 {
			t.Errorf("%s asked %d times", q, n)
		}
	}
	clock.Add(3601)
	v.Validate(t.Context(), question("mx.good.test A"))
	if n := asked[question("good.test DNSKEY")]; n != 2 {
		t.Errorf("after its TTL the zone was asked %d times", n)
	}
}

// Who gives up does not spoil it for others, and a canceled lookup is kept for
// nobody.
func TestCanceled(t *testing.T) {
	w := newWorld(t, zones()...)
	ctx, cancel := context.WithCancel(t.Context())
	started, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	v := newValidator(t, w, dnssec.Options{Exchange: func(ctx context.Context, q resolve.Question) (resolve.Answer, []byte, error) {
		if q == question("test DNSKEY") {
			first := false
			once.Do(func() { first = true })
			if first {
				close(started)
				select {
				case <-ctx.Done():
					return resolve.Answer{}, nil, &resolve.Error{Reason: resolve.ErrCanceled, Question: q, Err: ctx.Err()}
				case <-release: // another one waits for it by now
				}
			}
		}
		return w.Exchange(ctx, q)
	}})
	done := make(chan dnssec.Result)
	go func() { done <- v.Validate(ctx, question("mx.good.test A")) }()
	<-started
	cancel()
	if r := <-done; r.Status != dnssec.Indeterminate || resolve.StateOf(r.Err) != resolve.Unavailable {
		t.Errorf("canceled: %v, %v", r, r.Err)
	}
	close(release)
	if r := v.Validate(t.Context(), question("mx.good.test A")); r.Status != dnssec.Secure {
		t.Errorf("after it: %v", r)
	}
}

// TestClient goes through a real client and server: truncated responses come
// over TCP, and a lame or silent server is no evidence against the zone.
func TestClient(t *testing.T) {
	long := strings.Repeat("@ TXT \""+strings.Repeat("x", 200)+"%d\"\n", 20)
	for i := range 20 {
		long = strings.Replace(long, "%d", fmt.Sprint(i), 1)
	}
	w := newWorld(t, append(zones(), dnssectest.Zone{Name: "long.test", Text: long})...)
	w.Tamper = func(q resolve.Question, msg []byte) []byte {
		switch q.Name.String() {
		case "refused.good.test":
			return edit(t, "", func(m *dns.Msg) { m.Rcode = dns.RcodeRefused })(q, msg)
		case "broken.good.test":
			return msg[:len(msg)-3]
		}
		return msg
	}
	s, err := dnssectest.Serve(w)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := client.New(client.Options{Servers: []string{s.Addr()}, Timeout: 2 * time.Second, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	v := newValidator(t, w, dnssec.Options{Exchange: c.Exchange})
	for _, tt := range []struct {
		question string
		status   dnssec.Status
		reason   dnssec.Reason
	}{
		{"mx.good.test A", dnssec.Secure, ""},
		{"nothing.good3.test A", dnssec.Secure, ""},
		{"unsigned.test MX", dnssec.Insecure, dnssec.ReasonNoDS},
		{"expired.test MX", dnssec.Bogus, dnssec.ReasonExpired},
		{"long.test TXT", dnssec.Secure, ""},
		{"refused.good.test A", dnssec.Indeterminate, dnssec.ReasonLookup},
		{"broken.good.test A", dnssec.Indeterminate, dnssec.ReasonLookup},
	} {
		r := v.Validate(t.Context(), question(tt.question))
		if r.Status != tt.status || r.Reason != tt.reason || r.Answer.Server != s.Addr() {
			t.Errorf("%v from %s, want %s (%s)", r, r.Answer.Server, tt.status, tt.reason)
		}
		if tt.question == "long.test TXT" && (!r.Answer.Truncated || r.Answer.Transport != resolve.TCP || len(r.Answer.Records) != 20) {
			t.Errorf("%d records over %s", len(r.Answer.Records), r.Answer.Transport)
		}
	}
}
