package rotate

import (
	"context"
	"errors"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Ask asks every authoritative server of the zone that holds the name. The error
// is that of finding the servers; a server that failed has its error in its
// answer.
type Ask func(ctx context.Context, q resolve.Question) ([]Answer, error)

// Answer is what one server says.
type Answer struct {
	Server string // for people: "ns1.example.org (192.0.2.53)"
	Answer resolve.Answer
	Err    error
}

// Seen is what one server says of a selector.
type Seen struct {
	Server  string
	State   resolve.State
	Err     error
	Texts   []string
	Records []dkim.Record
	Target  resolve.Name // of a CNAME

	ttl, negative uint32
}

// maxTexts bounds the records read of one answer.
const maxTexts = dkim.MaxTexts

// look asks for the TXT records of a name.
func look(ctx context.Context, env Env, name resolve.Name) ([]Seen, error) {
	q := resolve.Question{Name: name, Type: resolve.TypeTXT}
	list, err := env.Ask(ctx, q)
	if len(list) == 0 {
		if err == nil {
			err = &resolve.Error{Reason: resolve.ErrServFail, Question: q, Detail: "the zone has no name server"}
		}
		return nil, err
	}
	out := make([]Seen, 0, len(list))
	for _, a := range list {
		s := Seen{Server: a.Server, State: resolve.StateOf(a.Err), Err: a.Err}
		if len(a.Answer.Chain) > 0 {
			s.Target = a.Answer.Owner()
			// An alias that leads out of the zone is an answer.
			if errors.Is(a.Err, resolve.ErrReferral) {
				s.State, s.Err = resolve.Present, nil
			}
		}
		if soa := a.Answer.SOA; soa != nil && s.State == resolve.Absent {
			// RFC 2308, Section 5: the lesser of the SOA's TTL and its minimum field.
			if d, ok := soa.Data.(resolve.SOA); ok {
				s.negative = min(soa.TTL, d.Minimum)
			}
		}
		for i, rr := range a.Answer.Records {
			txt, ok := rr.Data.(resolve.TXT)
			if !ok || i == maxTexts {
				continue
			}
			s.ttl = max(s.ttl, rr.TTL)
			s.Texts = append(s.Texts, txt.Joined())
			if rec, err := dkim.ParseRecord(txt.Joined()); !errors.Is(err, dkim.ErrNotKey) {
				s.Records = append(s.Records, rec)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// holds reports that the server has the key, and nothing beside it.
func (s Seen) holds(sha256 string) bool {
	return s.State == resolve.Present && s.Target.IsZero() && len(s.Texts) == 1 && len(s.Records) == 1 &&
		s.Records[0].Usable() && s.Records[0].Key.SHA256 == sha256
}

// Holds reports that the server has the key of one side, and nothing beside it.
func (s Seen) Holds(side Side) bool { return s.holds(side.SHA256) }

// revoked reports a record with an empty p=.
func (s Seen) revoked() bool {
	return s.State == resolve.Present && len(s.Texts) == 1 && len(s.Records) == 1 && s.Records[0].Key.Revoked
}

// word says what is there.
func (s Seen) word(oldKey, newKey string) string {
	switch {
	case s.State == resolve.Unavailable:
		return "unknown: " + resolve.ReasonOf(s.Err).Error()
	case s.State == resolve.Absent:
		return "no record"
	case !s.Target.IsZero():
		return "a CNAME"
	case len(s.Texts) > 1:
		return "several records"
	case s.holds(newKey):
		return "the new key"
	case s.holds(oldKey):
		return "the old key"
	case s.revoked():
		return "a revoked key"
	case len(s.Records) == 1 && s.Records[0].Usable():
		return "another key"
	case len(s.Records) == 1:
		return "a key record that verifiers do not accept"
	}
	return "no key record"
}

// unanswered is the error of a name of which no server told anything.
func unanswered(name resolve.Name, seen []Seen) error {
	for _, s := range seen {
		if s.Err != nil {
			return s.Err
		}
	}
	return &resolve.Error{Reason: resolve.ErrServFail, Question: resolve.Question{Name: name, Type: resolve.TypeTXT}}
}

// negativeWait is how long to wait after publishing.
func negativeWait(negative uint32) time.Duration {
	return min(max(time.Duration(negative)*time.Second, MinWait), MaxNegative)
}
