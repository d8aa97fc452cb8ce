package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit/facts"
)

// Profile is what one receiver publishes as its requirements on senders, as
// dated data.
type Profile struct {
	ID           string        `json:"id"`       // "gmail"
	Title        string        `json:"title"`    // "Gmail (personal accounts)"
	Reviewed     string        `json:"reviewed"` // day on which the sources were last read
	Sources      []string      `json:"sources"`
	Requirements []Requirement `json:"requirements"`
}

// Requirement is one demand of a receiver.
type Requirement struct {
	ID     string `json:"id"`              // "gmail-dmarc"
	Text   string `json:"text"`            // the demand in our words
	Scope  string `json:"scope"`           // "all senders" or "bulk senders"
	Since  string `json:"since,omitempty"` // in force since
	Source string `json:"source"`          // URL
	Effect string `json:"effect"`          // what the receiver does, with its reply code

	// Rules that decide it: one that fails fails it. Any holds groups of which at
	// least one must be free of failures. Both empty: DNS cannot tell.
	Rules []ID   `json:"rules,omitempty"`
	Any   [][]ID `json:"any,omitempty"`
	// Partly says what remains unknown though the rules pass.
	Partly string `json:"partly,omitempty"`
	// Strict says that any finding of the rules fails the demand, not only an error: it
	// names the rules of a fact, whatever that does to this mail.
	Strict bool `json:"-"`
	// Optional says that the demand is void where none of its rules applies.
	Optional bool `json:"-"`
	// Unless lists domain kinds to which the demand does not apply.
	Unless []facts.Kind `json:"-"`
}

// Verdict is the state of one requirement.
type Verdict string

// The verdicts. NotInDNS keeps a green DNS audit from reading as compliance, and
// NotInMail that of one mail.
const (
	Met          Verdict = "pass"
	Unmet        Verdict = "fail"
	Undecided    Verdict = "unknown"
	NotInDNS     Verdict = "not-in-dns"  // cannot be known from DNS
	NotInMail    Verdict = "not-in-mail" // cannot be known from one mail
	Inapplicable Verdict = "not-applicable"
)

// ProfileResult is a receiver's requirements judged for one domain. It has no
// overall "compliant": parts of every profile cannot be known from DNS.
type ProfileResult struct {
	ID           string              `json:"id"`
	Title        string              `json:"title"`
	Reviewed     string              `json:"reviewed"`
	Verdict      Verdict             `json:"verdict"` // fail, or unknown; never pass while a requirement is not-in-dns
	Summary      string              `json:"summary"`
	Requirements []RequirementResult `json:"requirements"`
}

// RequirementResult is one requirement judged.
type RequirementResult struct {
	ID      string  `json:"id"`
	Text    string  `json:"text"`
	Scope   string  `json:"scope"`
	Since   string  `json:"since,omitempty"`
	Source  string  `json:"source"`
	Effect  string  `json:"effect"`
	Verdict Verdict `json:"verdict"`
	Rules   []ID    `json:"rules"`  // that decided
	Reason  string  `json:"reason"` // in words
}

func (p Profile) judge(r Report) ProfileResult {
	out := ProfileResult{ID: p.ID, Title: p.Title, Reviewed: p.Reviewed, Requirements: []RequirementResult{}}
	count := map[Verdict]int{}
	for _, q := range p.Requirements {
		res := q.judge(r)
		count[res.Verdict]++
		out.Requirements = append(out.Requirements, res)
	}
	switch {
	case count[Unmet] > 0:
		out.Verdict = Unmet
	case count[Undecided]+count[NotInDNS]+count[NotInMail] > 0:
		out.Verdict = Undecided
	case count[Met] == 0:
		out.Verdict = Inapplicable
	default:
		out.Verdict = Met
	}
	var parts []string
	for _, v := range []struct {
		v    Verdict
		text string
	}{{Met, "met"}, {Unmet, "not met"}, {Undecided, "unknown"}, {NotInDNS, "cannot be known from DNS"}, {NotInMail, "cannot be known from one mail"}, {Inapplicable, "not applicable"}} {
		if n := count[v.v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v.text))
		}
	}
	out.Summary = strings.Join(parts, ", ")
	return out
}

