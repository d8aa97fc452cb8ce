package dnssec_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec/dnssectest"
)

var now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

const records = `
@ MX 10 mx
@ TXT "v=spf1 mx -all"
@ TXT "another"
mx A 192.0.2.1
_25._tcp.mx TLSA 3 1 1 0000000000000000000000000000000000000000000000000000000000000000
www CNAME mx
far CNAME mx.example.net.
away CNAME mx.unsigned.test.
lost CNAME nothing.example.net.
loop CNAME loop2
loop2 CNAME loop
*.wild TXT "from the wildcard"
held.wild A 192.0.2.2
deep.node.wild A 192.0.2.3
a.b.ent TXT "below an empty non-terminal"
*.walias CNAME mx
old DNAME new
mx.new A 192.0.2.4
`

// zones is a tree with one zone of each kind.
func zones() []dnssectest.Zone {
	return []dnssectest.Zone{
		{Name: "test"},
		{Name: "net"},
		{Name: "example.net", Text: records, Algorithm: dns.ED25519},
		{Name: "good.test", Text: records},
		{Name: "good3.test", Text: records, NSEC3: true},
		{Name: "salt3.test", Text: records, NSEC3: true, Iterations: 10, Salt: "aabbccdd"},
		{Name: "many3.test", Text: records, NSEC3: true, Iterations: 51},
		{Name: "opt3.test", Text: records, NSEC3: true, OptOut: true},
		{Name: "unsigned.opt3.test", Text: records, Unsigned: true},
		{Name: "signed.opt3.test", Text: records},
		{Name: "unsigned.good3.test", Text: records, Unsigned: true},
		{Name: "unsigned.test", Text: records, Unsigned: true},
		{Name: "island.unsigned.test", Text: records},
		{Name: "nods.test", Text: records, NoDS: true},
		{Name: "child.nods.test", Text: records},
		{Name: "expired.test", Text: records, Inception: now.Add(-48 * time.Hour), Expiration: now.Add(-time.Hour)},
		{Name: "child.expired.test", Text: records},
		{Name: "early.test", Text: records, Inception: now.Add(time.Hour)},
		{Name: "wrongds.test", Text: records, WrongDS: true},
		{Name: "sha1ds.test", Text: records, Digest: dns.SHA1},
		{Name: "sha384ds.test", Text: records, Digest: dns.SHA384},
		{Name: "gostds.test", Text: records, Digest: dns.GOST94},
		{Name: "alg5.test", Text: records, DSAlgorithm: dns.RSASHA1},
		{Name: "alg16.test", Text: records, DSAlgorithm: dns.ED448},
		{Name: "p384.test", Text: records, Algorithm: dns.ECDSAP384SHA384},
		{Name: "far.ent.below.test", Text: records},
		{Name: "p3.test", NSEC3: true},
		{Name: "child.p3.test", Text: records},
	}
}

