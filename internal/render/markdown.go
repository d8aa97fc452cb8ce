package render

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/internal/safe"
)

// markdownPrinter writes GitHub flavoured Markdown for a pull request or an
// issue. Records stand in code blocks; all other foreign text is escaped so that
// it is neither markup nor a mention.
type markdownPrinter struct {
	out *bufio.Writer
	any bool
}

func newMarkdown(out *bufio.Writer, _ Options) printer { return &markdownPrinter{out: out} }

func (p *markdownPrinter) begin() error { return nil }

func (p *markdownPrinter) end() error { return nil }

func (p *markdownPrinter) printf(format string, args ...any) { fmt.Fprintf(p.out, format, args...) }

func (p *markdownPrinter) report(r *audit.Report) error {
	if p.any {
		p.printf("\n")
	}
	p.any = true
	t := count(r)
	p.printf("## %s: %s\n\n%s.\n", safe.Markdown(title(r)), t.level().words(r.Kind), t)
	if r.Mail != nil {
		p.mail(r.Mail)
	}
	if t.errors+t.warnings+t.notices > 0 {
		p.printf("\n| Severity | Rule | At | Finding |\n|---|---|---|---|\n")
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Suppressed == nil {
			p.printf("| %s | %s | %s | %s |\n", f.Severity, safe.Markdown(string(f.Rule)), safe.Markdown(f.Subject.String()), safe.Markdown(message(f)))
		}
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Suppressed == nil {
			p.finding(f)
		}
	}
	for _, g := range rivals(r, func(f *audit.Finding) bool { return f.Suppressed == nil }) {
		p.printf("\n**Take care:** %s each replace %s. Publish one, then audit again.\n",
			safe.Markdown(strings.Join(g.rules, " and ")), safe.Markdown(g.reason))
	}
	if list := gaps(r); len(list) > 0 {
		p.printf("\n### Could not be checked\n\n")
		for _, g := range list {
			p.printf("- %s: %s\n", safe.Markdown(strings.Join(g.rules, ", ")), safe.Markdown(g.reason))
		}
	}
	if t.suppressed > 0 {
		p.printf("\n### Suppressed\n\n")
		for i := range r.Findings {
			if f := &r.Findings[i]; f.Suppressed != nil {
				p.printf("- %s at %s: %s\n", safe.Markdown(string(f.Rule)), safe.Markdown(f.Subject.String()), safe.Markdown(f.Suppressed.Reason))
			}
		}
	}
	p.profiles(r)
	return nil
}

func (p *markdownPrinter) finding(f *audit.Finding) {
	p.printf("\n### %s: %s\n\n%s: %s\n", safe.Markdown(string(f.Rule)), safe.Markdown(f.Title), safe.Markdown(f.Subject.String()), safe.Markdown(message(f)))
	var seen []string
	for i := range f.Evidence {
		e := &f.Evidence[i]
		seen = append(seen, fmt.Sprintf("; %s %s: %s", e.Name, e.Type, answer(e)))
		seen = append(seen, e.Records...)
	}
	if len(seen) > 0 {
		p.printf("\nSeen:\n\n")
		p.code("", seen)
	}
	if refs := references(f, true); refs != "" {
		p.printf("\nSource: %s\n", safe.Markdown(refs))
	}
	if f.Fix == nil {
		return
	}
	if f.Fix.Text != "" {
		p.printf("\nWhat to do: %s\n", safe.Markdown(f.Fix.Text))
	}
	for i := range f.Fix.Changes {
		c := &f.Fix.Changes[i]
		e := editOf(c)
		var diff []string
		for _, d := range e.gone {
			diff = append(diff, "- "+d)
		}
		for _, d := range e.come {
			diff = append(diff, "+ "+d)
		}
		p.printf("\nChange of %s:\n\n", safe.Markdown(fmt.Sprintf("%s %s, TTL %d", c.Name, c.Type, c.TTL)))
		p.code("diff", diff)
		if len(e.come) > 0 {
			p.printf("\nRecords to publish (the whole set at this name):\n\n")
			p.code("", c.Zone())
		}
	}
}

// code writes a block with a fence longer than any run of backticks in it.
func (p *markdownPrinter) code(language string, lines []string) {
	text := strings.Join(lines, "\n")
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	p.printf("%s%s\n%s\n%s\n", fence, language, text, fence)
}

func (p *markdownPrinter) profiles(r *audit.Report) {
	if !judged(r) {
		return
	}
	p.printf("\n### Receivers\n\nWhat they publish as demands on senders, as far as %s tells.\n\n", source(r))
	p.printf("| Receiver | Met | Not met | Unknown | Not in %s |\n|---|---|---|---|---|\n", strings.TrimPrefix(strings.TrimPrefix(source(r), "the "), "this "))
	for i := range r.Profiles {
		q := &r.Profiles[i]
		n := verdicts(q)
		p.printf("| %s | %d | %d | %d | %d |\n", safe.Markdown(q.Title), n[audit.Met], n[audit.Unmet], n[audit.Undecided], n[audit.NotInDNS]+n[audit.NotInMail])
	}
	first := true
	for i := range r.Profiles {
		for j := range r.Profiles[i].Requirements {
			x := &r.Profiles[i].Requirements[j]
			if x.Verdict != audit.Unmet {
				continue
			}
			if first {
				p.printf("\n")
				first = false
			}
			p.printf("- Not met, %s: %s", safe.Markdown(r.Profiles[i].Title), safe.Markdown(x.Text))
			if x.Effect != "" {
				p.printf(" Effect: %s", safe.Markdown(x.Effect))
			}
			p.printf("\n")
		}
	}
}
