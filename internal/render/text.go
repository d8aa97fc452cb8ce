package render

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fatih/color"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// textPrinter writes for a person: the verdict, what blocks mail, what is at
// risk, what could be better, what could not be known, and what to publish.
type textPrinter struct {
	out *bufio.Writer
	opt Options
	ink palette
	page

	// Of the whole run, for its end.
	levels  [numOfLevels]int
	gaps    int // reports with rules that could not be checked
	worst   audit.Severity
	explain string // the rule to explain next
	retry   string // a domain to ask another resolver for
	author  string // of a mail: the domain to audit next, with what the mail tells of it

	// Of the report under way: what has been shown, and under which rule.
	evidence, changes map[string]audit.ID
}

func newText(out *bufio.Writer, opt Options) printer {
	if opt.Width <= 0 {
		opt.Width = defaultWidth
	}
	return &textPrinter{out: out, opt: opt, ink: newPalette(opt.Color), page: page{width: max(opt.Width, minWidth)}}
}

func (p *textPrinter) begin() error { return nil }

func (p *textPrinter) report(r *audit.Report) error {
	p.Reset()
	p.evidence, p.changes = map[string]audit.ID{}, map[string]audit.ID{}
	t := count(r)
	p.note(r, t)
	if p.opt.Quiet && !p.tells(r) {
		return nil
	}
	p.verdict(r, t)
	if !p.opt.Quiet {
		p.about(r)
	}
	head := p.Len()
	for _, s := range sections {
		p.section(r, s)
	}
	if p.opt.Quiet {
		if p.Len() > head && r.Incomplete() {
			p.raw("")
		}
		p.causes(r)
		if p.Len() > head {
			p.raw("")
		}
	} else {
		p.rivals(r)
		p.unknown(r)
		p.suppressed(r, t)
		p.profiles(r)
		p.passed(r)
		p.raw("")
	}
	p.out.Write(p.Bytes())
	return nil
}

// tells reports whether there is something to tell to who wants to hear of trouble
// only: what makes the exit status another than 0.
func (p *textPrinter) tells(r *audit.Report) bool {
	return p.opt.FailOn != 0 && r.Worst() >= p.opt.FailOn || r.Incomplete()
}

// maxCauses is how many causes the quiet form gives; the others are counted.
const maxCauses = 3

// causes says in short why rules could not be decided.
func (p *textPrinter) causes(r *audit.Report) {
	list := causes(r)
	for i, c := range list {
		if i == maxCauses {
			p.para(2, 2, p.ink.dim, "", "and "+plural(len(list)-i, "other cause"))
			return
		}
		p.para(2, 15, p.ink.risk, "not checked:", c.reason+" ("+plural(len(c.rules), "rule")+")")
	}
}

// note remembers what the end of the run needs.
func (p *textPrinter) note(r *audit.Report, t tally) {
	p.levels[t.level()]++
	if t.unknown > 0 {
		if p.gaps++; p.retry == "" && r.Mail == nil {
			p.retry = r.Domain.String()
		}
	}
	if r.Mail != nil && p.author == "" && typable(r.Domain.String()) {
		p.author = r.Domain.String() + known(r.Mail)
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Suppressed == nil && f.Severity > p.worst {
			p.worst, p.explain = f.Severity, string(f.Rule)
		}
	}
}

func (p *textPrinter) colour(l level) *color.Color {
	switch l {
	case broken:
		return p.ink.bad
	case endangered, unseen, partly:
		return p.ink.risk
	}
	return p.ink.good
}

// verdict writes the line that a person reads first, and perhaps only.
func (p *textPrinter) verdict(r *audit.Report, t tally) {
	l := t.level()
	head := title(r)
	if r.Mail != nil && !r.Domain.IsZero() {
		head += " (mail from " + r.Domain.String() + ")"
	} else if r.Kind != "" {
		head += " (" + string(r.Kind) + ")"
	}
	word := l.words(r.Kind)
	lines := wrap(head+": "+word+" - "+t.String(), p.width-2)
	for i, line := range lines {
		if i > 0 {
			line = "  " + line
		} else if strings.Contains(line, word) {
			at := strings.LastIndex(line, ": "+word) + 2
			if at >= 2 {
				line = p.ink.strong.Sprint(line[:at-2]) + ": " + p.colour(l).Sprint(word) + line[at+len(word):]
			}
		}
		p.raw(line)
	}
}