func newWorld(t testing.TB, z ...dnssectest.Zone) *dnssectest.World {
	t.Helper()
	w, err := dnssectest.New(now, z...)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func newValidator(t testing.TB, w *dnssectest.World, opt dnssec.Options) *dnssec.Validator {
	t.Helper()
	if opt.Exchange == nil {
		opt.Exchange = w.Exchange
	}
	if opt.Anchors == nil {
		opt.Anchors = w.Anchors()
	}
	if opt.Clock == nil {
		opt.Clock = func() time.Time { return now }
	}
	v, err := dnssec.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func question(text string) resolve.Question {
	name, typ, _ := strings.Cut(text, " ")
	q := resolve.Question{}
	n, err := resolve.NameFromMaster(name)
	if err != nil {
		panic(err)
	}
	if err := q.Type.UnmarshalText([]byte(typ)); err != nil {
		panic(err)
	}
	q.Name = n
	return q
}

// TestValidate holds every kind of answer of every kind of zone against what
// validation has to say.
func TestValidate(t *testing.T) {
	v := newValidator(t, newWorld(t, zones()...), dnssec.Options{})
	present, absent := resolve.Present, resolve.Absent
	bad := resolve.Unavailable
	tests := []struct {
		question string
		status   dnssec.Status
		reason   dnssec.Reason
		state    resolve.State
		at       string // where it was decided; empty: not looked at
	}{
		// Positive answers (RFC 4035, Section 5.3).
		{"good.test MX", dnssec.Secure, "", present, "good.test"},
		{"mx.good.test A", dnssec.Secure, "", present, ""},
		{"_25._tcp.mx.good.test TLSA", dnssec.Secure, "", present, ""},
		{". DNSKEY", dnssec.Secure, "", present, ""},
		{". SOA", dnssec.Secure, "", present, ""},
		{"good.test DNSKEY", dnssec.Secure, "", present, ""},
		{"good.test DS", dnssec.Secure, "", present, ""},
		{"p384.test MX", dnssec.Secure, "", present, ""},
		{"example.net MX", dnssec.Secure, "", present, ""},
		{"sha1ds.test MX", dnssec.Secure, "", present, ""},
		{"sha384ds.test MX", dnssec.Secure, "", present, ""},
		{"far.ent.below.test MX", dnssec.Secure, "", present, ""},
		{"signed.opt3.test MX", dnssec.Secure, "", present, ""},
		// Absence (RFC 4035, Section 5.4; RFC 5155, Section 8).
		{"mx.good.test TXT", dnssec.Secure, "", absent, ""},
		{"nothing.good.test TXT", dnssec.Secure, "", absent, ""},
		{"a.b.c.nothing.good.test TXT", dnssec.Secure, "", absent, ""},
		{"ent.good.test TXT", dnssec.Secure, "", absent, ""},
		{"b.ent.good.test TXT", dnssec.Secure, "", absent, ""},
		{"good.test TLSA", dnssec.Secure, "", absent, ""},
		{"nosuchtld TXT", dnssec.Secure, "", absent, ""},
		{"mx.good.test DS", dnssec.Secure, "", absent, ""},
		{"unsigned.test DS", dnssec.Secure, "", absent, ""},
		{"unsigned.good3.test DS", dnssec.Secure, "", absent, ""},
		// Wildcards (RFC 4035, Section 5.3.4; RFC 4592).
		{"any.wild.good.test TXT", dnssec.Secure, "", present, ""},
		{"a.b.any.wild.good.test TXT", dnssec.Secure, "", present, ""},
		{"*.wild.good.test TXT", dnssec.Secure, "", present, ""},
		{"any.wild.good.test A", dnssec.Secure, "", absent, ""},
		{"held.wild.good.test TXT", dnssec.Secure, "", absent, ""},
		{"node.wild.good.test TXT", dnssec.Secure, "", absent, ""},
		{"x.node.wild.good.test TXT", dnssec.Secure, "", absent, ""},
		{"any.walias.good.test A", dnssec.Secure, "", present, ""},
		// Aliases: an answer is as good as its worst part (RFC 7672, Section 2.1.3).
		{"www.good.test A", dnssec.Secure, "", present, ""},
		{"www.good.test CNAME", dnssec.Secure, "", present, ""},
		{"www.good.test TXT", dnssec.Secure, "", absent, ""},
		{"far.good.test A", dnssec.Secure, "", present, ""},
		{"lost.good.test A", dnssec.Secure, "", absent, ""},
		{"away.good.test A", dnssec.Insecure, dnssec.ReasonNoDS, present, "unsigned.test"},
		{"far.unsigned.test A", dnssec.Insecure, dnssec.ReasonNoDS, present, "unsigned.test"},
		{"loop.good.test A", dnssec.Secure, "", bad, ""},
		{"mx.old.good.test A", dnssec.Secure, "", present, ""},
		{"nothing.old.good.test A", dnssec.Secure, "", absent, ""},
		// Opt-out (RFC 5155, Section 9.2): absence cannot be proven.
		{"nothing.opt3.test TXT", dnssec.Insecure, dnssec.ReasonOptOut, absent, ""},
		{"any.wild.opt3.test TXT", dnssec.Insecure, dnssec.ReasonOptOut, present, ""},
		{"mx.opt3.test TXT", dnssec.Secure, "", absent, ""},
		{"opt3.test MX", dnssec.Secure, "", present, ""},
		{"unsigned.opt3.test MX", dnssec.Insecure, dnssec.ReasonOptOut, present, "unsigned.opt3.test"},
		{"mx.unsigned.opt3.test TXT", dnssec.Insecure, dnssec.ReasonOptOut, absent, "unsigned.opt3.test"},
		// Insecure zones (RFC 4035, Section 4.3).
		{"unsigned.test MX", dnssec.Insecure, dnssec.ReasonNoDS, present, "unsigned.test"},
		{"nothing.unsigned.test MX", dnssec.Insecure, dnssec.ReasonNoDS, absent, "unsigned.test"},
		{"unsigned.good3.test MX", dnssec.Insecure, dnssec.ReasonNoDS, present, "unsigned.good3.test"},
		{"island.unsigned.test MX", dnssec.Insecure, dnssec.ReasonNoDS, present, "unsigned.test"},
		{"nods.test MX", dnssec.Insecure, dnssec.ReasonNoDS, present, "nods.test"},
		{"nothing.nods.test MX", dnssec.Insecure, dnssec.ReasonNoDS, absent, "nods.test"},
		{"child.nods.test MX", dnssec.Insecure, dnssec.ReasonNoDS, present, "nods.test"},
		{"gostds.test MX", dnssec.Insecure, dnssec.ReasonAlgorithm, present, "gostds.test"},
		{"alg5.test MX", dnssec.Insecure, dnssec.ReasonAlgorithm, present, "alg5.test"},   // RFC 9905, Section 2
		{"alg16.test MX", dnssec.Insecure, dnssec.ReasonAlgorithm, present, "alg16.test"}, // RFC 4035, Section 5.2
		// RFC 9276, Section 3.2: only what needs the NSEC3 records is insecure.
		{"many3.test MX", dnssec.Secure, "", present, ""},
		{"nothing.many3.test TXT", dnssec.Insecure, dnssec.ReasonIterations, absent, "many3.test"},
		{"any.wild.many3.test TXT", dnssec.Insecure, dnssec.ReasonIterations, present, "many3.test"},
		// Bogus zones.
		{"expired.test MX", dnssec.Bogus, dnssec.ReasonExpired, bad, "expired.test"},
		{"nothing.expired.test MX", dnssec.Bogus, dnssec.ReasonExpired, bad, "expired.test"},
		{"child.expired.test MX", dnssec.Bogus, dnssec.ReasonExpired, bad, "expired.test"},
		{"early.test MX", dnssec.Bogus, dnssec.ReasonNotYetValid, bad, "early.test"},
		{"wrongds.test MX", dnssec.Bogus, dnssec.ReasonDSMismatch, bad, "wrongds.test"},
		// What no signature could cover.
		{"good.test RRSIG", dnssec.Indeterminate, dnssec.ReasonNotSigned, bad, ""},
	}
	for _, zone := range []string{"good3.test", "salt3.test"} { // the same of NSEC3 zones
		for _, tt := range tests {
			if strings.Contains(tt.question, ".good.test ") && tt.status == dnssec.Secure {
				tt.question = strings.Replace(tt.question, "good.test", zone, 1)
				tests = append(tests, tt)
			}
		}
	}
	for _, tt := range tests {
		t.Run(tt.question, func(t *testing.T) {
			t.Parallel()
			r := v.Validate(t.Context(), question(tt.question))
			if r.Status != tt.status || r.Reason != tt.reason || resolve.StateOf(r.Err) != tt.state {
				t.Fatalf("%v, %v; want %s (%s), %s", r, r.Err, tt.status, tt.reason, tt.state)
			}
			if tt.at != "" && r.At.String() != tt.at {
				t.Errorf("decided at %s, want %s", r.At, tt.at)
			}
			if r.Answer.AuthenticData != (tt.status == dnssec.Secure) {
				t.Errorf("AuthenticData is %v", r.Answer.AuthenticData)
			}
			if tt.status == dnssec.Secure && (len(r.Chain) == 0 || !r.Chain[0].Anchor || !r.Expires.After(now)) {
				t.Errorf("chain %v, expires %v", r.Chain, r.Expires)
			}
			if tt.status != dnssec.Secure && r.Detail == "" {
				t.Errorf("no detail: %v", r)
			}
			if tt.state == present && len(r.Answer.Records) == 0 {
				t.Error("no records")
			}
			_, err := v.Resolve(t.Context(), question(tt.question))
			if resolve.StateOf(err) != tt.state {
				t.Errorf("Resolve: %v, want %s", err, tt.state)
			}
		})
	}
}

func TestChain(t *testing.T) {
	v := newValidator(t, newWorld(t, zones()...), dnssec.Options{})
	r := v.Validate(t.Context(), question("mx.example.net A"))
	var got []string
	for _, l := range r.Chain {
		got = append(got, fmt.Sprintf("%s %d %v", l.Zone, l.Algorithm, l.Anchor))
		if !l.Inception.Equal(now.Add(-time.Hour)) || !l.Expiration.Equal(now.Add(14*24*time.Hour)) || l.Digest != 2 || l.KeyTag == 0 {
			t.Errorf("link %v", l)
		}
	}
	if want := ". 13 true|net 13 false|example.net 15 false"; strings.Join(got, "|") != want {
		t.Errorf("chain %q, want %s", got, want)
	}
	if r = v.Validate(t.Context(), question("mx.unsigned.test A")); len(r.Chain) != 2 || r.Chain[1].Zone.String() != "test" {
		t.Errorf("the chain of an insecure name ends with its last signed zone: %v", r.Chain)
	}
}

// The algorithms with RSA keys, which take long to make (RFC 5702).
func TestRSA(t *testing.T) {
	w := newWorld(t, dnssectest.Zone{Name: "a", Text: records, Algorithm: dns.RSASHA256}, dnssectest.Zone{Name: "b", Text: records, Algorithm: dns.RSASHA512})
	v := newValidator(t, w, dnssec.Options{})
	for _, q := range []string{"a MX", "b MX", "nothing.a MX"} {
		if r := v.Validate(t.Context(), question(q)); r.Status != dnssec.Secure {
			t.Error(r)
		}
	}
}

// Signature times count modulo 2^32 (RFC 4034, Section 3.1.5).
func TestSerialTime(t *testing.T) {
	at := time.Date(2106, 2, 7, 6, 28, 0, 0, time.UTC) // 16 s before the counter wraps
	w, err := dnssectest.New(at, dnssectest.Zone{Name: "test", Text: records})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		at     time.Time
		status dnssec.Status
		reason dnssec.Reason
	}{
		{at, dnssec.Secure, ""},
		{at.Add(24 * time.Hour), dnssec.Secure, ""},
		{at.Add(14 * 24 * time.Hour), dnssec.Secure, ""}, // the last second counts
		{at.Add(14*24*time.Hour + time.Second), dnssec.Bogus, dnssec.ReasonExpired},
		{at.Add(-time.Hour), dnssec.Secure, ""},
		{at.Add(-time.Hour - time.Second), dnssec.Bogus, dnssec.ReasonNotYetValid},
	} {
		v := newValidator(t, w, dnssec.Options{Clock: func() time.Time { return tt.at }})
		if r := v.Validate(t.Context(), question("test MX")); r.Status != tt.status || r.Reason != tt.reason {
			t.Errorf("%v: %v, want %s (%s)", tt.at, r, tt.status, tt.reason)
		}
	}
}

func TestAnchors(t *testing.T) {
	w := newWorld(t, zones()...)
	other := newWorld(t)
	early := w.Anchors()
	early[0].From = now.Add(time.Second)
	late := w.Anchors()
	late[0].Until = now
	island := w.Anchors()
	for _, tt := range []struct {
		name     string
		anchors  []dnssec.Anchor
		question string
		status   dnssec.Status
		reason   dnssec.Reason
	}{
		{"both", append(other.Anchors(), w.Anchors()...), "good.test MX", dnssec.Secure, ""},
		{"another root", other.Anchors(), "good.test MX", dnssec.Bogus, dnssec.ReasonDSMismatch},
		{"the real root", dnssec.RootAnchors(), "good.test MX", dnssec.Bogus, dnssec.ReasonDSMismatch},
		{"not yet", early, "good.test MX", dnssec.Indeterminate, dnssec.ReasonNoAnchor},
		{"no longer", late, "good.test MX", dnssec.Indeterminate, dnssec.ReasonNoAnchor},
		{"none", []dnssec.Anchor{}, "good.test MX", dnssec.Indeterminate, dnssec.ReasonNoAnchor},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := newValidator(t, w, dnssec.Options{Anchors: tt.anchors})
			if r := v.Validate(t.Context(), question(tt.question)); r.Status != tt.status || r.Reason != tt.reason {
				t.Errorf("%v, want %s (%s)", r, tt.status, tt.reason)
			}
		})
	}
	// An anchor of a zone alone (RFC 4035, Section 4.4).
	island[0].Zone = resolve.MustName("net")
	v := newValidator(t, w, dnssec.Options{Anchors: island})
	if r := v.Validate(t.Context(), question("good.test MX")); r.Reason != dnssec.ReasonNoAnchor {
		t.Errorf("outside of the anchor: %v", r)
	}
	if r := v.Validate(t.Context(), question("example.net MX")); r.Reason != dnssec.ReasonDSMismatch || r.At.String() != "net" {
		t.Errorf("below the anchor: %v", r)
	}
}

