package render

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fatih/color"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/internal/safe"
)

// PlanFormats are the formats of [Plan].
func PlanFormats() []string { return []string{"text", "json", "markdown"} }

// Plan prints a plan.
func Plan(w io.Writer, format string, p *fix.Plan, opt Options) error {
	switch format {
	case "json":
		text, err := p.Encode()
		if err != nil {
			return err
		}
		_, err = w.Write(safe.JSON(text))
		return err
	case "markdown":
		return planMarkdown(w, p)
	}
	x := &planText{plan: p, ink: newPalette(opt.Color)}
	if x.width = opt.Width; x.width == 0 {
		x.width = defaultWidth
	}
	x.width = max(x.width, minWidth)
	x.all()
	_, err := w.Write(x.Bytes())
	return err
}

// planText is a plan for a terminal.
type planText struct {
	page
	plan *fix.Plan
	ink  palette
}

func (x *planText) all() {
	p := x.plan
	x.para(0, 0, x.ink.dim, "", clip("Plan for "+p.Domain.String()+": "+p.Goal))
	later := slices.IndexFunc(p.Steps, func(s fix.Step) bool { return s.Gate != nil })
	if later < 0 {
		later = len(p.Steps)
	}
	if len(p.Steps) == 0 {
		x.para(0, 0, x.ink.dim, "", "Nothing to change.")
	}
	for i := range p.Steps {
		if i == later {
			x.raw("\n" + x.ink.strong.Sprint("Later, when its time has come"))
		}
		x.step(i+1, &p.Steps[i])
	}
	if len(p.Decisions) > 0 {
		x.raw("\n" + x.ink.strong.Sprint("For you to decide"))
		for _, d := range p.Decisions {
			x.raw("")
			x.para(2, 3+cells(d.Rule), x.severity(d.Severity), safe.Text(d.Rule), clip(d.Subject+": "+d.Message))
			x.label("why", d.Why)
			x.label("do", d.Text)
		}
	}
	for i, u := range p.Unknown {
		if i == 0 {
			x.raw("\n" + x.ink.strong.Sprint("Unknown, so that no step was planned for it"))
		}
		x.para(2, 4, x.ink.dim, "-", clip(u))
	}
	x.raw("")
	x.para(0, 0, x.ink.dim, "", fmt.Sprintf("Findings: %s now, %s after the steps above.", tallied(p.Before), tallied(p.After)))
}

func (x *planText) severity(word string) *color.Color {
	switch word {
	case "error":
		return x.ink.bad
	case "warning":
		return x.ink.risk
	}
	return x.ink.better
}

func (x *planText) step(n int, s *fix.Step) {
	x.raw("")
	head := fmt.Sprintf("%d.", n)
	x.para(0, 4, x.ink.strong, head, clip(s.Title+" ["+s.ID+"]"))
	for _, w := range s.Why {
		x.label("why", w)
	}
	if len(s.Findings) > 0 {
		x.label("repairs", strings.Join(s.Findings, ", "))
	}
	ink := x.ink.dim
	if s.Risk == fix.High {
		ink = x.ink.risk
	}
	x.para(4, 4+labelWidth, ink, "risk", clip(string(s.Risk)+": "+s.Breaks))
	if s.Confirm != "" {
		x.label("confirm", s.Confirm)
	}
	if len(s.Depends) > 0 {
		x.label("after", strings.Join(s.Depends, ", "))
	}
	if s.Gate != nil {
		x.label("not", "before "+s.Gate.NotBefore.Format(time.DateOnly)+", and when "+s.Gate.Condition+": "+s.Gate.Command)
	}
	if s.Change != nil {
		x.diff(s.Change)
	}
	for _, m := range s.Manual {
		x.label("do", m.Title)
		for _, l := range strings.Split(strings.TrimRight(m.Text, "\n"), "\n") {
			x.raw(strings.Repeat(" ", 4+labelWidth) + safe.Text(l))
		}
	}
	if s.Wait > 0 {
		x.label("wait", span(time.Duration(s.Wait))+" before what builds on it")
	}
	x.label("proof", s.Check.Expect)
}