func (q Requirement) judge(r Report) RequirementResult {
	res := RequirementResult{ID: q.ID, Text: q.Text, Scope: q.Scope, Since: q.Since, Source: q.Source, Effect: q.Effect, Rules: []ID{}}
	for _, k := range q.Unless {
		if r.Kind == k {
			res.Verdict, res.Reason = Inapplicable, "the domain is of the kind: "+string(k)
			return res
		}
	}
	if len(q.Rules) == 0 && len(q.Any) == 0 {
		res.Verdict, res.Reason = NotInDNS, "only mail itself, or the receiver, can tell"
		if r.Mail != nil {
			res.Verdict, res.Reason = NotInMail, cmp.Or(q.Partly, "only the receiver can tell")
		}
		return res
	}
	res.Verdict, res.Rules, res.Reason = q.group(r, q.Rules)
	if len(q.Any) > 0 {
		best, ids, reason := Unmet, []ID{}, ""
		for _, g := range q.Any {
			v, x, why := q.group(r, g)
			ids = append(ids, x...)
			if v == Met || v == Undecided && best == Unmet || reason == "" {
				best, reason = v, why
			}
			if v == Met {
				ids, reason = x, why
				break
			}
		}
		if res.Verdict == Met {
			res.Verdict, res.Rules, res.Reason = best, append(res.Rules, ids...), reason
		}
	}
	if q.Optional && len(res.Rules) > 0 && res.Verdict == Undecided && r.idle(slices.Concat(append(slices.Clone(q.Any), q.Rules)...)) {
		res.Verdict, res.Reason = Inapplicable, strings.TrimPrefix(res.Reason, idlePrefix)
	}
	if res.Verdict == Met && q.Partly != "" {
		res.Reason = q.Partly
	}
	return res
}

// group judges rules that must all be free of errors: one error fails the group,
// then one unknown, or a rule not run, leaves it undecided. A warning means that
// mail is at risk, not that the receiver's demand is unmet. Rules that do not
// apply decide nothing, so a group of nothing else, such as that of the sending
// addresses when none was given, is undecided too.
func (q Requirement) group(r Report, ids []ID) (Verdict, []ID, string) {
	verdict, reason, idle := Met, "", ""
	var decided []ID
	judged := false
	for _, id := range ids {
		res := r.result(id)
		if res != nil && res.Outcome == NotApplicable {
			if idle == "" {
				idle = res.Reason
			}
			continue
		}
		judged = true
		switch {
		case res == nil:
			if verdict == Met {
				verdict, reason, decided = Undecided, string(id)+" was not run", []ID{id}
			}
		case res.Inferred && res.Outcome != Unknown:
			if verdict == Met {
				verdict, decided, reason = Undecided, []ID{id}, r.inferred(ids)
			}
		case res.Outcome == Fail && (q.Strict || res.Severity >= Error):
			if verdict != Unmet {
				decided = nil
			}
			verdict, decided = Unmet, append(decided, id)
			reason = string(id) + " (" + res.Slug + ") fails"
		case (res.Outcome == Unknown || res.Outcome == Fail && res.Incomplete) && verdict == Met:
			verdict, decided, reason = Undecided, []ID{id}, res.Reason
		case verdict == Met:
			decided = append(decided, id)
		}
	}
	if !judged && len(ids) > 0 {
		return Undecided, ids, idlePrefix + idle
	}
	return verdict, decided, reason
}

// inferred tells what speaks for or against a demand that stays open.
func (r *Report) inferred(ids []ID) string {
	for _, id := range ids {
		if x := r.result(id); x == nil || x.Outcome != Fail {
			continue
		}
		if i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Rule == id }); i >= 0 {
			return unnamed + r.Findings[i].Message
		}
	}
	return unnamed + "those that MX and SPF show have names that fit"
}

const unnamed = idlePrefix + "nobody named the addresses that send; "

// idlePrefix begins the reason of a demand of whose rules none applies.
const idlePrefix = "cannot be known: "

// idle reports whether none of the rules applies.
func (r *Report) idle(ids []ID) bool {
	return !slices.ContainsFunc(ids, func(id ID) bool {
		x := r.result(id)
		return x == nil || x.Outcome != NotApplicable
	})
}

func (r *Report) result(id ID) *RuleResult {
	for i := range r.Rules {
		if r.Rules[i].ID == id {
			return &r.Rules[i]
		}
	}
	return nil
}
