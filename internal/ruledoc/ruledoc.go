// Package ruledoc writes the page of a rule and the list of rules, the same for
// the terminal and for docs/rules.
package ruledoc

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
)

// Page is the page of one rule, in Markdown that reads as plain text too.
func Page(r audit.Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %s\n\n", r.ID, r.Title)
	fmt.Fprintf(&b, "- Slug: `%s`\n", r.Slug)
	if len(r.Aliases) > 0 {
		fmt.Fprintf(&b, "- Former slugs: `%s`\n", strings.Join(r.Aliases, "`, `"))
	}
	fmt.Fprintf(&b, "- Severity: %s (%s)\n", r.Severity, effect(r.Severity))
	for _, ref := range r.Refs {
		fmt.Fprintf(&b, "- Decided by: %s\n", ref)
	}
	if r.Needs != 0 {
		fmt.Fprintf(&b, "- Needs to know: %s\n", r.Needs)
	}
	fmt.Fprintf(&b, "- Since: %s\n", r.Since)
	fmt.Fprintf(&b, "\n## What happens to mail\n\n%s\n", wrap(r.Doc.Impact))
	fmt.Fprintf(&b, "\n## What to do\n\n%s\n", wrap(r.Doc.Remedy))
	if r.Repair != nil {
		b.WriteString("\nThe finding carries the exact edit where the records leave no choice.\n")
	}
	what := "Records"
	if ofMail(r) {
		what = "Mails"
	}
	scenarios(&b, what+" that show it", r.Doc.Bad)
	scenarios(&b, what+" that do not", r.Doc.Good)
	return b.String()
}

func effect(s audit.Severity) string {
	switch s {
	case audit.Error:
		return "mail is refused, junked or can be forged now"
	case audit.Warning:
		return "mail is at risk"
	}
	return "hardening"
}

func scenarios(b *strings.Builder, title string, list []audit.Scenario) {
	for i, s := range list {
		if i == 0 {
			fmt.Fprintf(b, "\n## %s\n", title)
		}
		if s.Mail != "" {
			mailScenario(b, s)
			continue
		}
		domain := s.Domain
		if domain == "" {
			domain = "example.org"
		}
		fmt.Fprintf(b, "\nAudited: %s", domain)
		if len(s.Selectors) > 0 {
			fmt.Fprintf(b, ", selector %s", strings.Join(s.Selectors, ", "))
		}
		if len(s.Addresses) > 0 {
			fmt.Fprintf(b, ", sending from %s", strings.Join(s.Addresses, ", "))
		}
		b.WriteString("\n\n```zone\n")
		for line := range strings.Lines(strings.TrimSpace(s.Zone) + "\n") {
			b.WriteString(strings.TrimLeft(line, "\t"))
		}
		for _, f := range s.Faults {
			fmt.Fprintf(b, "; fault: %s\n", f)
		}
		for _, w := range []struct {
			what  string
			lines []string
		}{{"mail host", s.Hosts}, {"name server", s.Servers}, {"block list", s.Lists}, {"DNSSEC", s.Security}} {
			for _, l := range w.lines {
				what := w.what
				if text, ok := strings.CutPrefix(l, "parent "); ok {
					what, l = "zone above", text
				}
				fmt.Fprintf(b, "; %s: %s\n", what, l)
			}
		}
		for line := range strings.Lines(s.Policy) {
			fmt.Fprintf(b, "; policy host: %s\n", strings.TrimRight(line, "\r\n"))
		}
		b.WriteString("```\n")
	}
}

// ofMail reports whether a rule is about mails.
func ofMail(r audit.Rule) bool {
	return slices.ContainsFunc(r.Doc.Bad, func(s audit.Scenario) bool { return s.Mail != "" })
}

// maxShown is the number of lines of a mail that a page shows, and maxColumns the
// length to which they are cut.
const (
	maxShown   = 30
	maxColumns = 200
)

