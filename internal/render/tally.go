package render

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
)

// tally is a report in numbers.
type tally struct {
	errors, warnings, notices int // findings that are not suppressed
	suppressed                int
	passed, failed, skipped   int // rules
	unknown                   int // rules without an outcome
}

func count(r *audit.Report) tally {
	var t tally
	for i := range r.Findings {
		f := &r.Findings[i]
		switch {
		case f.Suppressed != nil:
			t.suppressed++
		case f.Severity >= audit.Error:
			t.errors++
		case f.Severity == audit.Warning:
			t.warnings++
		default:
			t.notices++
		}
	}
	for i := range r.Rules {
		switch x := &r.Rules[i]; {
		case x.Outcome == audit.Pass:
			t.passed++
		case x.Outcome == audit.Fail:
			t.failed++
		case x.Outcome == audit.NotApplicable, x.Optional:
			t.skipped++
		default: // an outcome of a later version is not to be read as good
			t.unknown++
		}
	}
	return t
}

// level orders the verdicts of a whole report.
type level int

const (
	fine        level = iota // nothing wrong was found, everything was looked at
	partly                   // nothing wrong was found, not everything could be looked at
	unseen                   // nothing could be looked at
	endangered               // the worst is a warning
	broken                   // the worst is an error
	numOfLevels              //
)

func (t tally) level() level {
	switch {
	case t.errors > 0:
		return broken
	case t.warnings > 0:
		return endangered
	case t.passed+t.failed+t.skipped+t.notices+t.suppressed == 0:
		return unseen
	case t.unknown > 0:
		return partly
	}
	return fine
}

// title is what a report is about.
func title(r *audit.Report) string {
	if r.Mail == nil {
		return r.Domain.String()
	}
	if r.Mail.File == "" {
		return "mail"
	}
	return r.Mail.File
}

// words is the verdict in words. A domain without mail has none to break.
func (l level) words(kind facts.Kind) string {
	mail := "MAIL "
	if kind == facts.Parked || kind == facts.Nonexistent || kind == audit.Mail {
		mail = ""
	}
	switch l {
	case broken:
		return mail + "BROKEN"
	case endangered:
		return mail + "AT RISK"
	case unseen:
		return "NOT CHECKED"
	case partly:
		return "NOT FULLY CHECKED"
	}
	return "OK"
}

// String is "2 errors, 1 warning, 3 unknown", or "19 passed, 3 unknown". It is
// short, because the verdict has to fit on one line.
func (t tally) String() string {
	var out []string
	for _, x := range []struct {
		n    int
		noun string
	}{{t.errors, "error"}, {t.warnings, "warning"}, {t.notices, "notice"}} {
		if x.n > 0 {
			out = append(out, plural(x.n, x.noun))
		}
	}
	if len(out) == 0 && (t.passed > 0 || t.unknown == 0) {
		out = append(out, fmt.Sprintf("%d passed", t.passed))
	}
	if t.unknown > 0 {
		out = append(out, fmt.Sprintf("%d unknown", t.unknown))
	}
	return strings.Join(out, ", ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// gap is what could not be known: one cause and the rules that wait for it.
type gap struct {
	reason string
	rules  []string
}

// gaps groups the rules without an outcome by their reason, in order of first
// appearance, so that a dead resolver does not print a line for each rule.
// Rules that failed on a part of what they needed come last.
func gaps(r *audit.Report) []gap {
	var whole, part []gap
	for i := range r.Rules {
		x := &r.Rules[i]
		switch x.Outcome {
		case audit.Pass, audit.NotApplicable:
		case audit.Fail:
			if x.Reason != "" {
				part = into(part, "found, and there may be more; "+x.Reason, string(x.ID))
			}
		default:
			reason := x.Reason
			if reason == "" {
				reason = "no reason was given"
			}
			whole = into(whole, reason, string(x.ID))
		}
	}
	return append(whole, part...)
}

// failedQuestion is the beginning of a reason that ends in the error of a lookup.
var failedQuestion = regexp.MustCompile(`^.*\S+ [A-Z]+[0-9]*: `)

// causes groups the rules that made the report incomplete by what went wrong, those
// with most rules first: one dead resolver is one cause, whatever it was asked.
func causes(r *audit.Report) []gap {
	var out []gap
	whole := map[string]string{} // the reason of a cause that has but one
	for i := range r.Rules {
		x := &r.Rules[i]
		if x.Outcome != audit.Unknown || x.Optional {
			continue
		}
		reason := cmp.Or(x.Reason, "no reason was given")
		cause := strings.TrimPrefix(reason, failedQuestion.FindString(reason))
		if first, ok := whole[cause]; !ok {
			whole[cause] = reason
		} else if first != reason {
			whole[cause] = cause
		}
		out = into(out, cause, string(x.ID))
	}
	for i := range out {
		out[i].reason = whole[out[i].reason]
	}
	slices.SortStableFunc(out, func(a, b gap) int { return cmp.Compare(len(b.rules), len(a.rules)) })
	return out
}

func into(list []gap, reason, rule string) []gap {
	i := slices.IndexFunc(list, func(g gap) bool { return g.reason == reason })
	if i < 0 {
		return append(list, gap{reason, []string{rule}})
	}
	list[i].rules = append(list[i].rules, rule)
	return list
}
