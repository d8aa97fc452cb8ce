package audit

import (
	"net/netip"
	"time"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Mail is the kind of a report of [RunMail].
const Mail facts.Kind = "mail"

// Report is everything known of one domain, or of one mail. It is plain data.
type Report struct {
	Domain     resolve.Name    `json:"domain"`
	Kind       facts.Kind      `json:"kind"`
	KindReason []string        `json:"kind_reason"`
	Resolver   string          `json:"resolver"`
	Started    time.Time       `json:"started"`
	DurationMS int64           `json:"duration_ms"`
	Queries    int             `json:"queries"` // questions asked for this domain
	Rules      []RuleResult    `json:"rules"`
	Findings   []Finding       `json:"findings"`
	Profiles   []ProfileResult `json:"profiles"`

	Senders []Sender `json:"senders,omitempty"` // addresses that mail is sent from

	Mail *mail.Summary `json:"mail,omitempty"` // set by RunMail
}

// RuleResult is the outcome of one rule. Severity is that of the rule's worst
// finding, or the rule's own when there is none.
type RuleResult struct {
	ID       ID       `json:"id"`
	Slug     string   `json:"slug"`
	Outcome  Outcome  `json:"outcome"`
	Severity Severity `json:"severity"`
	Reason   string   `json:"reason,omitempty"` // why unknown or not applicable
	// Optional says of an unknown outcome that nobody insisted on it: it was tried
	// beside, and the report is complete without it.
	Optional bool `json:"optional,omitempty"`
	// Incomplete says of a failure that part of the rule could not be decided.
	Incomplete bool `json:"incomplete,omitempty"`
	// Inferred says that the outcome rests on what follows from other records, and
	// not on what is known: sending addresses that nobody named.
	Inferred bool `json:"inferred,omitempty"`
}

// Sender is an address that mail is sent from, and how that is known.
type Sender struct {
	Address netip.Addr    `json:"address"`
	Origin  facts.Origin  `json:"origin"`         // given, mx or spf
	Term    string        `json:"term,omitempty"` // the SPF term that lets a derived address send
	Host    string        `json:"host,omitempty"` // the host that has a derived address
	PTR     []string      `json:"ptr"`
	State   resolve.State `json:"state"`     // of the PTR
	Forward resolve.State `json:"confirmed"` // whether a name leads back
}

// maxNamed is the number of PTR names of an address that a report lists.
const maxNamed = 10

func sendersOf(s *facts.Snapshot) []Sender {
	var out []Sender
	for _, x := range s.Senders {
		v := Sender{Address: x.Address, Origin: x.Origin, Term: x.Term, PTR: []string{}, State: x.PTR.State, Forward: x.Confirmed}
		if !x.Host.IsZero() {
			v.Host = x.Host.String()
		}
		for _, n := range x.PTR.Value[:min(len(x.PTR.Value), maxNamed)] {
			v.PTR = append(v.PTR, n.String())
		}
		out = append(out, v)
	}
	return out
}

// Worst is the highest severity among the findings that are not suppressed, 0
// if there are none.
func (r Report) Worst() Severity {
	var w Severity
	for _, f := range r.Findings {
		if f.Suppressed == nil {
			w = max(w, f.Severity)
		}
	}
	return w
}

// Incomplete reports whether a rule could not decide that was asked to.
func (r Report) Incomplete() bool {
	for _, x := range r.Rules {
		if x.Outcome == Unknown && !x.Optional {
			return true
		}
	}
	return false
}

// Outcome is the outcome of a rule; empty if the rule was not run.
func (r Report) Outcome(id ID) Outcome {
	for _, x := range r.Rules {
		if x.ID == id {
			return x.Outcome
		}
	}
	return ""
}
