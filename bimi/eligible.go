package bimi

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// DMARC is what counts of a DMARC record, in plain values, as published.
type DMARC struct {
	// State tells whether there is a usable record at the domain.
	State     resolve.State
	Policy    string // p=; empty or not valid is taken for none
	Subdomain string // sp=; empty if absent
	Testing   bool   // t=y
	HasPct    bool   // pct= is there; RFC 9989 has no such tag, older receivers read it
	Pct       int
}

// Eligibility tells whether mail of a domain can carry a logo as far as its DMARC
// policy is concerned. Each message has to pass DMARC besides.
type Eligibility struct {
	// State is Present if the policy is good enough, Absent if it is not, and
	// Unavailable if a record could not be read.
	State   resolve.State
	Reasons []Problem // with Ignored for what rules it out; Field is the tag
	Why     string
}

// Eligible judges the DMARC policy (draft, Section "Authentication Requirements") in
// the terms of RFC 9989. The first record is the one at the author's domain, the
// second the one at the organizational domain: the same if the domains are. A domain
// without a record of its own has the State Absent there.
//
// The draft speaks of RFC 7489. What that leaves open is filled in so: without pct=,
// the policy is for all mail; t=y makes p=quarantine no policy at all (RFC 9989,
// Section 4.7), which rules a logo out, and p=reject a quarantine, which some
// receivers will not take.
func Eligible(author, org DMARC) Eligibility {
	var e Eligibility
	e.judge("the author's domain", author)
	if author != org {
		e.judge("the organizational domain", org)
	}
	switch {
	case author.State == resolve.Unavailable || org.State == resolve.Unavailable:
		e.State, e.Why = resolve.Unavailable, "the DMARC policy is unknown"
	case author.State == resolve.Absent && org.State == resolve.Absent:
		e.reason(Missing, Ignored, "p", "there is no DMARC record, so no logo is shown")
	}
	if p := worst(e.Reasons); p != nil {
		// What is known to rule it out is not undone by what is unknown.
		e.State, e.Why = resolve.Absent, p.Message
	} else if e.Why == "" {
		e.State, e.Why = resolve.Present, "the DMARC policy is good enough"
	}
	return e
}

func (e *Eligibility) reason(k Kind, f Effect, tag, format string, args ...any) {
	e.Reasons = append(e.Reasons, Problem{Kind: k, Effect: f, Field: tag, Offset: -1, Message: fmt.Sprintf(format, args...)})
}

func (e *Eligibility) judge(where string, d DMARC) {
	if d.State != resolve.Present {
		return
	}
	policy := strings.ToLower(d.Policy)
	switch policy {
	case "reject", "quarantine":
	case "none":
		e.reason(Invalid, Ignored, "p", "the policy of %s is p=none: quarantine or reject is needed", where)
	case "":
		e.reason(Missing, Ignored, "p", "the record of %s has no policy, which counts as none: quarantine or reject is needed", where)
	default:
		e.reason(Invalid, Ignored, "p", "the policy of %s, %s, counts as none: quarantine or reject is needed", where, clip(d.Policy))
	}
	switch sp := strings.ToLower(d.Subdomain); sp {
	case "", "reject", "quarantine":
	case "none":
		// Draft, Section "Authentication Requirements": sp=none rules it out, for the
		// domain itself too.
		e.reason(Invalid, Ignored, "sp", "%s has sp=none: no logo is shown, for the domain itself neither", where)
	default:
		// RFC 9989, Section 4.7: a policy that is not valid makes the record p=none.
		e.reason(Invalid, Ignored, "sp", "sp of %s, %s, is not valid, so the whole record counts as p=none", where, clip(d.Subdomain))
	}
	switch {
	case d.Testing && policy == "quarantine":
		e.reason(Invalid, Ignored, "t", "t=y turns the p=quarantine of %s into none", where)
	case d.Testing && policy == "reject":
		e.reason(Invalid, AtRisk, "t", "t=y turns the p=reject of %s into quarantine: some receivers show no logo for a policy under test", where)
	}
	switch {
	case !d.HasPct || d.Pct == 100:
	case policy == "quarantine":
		e.reason(Invalid, Ignored, "pct", "pct=%d of %s leaves some mail out: with p=quarantine it has to be 100 or absent", d.Pct, where)
	case policy == "reject":
		e.reason(Invalid, AtRisk, "pct", "pct=%d of %s leaves some mail out for receivers that still read it", d.Pct, where)
	}
}