func TestParseAnchor(t *testing.T) {
	for _, a := range dnssec.RootAnchors() {
		got, err := dnssec.ParseAnchor(a.String())
		if err != nil || got.String() != a.String() {
			t.Errorf("%v, %v; want %v", got, err, a)
		}
	}
	for _, text := range []string{"", "DS 1 8 2 00", ". IN DS", ". IN DS x 8 2 00", ". IN DS 20326 8 2 E06D", ". IN DS 20326 8 3 " + strings.Repeat("00", 32),
		". IN DS 70000 8 2 " + strings.Repeat("00", 32), ". IN DS 1 1 2 " + strings.Repeat("00", 32), ". IN DS 1 8 2 " + strings.Repeat("zz", 32)} {
		var e *dnssec.AnchorError
		if a, err := dnssec.ParseAnchor(text); !errors.As(err, &e) {
			t.Errorf("%q: %v, %v", text, a, err)
		}
	}
	if _, err := dnssec.New(dnssec.Options{}); err == nil {
		t.Error("no error without Exchange")
	}
	w := newWorld(t)
	if _, err := dnssec.New(dnssec.Options{Exchange: w.Exchange, Anchors: []dnssec.Anchor{{KeyTag: 1}}}); err == nil {
		t.Error("no error for an anchor that cannot match")
	}
}

