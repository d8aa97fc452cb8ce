package dnssec

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/internal/wire"
)

// set is an RRset with the signatures that came with it.
type set struct {
	name resolve.Name
	typ  uint16
	rrs  []dns.RR
	sigs []*dns.RRSIG
}

type setKey struct {
	name resolve.Name
	typ  uint16
}

// section is the RRsets of a section, in order.
type section struct {
	byKey map[setKey]*set
	order []*set
}

func (s *section) get(name resolve.Name, typ uint16) *set { return s.byKey[setKey{name, typ}] }

func (s *section) at(name resolve.Name, typ uint16) *set {
	k := setKey{name, typ}
	if s.byKey[k] == nil {
		n := &set{name: name, typ: typ}
		s.byKey[k] = n
		s.order = append(s.order, n)
	}
	return s.byKey[k]
}

// reply is a response sorted into RRsets.
type reply struct {
	meta              resolve.Answer
	rcode             int
	answer, authority section
}

// parseReply reads a response to q.
func parseReply(meta resolve.Answer, msg []byte, q resolve.Question) (*reply, error) {
	meta.Question = q
	rep := &reply{meta: meta}
	fail := func(detail string) (*reply, error) {
		return rep, &resolve.Error{Reason: resolve.ErrMalformed, Question: q, Server: meta.Server, Detail: detail}
	}
	if len(msg) < 12 || len(msg) > maxMessage {
		return fail(fmt.Sprintf("a response of %d octets", len(msg)))
	}
	total := 0
	for i := 6; i < 12; i += 2 {
		total += int(binary.BigEndian.Uint16(msg[i:]))
	}
	if total > maxRecords {
		return fail(fmt.Sprintf("%d records, the limit is %d", total, maxRecords))
	}
	var m dns.Msg
	if err := m.Unpack(msg); err != nil {
		return fail(shorten(err.Error()))
	}
	if !m.Response || m.Truncated {
		return fail("not a whole response")
	}
	if len(m.Question) != 1 || m.Question[0].Qtype != uint16(q.Type) || m.Question[0].Qclass != dns.ClassINET {
		return fail("the response is to another question")
	}
	if n, err := resolve.NameFromMaster(m.Question[0].Name); err != nil || n != q.Name {
		return fail("the response is to another question")
	}
	if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		reason := resolve.ErrServFail
		if m.Rcode == dns.RcodeRefused {
			reason = resolve.ErrRefused
		}
		return rep, &resolve.Error{Reason: reason, Question: q, Server: meta.Server, RCode: resolve.RCode(m.Rcode)}
	}
	rep.rcode = m.Rcode
	rep.meta.RCode = resolve.RCode(m.Rcode)
	rep.answer, rep.authority = sortSets(m.Answer), sortSets(m.Ns)
	return rep, nil
}

// sortSets groups records. Owners become canonical: the library compares those
// of an RRset octet by octet, but a server may vary their case.
func sortSets(rrs []dns.RR) section {
	s := section{byKey: map[setKey]*set{}}
	for _, rr := range rrs {
		h := rr.Header()
		name, err := resolve.NameFromMaster(h.Name)
		if err != nil || h.Class != dns.ClassINET || h.Rrtype == dns.TypeOPT {
			continue
		}
		h.Name = dns.CanonicalName(h.Name)
		if h.Ttl > 1<<31-1 {
			h.Ttl = 0 // RFC 2181, Section 8
		}
		if sig, ok := rr.(*dns.RRSIG); ok {
			n := s.at(name, sig.TypeCovered)
			n.sigs = append(n.sigs, sig)
			continue
		}
		n := s.at(name, h.Rrtype)
		n.rrs = append(n.rrs, rr)
	}
	// Signatures over what is not there are of no use.
	s.order = slices.DeleteFunc(s.order, func(n *set) bool {
		if len(n.rrs) == 0 {
			delete(s.byKey, setKey{n.name, n.typ})
			return true
		}
		return false
	})
	return s
}

// ttl is the time for which the set may be kept.
func (s *set) ttl(sig *dns.RRSIG) time.Duration {
	low := s.rrs[0].Header().Ttl
	for _, rr := range s.rrs {
		low = min(low, rr.Header().Ttl)
	}
	if sig != nil {
		low = min(low, sig.OrigTtl) // RFC 4035, Section 5.3.3
	}
	return time.Duration(low) * time.Second
}

// records converts the set.
func (s *set) records() ([]resolve.Record, error) {
	var out []resolve.Record
	seen := map[string]bool{}
	for _, rr := range s.rrs {
		r, err := wire.FromRR(rr)
		if err != nil {
			return nil, err
		}
		// RFC 2181, Section 5: a set has no record twice.
		if text := r.Data.String(); !seen[text] {
			seen[text] = true
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *set) signatures() []resolve.Record {
	var out []resolve.Record
	for _, sig := range s.sigs {
		if r, err := wire.FromRR(sig); err == nil {
			out = append(out, r)
		}
	}
	return out
}

// target is the name that a CNAME set leads to; no name if there is not one.
func (s *set) target() (resolve.Name, error) {
	var to resolve.Name
	for _, rr := range s.rrs {
		c, ok := rr.(*dns.CNAME)
		if !ok {
			return resolve.Name{}, fmt.Errorf("no CNAME")
		}
		n, err := resolve.NameFromMaster(c.Target)
		if err != nil {
			return resolve.Name{}, err
		}
		// RFC 2181, Section 10.1: one alias has one canonical name.
		if !to.IsZero() && to != n {
			return resolve.Name{}, fmt.Errorf("more than one CNAME at %s", s.name)
		}
		to = n
	}
	return to, nil
}
