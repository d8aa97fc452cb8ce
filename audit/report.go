package audit

import (
	"time"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Report is everything known of one domain. It is plain data.
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
}

// RuleResult is the outcome of one rule. Severity is that of the rule's worst
// finding, or the rule's own when there is none.
type RuleResult struct {
	ID       ID       `json:"id"`
	Slug     string   `json:"slug"`
	Outcome  Outcome  `json:"outcome"`
	Severity Severity `json:"severity"`
	Reason   string   `json:"reason,omitempty"` // why unknown or not applicable
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

// Incomplete reports whether a rule could not decide.
func (r Report) Incomplete() bool {
	for _, x := range r.Rules {
		if x.Outcome == Unknown {
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
