package fix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// PlanSchema names the version of the JSON form of a [Plan].
const PlanSchema = "mailcheck.plan/1"

// Limits of a plan that is read. They are ours: the longest plan of a real
// domain has some twenty steps.
const (
	MaxPlan  = 8 << 20 // octets
	MaxSteps = 1000
)

// ErrPlan matches the errors of a file that is no usable plan.
var ErrPlan = errors.New("fix: not a usable plan")

// Plan is what a person reviews before anything is changed: ordered steps, of
// which each has one concern, and what remains for a person to decide. It holds
// no secret. Texts in it may be foreign: escape before showing.
type Plan struct {
	Schema  string       `json:"schema"`
	Domain  resolve.Name `json:"domain"`
	Created time.Time    `json:"created"`
	Tool    string       `json:"tool"`
	Goal    string       `json:"goal"`
	// Given is what the audit was told that no record shows. The proof of the plan
	// judges with it again.
	Given *Given `json:"given,omitempty"`
	// UndoOf is the time of the plan that this one takes back; zero if it is none.
	UndoOf time.Time `json:"undo_of,omitzero"`
	Steps  []Step    `json:"steps"`
	// Decisions are what no step removes, and why a person has to decide.
	Decisions []Decision `json:"decisions"`
	// Before and After are what the audit finds in the zone as it is, and in the
	// zone as it is after the steps without a gate.
	Before []Defect `json:"findings_before"`
	After  []Defect `json:"findings_after"`
	// Unknown are rules that cannot decide what the steps leave, with the reason.
	Unknown []string `json:"unknown"`
}

// Given is what a person told the audit.
type Given struct {
	Addresses []netip.Addr `json:"addresses"` // that mail is sent from
	Selectors []string     `json:"selectors"` // DKIM selectors in use
}

// Step has one concern. It changes one record set, or is for a person to do.
type Step struct {
	ID       string   `json:"id"` // "dmarc-1"
	Title    string   `json:"title"`
	Findings []string `json:"findings"` // IDs of the rules it answers
	Depends  []string `json:"depends"`  // IDs of the steps to be done before
	Risk     Risk     `json:"risk"`
	// Reversible tells whether undoing the step gives back what was.
	Reversible bool `json:"reversible"`
	// Wait is how long to wait after this step before the next that depends on it.
	Wait   Duration `json:"wait"`
	Change *Change  `json:"change,omitempty"`
	Why    []string `json:"why"`
	Breaks string   `json:"what_breaks_if_wrong"`
	Manual []Manual `json:"manual"`
	// Gate keeps the step from being applied before its time.
	Gate *Gate `json:"gate,omitempty"`
	// Confirm tells why applying needs a confirmation of its own; empty if not.
	Confirm string `json:"confirm,omitempty"`
	Check   Check  `json:"check"`
}

// Risk is how much mail is at stake when a step is wrong.
type Risk string

// Risks.
const (
	Low    Risk = "low"    // no mail is refused for it
	Medium Risk = "medium" // some mail may be refused
	High   Risk = "high"   // all mail may be refused or lost
)

// Manual is what a person has to do outside of the DNS.
type Manual struct {
	Title string `json:"title"`
	Text  string `json:"text"` // lines to paste or to follow
}

// Gate is a condition in the future.
type Gate struct {
	NotBefore time.Time `json:"not_before"`
	Condition string    `json:"condition"`
	Command   string    `json:"command"` // that tells whether the condition holds
}

// Check is how a step is proven.
type Check struct {
	Kind    string `json:"kind"` // "rule", "record" or "manual"
	Expect  string `json:"expect"`
	Command string `json:"command"`
}

// Decision is a finding that no step removes.
type Decision struct {
	Defect
	Why  string `json:"why"`  // why no step does
	Text string `json:"text"` // the remedy in words
}

// Defect is a finding in short.
type Defect struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Subject  string `json:"subject"`
	Message  string `json:"message"`
	// Fingerprint tells findings of one rule apart, in this run and others.
	Fingerprint string `json:"fingerprint"`
}

// Duration is a time span that JSON writes as "1h30m0s".
type Duration time.Duration

