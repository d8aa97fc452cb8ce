package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Subject is what a finding is about: a record, or a place in a mail, which has a Term
// and perhaps a domain.
type Subject struct {
	Name resolve.Name `json:"name"`
	Type resolve.Type `json:"type,omitempty"`
	Term string       `json:"term,omitempty"` // the part of the record: an SPF term, a tag, an address
}

// String is "example.org TXT include:spf.example.net".
func (s Subject) String() string {
	t := s.Name.String()
	if s.Type != 0 {
		t += " " + s.Type.String()
	}
	if s.Term != "" {
		t += " " + s.Term
	}
	return strings.TrimPrefix(t, " ")
}

// Finding is one occurrence of a defect. It is plain data and survives a JSON
// round trip. Message and Evidence may hold foreign text: escape before showing.
type Finding struct {
	Rule        ID           `json:"rule"`
	Slug        string       `json:"slug"`
	Severity    Severity     `json:"severity"`
	Subject     Subject      `json:"subject"`
	Title       string       `json:"title"`
	Message     string       `json:"message"`
	Evidence    []Evidence   `json:"evidence"`
	Refs        []Ref        `json:"refs"`
	Fix         *Fix         `json:"fix,omitempty"`
	Fingerprint string       `json:"fingerprint"`
	Suppressed  *Suppression `json:"suppressed,omitempty"`
}

// Evidence is one thing seen: the answer to one question.
type Evidence struct {
	Name      resolve.Name      `json:"name"`
	Type      resolve.Type      `json:"type"`
	State     resolve.State     `json:"state"`
	RCode     string            `json:"rcode,omitempty"` // empty if no response came
	Server    string            `json:"server,omitempty"`
	Transport resolve.Transport `json:"transport,omitempty"`
	At        time.Time         `json:"at,omitzero"`
	Chain     []resolve.Name    `json:"cname,omitempty"`   // targets of the CNAMEs walked
	Records   []string          `json:"records,omitempty"` // in master file form: name, TTL, class, type, data
	Error     string            `json:"error,omitempty"`
}

// Fix is how a finding is repaired.
type Fix struct {
	Text    string       `json:"text,omitempty"`    // the remedy in words
	Changes []fix.Change `json:"changes,omitempty"` // the exact edit, if no person has to decide
}

// EvidenceOf turns an observed lookup into evidence.
func EvidenceOf(o facts.Observation) Evidence {
	a := o.Answer
	e := Evidence{Name: a.Question.Name, Type: a.Question.Type, State: resolve.StateOf(o.Err),
		Server: a.Server, Transport: a.Transport, At: a.At}
	if a.Server != "" && resolve.ReasonOf(o.Err) != resolve.ErrTimeout && resolve.ReasonOf(o.Err) != resolve.ErrNetwork {
		e.RCode = a.RCode.String()
	}
	for _, c := range a.Chain {
		e.Chain = append(e.Chain, c.Target)
	}
	for _, r := range a.Records {
		e.Records = append(e.Records, r.String())
	}
	if e.State == resolve.Unavailable && o.Err != nil {
		e.Error = o.Err.Error()
	}
	return e
}

// Answers are the lookups that evidence is taken from: those of a *facts.Snapshot or
// of *mail.Facts.
type Answers interface {
	Seen(q resolve.Question) (facts.Observation, bool)
}

// About adds evidence for a question that has been asked.
func (f *Finding) About(s Answers, name resolve.Name, t resolve.Type) *Finding {
	for _, e := range f.Evidence {
		if e.Name == name && e.Type == t {
			return f
		}
	}
	if o, ok := s.Seen(resolve.Question{Name: name, Type: t}); ok {
		f.Evidence = append(f.Evidence, EvidenceOf(o))
	}
	return f
}

// At overrides the severity: the same defect can have another effect on a
// domain of another kind.
func (f *Finding) At(s Severity) *Finding {
	f.Severity = s
	return f
}

// fingerprint is stable between runs: it is made of the rule and the subject,
// not of the message, whose counts change.
func (f *Finding) fingerprint() string {
	h := sha256.Sum256([]byte(strings.Join([]string{string(f.Rule), f.Subject.Name.String(), f.Subject.Type.String(), f.Subject.Term}, "\x00")))
	return hex.EncodeToString(h[:8])
}
