package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
)

// profiles prints the receivers' requirements as a table, then what is not met.
// It never says that a domain complies: parts of every list are not in the DNS.
func (p *textPrinter) profiles(r *audit.Report) {
	if !judged(r) && !p.opt.Verbose || len(r.Profiles) == 0 {
		return
	}
	p.heading(p.ink.strong, "RECEIVERS", "what they publish as demands on senders, as far as "+source(r)+" tells")
	p.table(r)
	for i := range r.Profiles {
		p.requirements(&r.Profiles[i])
	}
}

// judged reports whether any demand concerns what was looked at: none does a domain
// that sends no mail.
func judged(r *audit.Report) bool {
	return slices.ContainsFunc(r.Profiles, func(q audit.ProfileResult) bool {
		return slices.ContainsFunc(q.Requirements, func(x audit.RequirementResult) bool { return x.Verdict != audit.Inapplicable })
	})
}

// source is what a report judges by.
func source(r *audit.Report) string {
	if r.Mail != nil {
		return "this mail"
	}
	return "the DNS"
}

func (p *textPrinter) table(r *audit.Report) {
	columns := "   met  not met  unknown  not in DNS"
	if r.Mail != nil {
		columns = "   met  not met  unknown not in mail"
	}
	const least = 12 // of a title, or a table makes no sense
	room := p.width - 2 - len(columns)
	if room < least {
		for i := range r.Profiles {
			p.para(2, 4, p.ink.dim, "", r.Profiles[i].Title+": "+r.Profiles[i].Summary)
		}
		return
	}
	name := least
	for i := range r.Profiles {
		name = min(max(name, cells(r.Profiles[i].Title)), room)
	}
	p.raw(p.ink.dim.Sprint(strings.Repeat(" ", 2+name) + columns))
	for i := range r.Profiles {
		q := &r.Profiles[i]
		n := verdicts(q)
		title := q.Title
		if cells(title) > name {
			title = title[:fit(title, name-3)] + "..."
		}
		line := fmt.Sprintf("  %s%s   %3d  %7d  %7d  %10d", title, strings.Repeat(" ", max(name-cells(title), 0)),
			n[audit.Met], n[audit.Unmet], n[audit.Undecided], n[audit.NotInDNS]+n[audit.NotInMail])
		if n[audit.Unmet] > 0 {
			line = p.ink.bad.Sprint(line)
		}
		p.raw(line)
	}
}

func verdicts(q *audit.ProfileResult) map[audit.Verdict]int {
	n := map[audit.Verdict]int{}
	for i := range q.Requirements {
		n[q.Requirements[i].Verdict]++
	}
	return n
}

// verdictWords are the verdicts as people read them.
var verdictWords = map[audit.Verdict]string{
	audit.Met: "met", audit.Unmet: "not met", audit.Undecided: "unknown", audit.NotInDNS: "cannot be known from DNS",
	audit.NotInMail: "cannot be known from one mail", audit.Inapplicable: "not applicable",
}

func verdictWord(v audit.Verdict) string {
	if w, ok := verdictWords[v]; ok {
		return w
	}
	return string(v)
}

// requirements prints those that are not met, a line or two each; all of them
// with their sources when verbose.
func (p *textPrinter) requirements(q *audit.ProfileResult) {
	first := true
	for i := range q.Requirements {
		x := &q.Requirements[i]
		if x.Verdict != audit.Unmet && !p.opt.Verbose {
			continue
		}
		if first {
			text := q.Title
			if q.Reviewed != "" {
				text += " (read on " + q.Reviewed + ")"
			}
			p.para(2, 2, p.ink.strong, "", text)
			first = false
		}
		p.requirement(x)
	}
}

func (p *textPrinter) requirement(x *audit.RequirementResult) {
	text := x.Text
	if x.Scope != "" {
		text += " [" + x.Scope + "]"
	}
	word := verdictWord(x.Verdict)
	if x.Verdict == audit.Unmet {
		if why := decidedBy(x); why != "" {
			text += " " + why
		}
		p.para(4, 6+len(word), p.ink.bad, word+":", text)
		if x.Effect != "" {
			p.para(6, 6+labelWidth, p.ink.dim, "effect", x.Effect)
		}
	} else {
		p.para(4, 6, p.ink.dim, "", word+": "+text)
	}
	if !p.opt.Verbose {
		return
	}
	if x.Reason != "" {
		p.para(6, 6+labelWidth, p.ink.dim, "because", x.Reason)
	}
	if x.Source != "" {
		p.para(6, 6+labelWidth, p.ink.dim, "source", x.Source)
	}
}

// decidedBy names the rules whose findings stand above.
func decidedBy(x *audit.RequirementResult) string {
	if len(x.Rules) == 0 {
		return ""
	}
	ids := make([]string, len(x.Rules))
	for i, id := range x.Rules {
		ids[i] = string(id)
	}
	return "See " + strings.Join(ids, ", ") + "."
}