// MarshalText gives the text of the span.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads it.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// Changes lists the changes of the steps that no gate holds back, in order.
func (p *Plan) Changes() []Change {
	var out []Change
	for _, s := range p.Steps {
		if s.Change != nil && s.Gate == nil {
			out = append(out, *s.Change)
		}
	}
	return out
}

// Encode writes the plan as JSON.
func (p *Plan) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(p); err != nil {
		return nil, fmt.Errorf("fix: plan cannot be written: %w", err)
	}
	return b.Bytes(), nil
}

// DecodePlan reads a plan. A member it does not know is refused, as it may hold
// a condition of a later version.
func DecodePlan(data []byte) (*Plan, error) {
	if len(data) > MaxPlan {
		return nil, fmt.Errorf("%w: more than %d octets", ErrPlan, MaxPlan)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPlan, err)
	}
	if head.Schema != PlanSchema {
		return nil, fmt.Errorf("%w: schema %.40q, want %q", ErrPlan, head.Schema, PlanSchema)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	p := &Plan{}
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPlan, err)
	}
	return p, p.validate()
}

func (p *Plan) validate() error {
	if p.Domain == (resolve.Name{}) || p.Created.IsZero() || len(p.Steps) > MaxSteps {
		return fmt.Errorf("%w: it needs a domain, the time of its creation and at most %d steps", ErrPlan, MaxSteps)
	}
	var ids []string
	for _, s := range p.Steps {
		if s.ID == "" || slices.Contains(ids, s.ID) {
			return fmt.Errorf("%w: step ID %.40q is empty or there twice", ErrPlan, s.ID)
		}
		for _, d := range s.Depends {
			if !slices.Contains(ids, d) { // a step depends on earlier ones, so there is no circle
				return fmt.Errorf("%w: step %.40q depends on %.40q, which is not before it", ErrPlan, s.ID, d)
			}
		}
		ids = append(ids, s.ID)
		if c := s.Change; c != nil {
			if err := c.validate(); err != nil {
				return fmt.Errorf("%w: step %.40q: %w", ErrPlan, s.ID, err)
			}
		}
	}
	return nil
}

func (c *Change) validate() error {
	want := Update
	switch {
	case len(c.Old) == 0 && len(c.New) == 0:
		return errors.New("it changes nothing")
	case len(c.Old) == 0:
		want = Create
	case len(c.New) == 0:
		want = Delete
	}
	if c.Verb != want {
		return fmt.Errorf("verb %.20q with %d old and %d new records", c.Verb, len(c.Old), len(c.New))
	}
	if c.Name == (resolve.Name{}) || c.Type == 0 {
		return errors.New("it has no name or no type")
	}
	if _, err := c.records(c.Old); err != nil {
		return err
	}
	_, err := c.records(c.New)
	return err
}

// Undo is the plan that takes back steps that were done, last first. Its
// precondition is what they published.
func (p *Plan) Undo(done []string, at time.Time) *Plan {
	u := &Plan{Schema: PlanSchema, Domain: p.Domain, Created: at.UTC().Truncate(time.Second), Tool: p.Tool, UndoOf: p.Created,
		Goal: "take back: " + p.Goal, Decisions: []Decision{}, Before: p.After, After: p.Before, Unknown: []string{}}
	for _, s := range slices.Backward(p.Steps) {
		if s.Change == nil || !slices.Contains(done, s.ID) {
			continue
		}
		u.Steps = append(u.Steps, Step{
			ID: "undo-" + s.ID, Title: "take back: " + s.Title, Findings: []string{}, Depends: []string{}, Risk: s.Risk,
			Reversible: true, Change: ptr(s.Change.Inverse()), Why: []string{"undo"}, Manual: []Manual{},
			Breaks: "what the step repaired is broken again",
			Check:  Check{Kind: "record", Expect: "the records are as they were before", Command: s.Check.Command},
		})
	}
	return u
}

// Inverse is the change that takes this one back.
func (c Change) Inverse() Change {
	c.Old, c.New = c.New, c.Old
	switch c.Verb {
	case Create:
		c.Verb = Delete
	case Delete:
		c.Verb = Create
	}
	c.Why = []string{"undo"}
	return c
}

func ptr[T any](v T) *T { return &v }