func TestTrustedAD(t *testing.T) {
	for server, want := range map[string]bool{
		"127.0.0.1:53": true, "[::1]:53": true, "127.0.0.53:53": true, "tls://127.0.0.1:853": true, "::1": true, "[::ffff:127.0.0.1]:53": true,
		"192.0.2.1:53": false, "10.0.0.1:53": false, "127.0.0.11:53": false, "localhost:53": false, "": false, "https://dns.example/dns-query": false,
		"https://127.0.0.1/dns-query": true, "world.zone": false, "127.0.0.1.example:53": false, "https://127.0.0.1.example/x": false, "https://127.0.0.1@192.0.2.1/": false,
	} {
		if got := dnssec.TrustedAD(server); got != want {
			t.Errorf("TrustedAD(%q) = %v", server, got)
		}
	}
}

// Status believes AD only where it may (RFC 6840, Section 5.8).
func TestStatus(t *testing.T) {
	w := newWorld(t, zones()...)
	answer := func(server string, ad bool, err error) resolve.Resolver {
		return resolve.Func(func(_ context.Context, q resolve.Question) (resolve.Answer, error) {
			return resolve.Answer{Question: q, AuthenticData: ad, Server: server}, err
		})
	}
	fail := &resolve.Error{Reason: resolve.ErrServFail}
	for _, tt := range []struct {
		name     string
		resolver resolve.Resolver
		trust    func(string) bool
		question string
		status   dnssec.Status
		reason   dnssec.Reason
	}{
		{"no resolver", nil, dnssec.TrustedAD, "expired.test MX", dnssec.Bogus, dnssec.ReasonExpired},
		{"no policy", answer("127.0.0.1:53", true, nil), nil, "expired.test MX", dnssec.Bogus, dnssec.ReasonExpired},
		{"remote", answer("192.0.2.1:53", true, nil), dnssec.TrustedAD, "expired.test MX", dnssec.Bogus, dnssec.ReasonExpired},
		{"local", answer("127.0.0.1:53", true, nil), dnssec.TrustedAD, "good.test MX", dnssec.Secure, dnssec.ReasonResolver},
		{"local denial", answer("127.0.0.1:53", true, &resolve.Error{Reason: resolve.ErrNXDomain}), dnssec.TrustedAD, "x.good.test MX", dnssec.Secure, dnssec.ReasonResolver},
		{"local without AD", answer("127.0.0.1:53", false, nil), dnssec.TrustedAD, "good.test MX", dnssec.Secure, ""},
		{"local failure", answer("127.0.0.1:53", true, fail), dnssec.TrustedAD, "expired.test MX", dnssec.Bogus, dnssec.ReasonExpired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := newValidator(t, w, dnssec.Options{Resolver: tt.resolver, TrustAD: tt.trust})
			if r := v.Status(t.Context(), question(tt.question)); r.Status != tt.status || r.Reason != tt.reason {
				t.Errorf("%v, want %s (%s)", r, tt.status, tt.reason)
			}
		})
	}
}