// diff shows a change by what goes and what comes. Records are kept whole.
func (x *planText) diff(c *fix.Change) {
	x.raw("    " + safe.Text(fmt.Sprintf("%s %s, TTL %d", c.Name, c.Type, c.TTL)))
	e := editOf(c)
	for _, d := range e.gone {
		x.raw("    " + x.ink.bad.Sprint("- "+safe.Text(d)))
	}
	for _, d := range e.come {
		x.raw("    " + x.ink.good.Sprint("+ "+safe.Text(d)))
	}
	if e.stay > 0 {
		x.raw(fmt.Sprintf("      (%d more at this name stay as they are)", e.stay))
	}
}

func (x *planText) label(head, text string) {
	if text != "" {
		x.para(4, 4+labelWidth, x.ink.dim, head, clip(text))
	}
}

// maxProse bounds a foreign text in prose.
const maxProse = 2000

func clip(s string) string {
	if len(s) > maxProse {
		s = s[:maxProse] + "…"
	}
	return safe.Text(s)
}

func tallied(ds []fix.Defect) string {
	var n [3]int
	for _, d := range ds {
		n[max(0, slices.Index([]string{"notice", "warning", "error"}, d.Severity))]++
	}
	word := func(n int, one, many string) string {
		if n == 1 {
			return "1 " + one
		}
		return fmt.Sprintf("%d %s", n, many)
	}
	return word(n[2], "error", "errors") + ", " + word(n[1], "warning", "warnings") + ", " + word(n[0], "notice", "notices")
}

// span is a time span in words of a person.
func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= time.Hour && d%time.Hour == 0:
		if d == time.Hour {
			return "1 hour"
		}
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return d.String()
}

// planMarkdown prints a plan for a pull request.
func planMarkdown(w io.Writer, p *fix.Plan) error {
	m := &markdownPrinter{out: bufio.NewWriter(w)}
	m.printf("# %s\n\n%s\n\n", safe.Markdown("Plan for "+p.Domain.String()), safe.Markdown(p.Goal))
	m.printf("Findings: %s now, %s after.\n", tallied(p.Before), tallied(p.After))
	for i := range p.Steps {
		s := &p.Steps[i]
		m.printf("\n## %d. %s\n\n", i+1, safe.Markdown(s.Title))
		for _, y := range s.Why {
			m.printf("- Why: %s\n", safe.Markdown(y))
		}
		if len(s.Findings) > 0 {
			m.printf("- Repairs: %s\n", safe.Markdown(strings.Join(s.Findings, ", ")))
		}
		m.printf("- Risk: %s; %s\n", s.Risk, safe.Markdown(s.Breaks))
		for _, l := range [][2]string{{"Confirm", s.Confirm}, {"After", strings.Join(s.Depends, ", ")}, {"Proof", s.Check.Expect}} {
			if l[1] != "" {
				m.printf("- %s: %s\n", l[0], safe.Markdown(l[1]))
			}
		}
		if s.Gate != nil {
			m.printf("- Not before %s, and when %s: %s\n", s.Gate.NotBefore.Format(time.DateOnly), safe.Markdown(s.Gate.Condition), safe.Markdown(s.Gate.Command))
		}
		if s.Change != nil {
			m.printf("\n%s\n\n", safe.Markdown(fmt.Sprintf("%s %s, TTL %d", s.Change.Name, s.Change.Type, s.Change.TTL)))
			e := editOf(s.Change)
			m.code("diff", slices.Concat(prefixed("- ", e.gone), prefixed("+ ", e.come)))
		}
		for _, t := range s.Manual {
			m.printf("\n%s\n\n", safe.Markdown(t.Title))
			lines := strings.Split(strings.TrimRight(t.Text, "\n"), "\n")
			for i := range lines { // each on its own: a line feed is no foreign text here
				lines[i] = safe.Text(lines[i])
			}
			m.code("", lines)
		}
	}
	if len(p.Decisions) > 0 {
		m.printf("\n## For you to decide\n\n")
	}
	for _, d := range p.Decisions {
		m.printf("- %s %s: %s\n  %s. %s\n", safe.Markdown(d.Rule), safe.Markdown(d.Subject), safe.Markdown(d.Message), safe.Markdown(d.Why), safe.Markdown(d.Text))
	}
	if len(p.Unknown) > 0 {
		m.printf("\n## Unknown\n\n")
	}
	for _, u := range p.Unknown {
		m.printf("- %s\n", safe.Markdown(u))
	}
	return m.out.Flush()
}

func prefixed(mark string, list []string) []string {
	var out []string
	for _, l := range list {
		out = append(out, mark+safe.Text(l))
	}
	return out
}