// mailScenario shows a mail, who signed it, and what became of it.
func mailScenario(b *strings.Builder, s audit.Scenario) {
	b.WriteString("\n```eml\n")
	n := 0
	for line := range strings.Lines(strings.TrimRight(s.Mail, "\n") + "\n") {
		if n++; n > maxShown {
			b.WriteString("...\n")
			break
		}
		line = visible(strings.TrimSuffix(line, "\n"))
		if len(line) > maxColumns {
			line = fmt.Sprintf("%s... (%d octets)", line[:maxColumns], len(line))
		}
		b.WriteString(line + "\n")
	}
	b.WriteString("```\n")
	for _, x := range s.Signers {
		domain, selector, _ := strings.Cut(x, " ")
		fmt.Fprintf(b, "\nSigned by %s with the selector %s, whose key is in the DNS.\n", domain, selector)
	}
	for i := 0; i+1 < len(s.Changes); i += 2 {
		if i == 0 {
			b.WriteString("\nThen, on its way:\n\n```diff\n")
		}
		diff(b, "- ", s.Changes[i])
		diff(b, "+ ", s.Changes[i+1])
		if i+3 >= len(s.Changes) {
			b.WriteString("```\n")
		}
	}
	b.WriteString("\nIn the DNS:\n\n```zone\n" + strings.TrimSpace(s.Zone) + "\n")
	for _, f := range s.Faults {
		fmt.Fprintf(b, "; fault: %s\n", f)
	}
	b.WriteString("```\n")
}

func diff(b *strings.Builder, mark, text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		b.WriteString(mark + visible(strings.TrimSuffix(line, "\n")) + "\n")
	}
}

// visible writes control characters of a mail as what they are.
func visible(line string) string {
	return strings.NewReplacer("\r", "<CR>", "\x00", "<NUL>").Replace(line)
}

// wrap breaks prose at 80 columns; paragraphs are separated by empty lines.
func wrap(text string) string {
	const width = 80
	var out []string
	for para := range strings.SplitSeq(text, "\n\n") {
		line := ""
		var lines []string
		for _, w := range strings.Fields(para) {
			if line != "" && len(line)+1+len(w) > width {
				lines = append(lines, line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += w
		}
		out = append(out, strings.Join(append(lines, line), "\n"))
	}
	return strings.Join(out, "\n\n")
}

// Index is the list of rules in Markdown, linked to their pages.
func Index(rules []audit.Rule) string {
	var b strings.Builder
	b.WriteString("# Rules\n\nGenerated from the rule table; `mailcheck rules` prints the same.\n")
	family := ""
	for _, r := range rules {
		if f := r.Family(); f != family {
			family = f
			fmt.Fprintf(&b, "\n## %s\n\n| Rule | Severity | Slug | What is wrong |\n| --- | --- | --- | --- |\n", family)
		}
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | `%s` | %s |\n", r.ID, r.ID, r.Severity, r.Slug, strings.ReplaceAll(r.Title, "|", "\\|"))
	}
	return b.String()
}

// List is the list of rules for a terminal.
func List(w io.Writer, rules []audit.Rule) error {
	slug := 0
	for _, r := range rules {
		slug = max(slug, len(r.Slug))
	}
	for _, r := range rules {
		if _, err := fmt.Fprintf(w, "%-8s  %-7s  %-*s  %s\n", r.ID, r.Severity, slug, r.Slug, r.Title); err != nil {
			return err
		}
	}
	return nil
}

// Doc is the rules for programs, schema mailcheck.rules/1.
type Doc struct {
	Schema string `json:"schema"`
	Rules  []Rule `json:"rules"`
}

// Rule is one rule for programs.
type Rule struct {
	ID       audit.ID       `json:"id"`
	Slug     string         `json:"slug"`
	Aliases  []string       `json:"aliases,omitempty"`
	Title    string         `json:"title"`
	Severity audit.Severity `json:"severity"`
	Family   string         `json:"family"`
	Needs    string         `json:"needs"`
	Refs     []audit.Ref    `json:"refs"`
	Since    string         `json:"since"`
	Impact   string         `json:"impact"`
	Remedy   string         `json:"remedy"`
	Fixable  bool           `json:"fixable"`
}

// JSON is the view of the rules that "mailcheck rules -o json" prints.
func JSON(rules []audit.Rule) Doc {
	d := Doc{Schema: "mailcheck.rules/1", Rules: []Rule{}}
	for _, r := range rules {
		d.Rules = append(d.Rules, Rule{ID: r.ID, Slug: r.Slug, Aliases: r.Aliases, Title: r.Title, Severity: r.Severity,
			Family: r.Family(), Needs: r.Needs.String(), Refs: r.Refs, Since: r.Since,
			Impact: r.Doc.Impact, Remedy: r.Doc.Remedy, Fixable: r.Repair != nil})
	}
	return d
}
