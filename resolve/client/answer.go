package client

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// interpret turns a response into the answer to q. more reports that the alias
// chain leads to a name of which the response says nothing. zone is the zone
// that the server was asked for, or no name if it was asked as a resolver.
func (m *message) interpret(q resolve.Question, zone resolve.Name) outcome {
	a := m.envelope(q)
	fail := func(reason error, detail string) outcome {
		e := &resolve.Error{Reason: reason, Question: q, RCode: m.rcode, Detail: joinDetail(detail, describe(m.extended))}
		return outcome{a: a, err: e}
	}
	if e := m.follow(&a); e != nil {
		return fail(e.reason, e.detail)
	}
	owner := a.Owner()
	var records []resolve.Record
	for i := range m.answers {
		r := &m.answers[i]
		if r.Name == owner && (r.Type == q.Type || q.Type == typeANY) {
			records = append(records, *r)
		}
	}
	if m.soa != nil && owner.Within(m.soa.Name) && len(records) == 0 {
		a.SOA = m.soa
	}
	// RFC 1034, Section 6.2: only an answer with AA comes from the zone itself.
	if !zone.IsZero() && !m.has(bitAA) && (m.rcode == resolve.NXDomain ||
		m.rcode == resolve.NoError && (len(records) > 0 || len(a.Chain) > 0 || m.cut.IsZero())) {
		return fail(resolve.ErrServFail, "lame: the answer is not authoritative")
	}
	switch m.rcode {
	case resolve.NoError:
	case resolve.NXDomain:
		if len(records) > 0 {
			return fail(resolve.ErrMalformed, "NXDOMAIN with records")
		}
		// RFC 6604, Section 3: the code speaks of the end of the chain.
		return fail(resolve.ErrNXDomain, "")
	case resolve.Refused:
		return fail(resolve.ErrRefused, "")
	default:
		return fail(resolve.ErrServFail, "")
	}
	if len(records) == 0 {
		more, detail, reason := m.empty(a, zone)
		o := fail(reason, detail)
		o.more = more
		return o
	}
	a.Records = records
	for _, s := range m.sigs {
		if s.record.Name == owner && s.covered == q.Type {
			a.Signatures = append(a.Signatures, s.record)
		}
	}
	return outcome{a: a}
}

// envelope is what the header and the way of a response tell.
func (m *message) envelope(q resolve.Question) resolve.Answer {
	return resolve.Answer{
		Question:           q,
		RCode:              m.rcode,
		AuthenticData:      m.has(bitAD),
		Authoritative:      m.has(bitAA),
		RecursionAvailable: m.has(bitRA),
		Extended:           m.extended,
		Transport:          m.transport,
		Truncated:          m.retried,
		Size:               m.size,
	}
}

// chainError is a chain that cannot be followed.
type chainError struct {
	reason error
	detail string
}

// follow walks the CNAMEs of the answer section from the question's name,
// whatever their order (RFC 1034, Section 4.3.2, does not promise one that
// every server keeps). It stops where a record of the asked type is owned.
func (m *message) follow(a *resolve.Answer) *chainError {
	at := a.Question.Name
	for {
		var target resolve.Name
		var ttl uint32
		for i := range m.answers {
			r := &m.answers[i]
			if r.Name != at {
				continue
			}
			if r.Type == a.Question.Type || a.Question.Type == typeANY {
				return nil
			}
			if r.Type != resolve.TypeCNAME {
				continue
			}
			d, ok := r.Data.(resolve.Host)
			if !ok {
				continue
			}
			if !target.IsZero() && target != d.Name {
				// RFC 2181, Section 10.1: one alias has one canonical name.
				// Which one a receiver follows cannot be told.
				return &chainError{resolve.ErrMalformed, fmt.Sprintf("more than one CNAME at %s", at)}
			}
			target, ttl = d.Name, r.TTL
		}
		if target.IsZero() {
			return nil
		}
		a.Chain = append(a.Chain, resolve.Alias{Name: at, Target: target, TTL: ttl})
		if endless(a.Chain) {
			return &chainError{resolve.ErrAliasLoop, ""}
		}
		at = target
	}
}

// endless reports a chain that is too long or comes back to one of its names.
func endless(chain []resolve.Alias) bool {
	if len(chain) > resolve.MaxChain {
		return true
	}
	if len(chain) == 0 {
		return false
	}
	last := chain[len(chain)-1].Target
	for _, c := range chain {
		if c.Name == last {
			return true
		}
	}
	return false
}

// empty tells what a NOERROR response without records of the type means.
func (m *message) empty(a resolve.Answer, zone resolve.Name) (more bool, detail string, reason error) {
	switch {
	case a.SOA != nil:
		return false, "", resolve.ErrNoData // RFC 2308, Section 2.2: NODATA of types 1 and 2
	case len(a.Chain) > 0:
		return true, "its alias leads elsewhere", resolve.ErrReferral
	// RFC 2308, Section 2.2: NS without SOA in the authority section is a
	// referral and says nothing about the name.
	case m.cut.IsZero() || m.has(bitAA):
		return false, "", resolve.ErrNoData
	case zone.IsZero():
		return false, "referral: the server does not resolve recursively", resolve.ErrServFail
	case m.cut != zone && m.cut.Within(zone) && a.Question.Name.Within(m.cut):
		return false, "delegated at " + m.cut.String(), resolve.ErrReferral
	}
	return false, "lame: the server refers to " + m.cut.String() + " and does not hold " + zone.String(), resolve.ErrServFail
}

func joinDetail(parts ...string) string {
	out := parts[:0]
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "; ")
}

// extendedNames are the codes of RFC 8914, Section 4, that explain a failure.
var extendedNames = map[uint16]string{
	0: "other", 1: "unsupported DNSKEY algorithm", 2: "unsupported DS digest type", 3: "stale answer",
	4: "forged answer", 5: "DNSSEC indeterminate", 6: "DNSSEC bogus", 7: "signature expired",
	8: "signature not yet valid", 9: "DNSKEY missing", 10: "RRSIGs missing", 11: "no zone key bit set",
	12: "NSEC missing", 13: "cached error", 14: "not ready", 15: "blocked", 16: "censored",
	17: "filtered", 18: "prohibited", 19: "stale NXDOMAIN answer", 20: "not authoritative",
	21: "not supported", 22: "no reachable authority", 23: "network error", 24: "invalid data",
}

// describe words the Extended DNS Errors for people; foreign text is quoted.
func describe(es []resolve.ExtendedError) string {
	var b strings.Builder
	for i, e := range es {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "extended error %d", e.Code)
		if n := extendedNames[e.Code]; n != "" {
			fmt.Fprintf(&b, " (%s)", n)
		}
		if e.Text != "" {
			fmt.Fprintf(&b, " %q", shorten(e.Text))
		}
	}
	return b.String()
}