// about says what was asked, and why the domain is taken for what it is.
func (p *textPrinter) about(r *audit.Report) {
	text := plural(r.Queries, "question")
	if r.Resolver != "" {
		text += " to " + r.Resolver
	}
	if r.DurationMS < 1000 {
		text += fmt.Sprintf(" in %d ms", r.DurationMS)
	} else {
		text += fmt.Sprintf(" in %.1f s", float64(r.DurationMS)/1000)
	}
	if !r.Started.IsZero() {
		text += ", " + r.Started.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	p.para(2, 2+labelWidth, p.ink.dim, "asked", text)
	if r.Mail != nil {
		p.mail(r.Mail)
		return
	}
	if len(r.KindReason) > 0 {
		p.para(2, 2+labelWidth, p.ink.dim, "kind", string(r.Kind)+": "+strings.Join(r.KindReason, "; "))
	}
	if u := safe.Text(r.Domain.Unicode()); u != r.Domain.String() {
		p.para(2, 2+labelWidth, p.ink.dim, "reads", u)
	}
}

// section is the findings of one severity.
type section struct {
	least, most audit.Severity
	title, text string
}

var sections = []section{
	{audit.Error, 255, "ERRORS", "mail is refused, junked or can be forged now"},
	{audit.Warning, audit.Warning, "WARNINGS", "at risk: some receivers, some mail, or after the next change"},
	{0, audit.Notice, "NOTICES", "mail flows; this could be better"},
}

func (p *textPrinter) section(r *audit.Report, s section) {
	var list []*audit.Finding
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Severity >= s.least && f.Severity <= s.most && p.shown(f) {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		return
	}
	ink := p.ink.better
	switch s.least {
	case audit.Error:
		ink = p.ink.bad
	case audit.Warning:
		ink = p.ink.risk
	}
	p.heading(ink, s.title, s.text)
	for i, f := range list {
		if i > 0 {
			p.raw("")
		}
		var before *audit.Finding
		if i > 0 && list[i-1].Rule == f.Rule && list[i-1].Title == f.Title {
			before = list[i-1]
		}
		p.finding(f, before, ink)
	}
}

// shown reports whether a finding is printed in full.
func (p *textPrinter) shown(f *audit.Finding) bool {
	if f.Suppressed != nil {
		return false
	}
	return !p.opt.Quiet || p.opt.FailOn != 0 && f.Severity >= p.opt.FailOn
}

func (p *textPrinter) heading(ink *color.Color, title, text string) {
	p.raw("")
	p.para(0, cells(title)+2, ink, title+":", text)
}

// rivals warns of repairs that would undo each other.
func (p *textPrinter) rivals(r *audit.Report) {
	for _, g := range rivals(r, p.shown) {
		p.heading(p.ink.strong, "TAKE CARE", fmt.Sprintf("%s each replace %s. Publish one, then audit again: what is shown next builds on it.",
			strings.Join(g.rules, " and "), g.reason))
	}
}

func (p *textPrinter) unknown(r *audit.Report) {
	list := gaps(r)
	if len(list) == 0 {
		return
	}
	p.heading(p.ink.risk, "COULD NOT BE CHECKED", "this says nothing about the "+map[bool]string{false: "domain", true: "mail"}[r.Mail != nil]+", good or bad")
	for _, g := range list {
		p.para(2, 2, p.ink.dim, "", g.reason)
		p.para(4, 4+labelWidth, p.ink.dim, "for", strings.Join(g.rules, " "))
	}
}

func (p *textPrinter) suppressed(r *audit.Report, t tally) {
	if t.suppressed == 0 {
		return
	}
	var rules []string
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Suppressed != nil && !slices.Contains(rules, string(f.Rule)) {
			rules = append(rules, string(f.Rule))
		}
	}
	p.heading(p.ink.dim, "SUPPRESSED", plural(t.suppressed, "finding")+" accepted by the configuration ("+strings.Join(rules, " ")+")")
	if !p.opt.Verbose {
		return
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Suppressed == nil {
			continue
		}
		p.para(2, 4, p.ink.dim, "", string(f.Rule)+": "+message(f))
		reason := f.Suppressed.Reason
		if !f.Suppressed.Expires.IsZero() {
			reason += " (until " + f.Suppressed.Expires.UTC().Format(time.DateOnly) + ")"
		}
		p.para(4, 4+labelWidth, p.ink.dim, "because", reason)
	}
}

// passed lists the rules that found nothing, for who wants to know.
func (p *textPrinter) passed(r *audit.Report) {
	if !p.opt.Verbose {
		return
	}
	var ok []string
	var skipped []gap
	for i := range r.Rules {
		switch x := &r.Rules[i]; x.Outcome {
		case audit.Pass:
			ok = append(ok, string(x.ID))
		case audit.NotApplicable:
			skipped = into(skipped, x.Reason, string(x.ID))
		}
	}
	if len(ok) > 0 {
		p.heading(p.ink.good, "PASSED", strings.Join(ok, " "))
	}
	if len(skipped) > 0 {
		p.heading(p.ink.dim, "NOT APPLICABLE", "the rule says nothing of such a domain")
	}
	for _, g := range skipped {
		p.para(2, 2, p.ink.dim, "", g.reason)
		p.para(4, 4+labelWidth, p.ink.dim, "for", strings.Join(g.rules, " "))
	}
}

// end says how the run went and what to type next.
func (p *textPrinter) end() error {
	if p.opt.Quiet {
		return nil
	}
	p.Reset()
	total := 0
	for _, n := range p.levels {
		total += n
	}
	if total > 1 {
		var parts []string
		for _, x := range []struct {
			l    level
			word string
		}{{broken, "broken"}, {endangered, "at risk"}, {fine, "ok"}, {partly, "not fully checked"}, {unseen, "not checked at all"}} {
			if n := p.levels[x.l]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, x.word))
			}
		}
		text := fmt.Sprintf("%d %s: %s", total, map[bool]string{false: "domains", true: "mails"}[p.opt.Mails], strings.Join(parts, ", "))
		if n := p.gaps - p.levels[partly] - p.levels[unseen]; n > 0 {
			text += fmt.Sprintf("; of the broken and at risk, %d could not be fully checked", n)
		}
		p.para(0, 0, p.ink.strong, "", text)
	}
	if p.explain != "" {
		p.para(0, 6, p.ink.strong, "next:", "mailcheck explain "+p.explain)
	}
	if p.author != "" {
		p.para(0, 6, p.ink.strong, "next:", "mailcheck audit "+p.author+"   (what the domain in From publishes)")
	}
	if typable(p.retry) {
		p.para(0, 6, p.ink.strong, "next:", "mailcheck audit "+p.retry+" --resolver ADDRESS   (to ask another resolver)")
	}
	p.out.Write(p.Bytes())
	return nil
}

// typable reports whether a name can be given to a shell as it is.
func typable(name string) bool {
	if name == "" || name[0] == '-' {
		return false
	}
	n, err := resolve.ParseName(name)
	return err == nil && n.String() == name
}
