package digest

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/reports/insight"
)

const textWidth = 78

// Text writes the page as text of at most 78 columns, fit for a mail.
func (d *Digest) Text(w io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s", d.Title)
	line("%s to %s", d.Window.First, d.Window.Last)
	line("")
	wrap(&b, "", d.Verdict)
	list := func(title string, items []string) {
		if len(items) > 0 {
			line("\n%s", title)
			for _, x := range items {
				wrap(&b, "- ", x)
			}
		}
	}
	list("What changed", d.News)
	list("What to do", d.Todo)
	if d.Total.Messages > 0 {
		d.textNumbers(line)
	}
	list("Next stage of the policy", d.stages())
	list("Notes", d.Notes)
	_, err := io.WriteString(w, b.String())
	return err
}

func (d *Digest) textNumbers(line func(string, ...any)) {
	t := d.Total
	line("\nNumbers")
	line("  %-12s %12s", "messages", number(t.Messages))
	line("  %-12s %12s  %s", "pass", number(t.Passed), rate(t.Share))
	line("  %-12s %12s", "put aside", number(t.Quarantine))
	line("  %-12s %12s", "refused", number(t.Reject))
	line("\nSources")
	for _, s := range d.Sources {
		name := safe.Text(s.Name)
		if len(d.Domains) > 1 {
			name += " for " + safe.Text(s.Domain)
		}
		line("  %s %12s  %7s  %s", pad(name, 38), number(s.Messages), rate(s.Share), className(s.Class))
	}
	if d.More > 0 {
		line("  and %d more", d.More)
	}
	chart := func(title string, list []insight.Period) {
		if len(list) < 2 {
			return
		}
		line("\n%s", title)
		most := int64(1)
		for _, x := range list {
			most = max(most, x.Messages)
		}
		for _, x := range list {
			n := int(x.Messages * 30 / most)
			line("%s", strings.TrimRight(fmt.Sprintf("  %s %12s  %7s  %s", x.First, number(x.Messages), rate(x.Share), strings.Repeat("#", n)), " "))
		}
	}
	chart("By day", d.Days)
	chart("By "+string(d.Unit), d.Trend)
	if d.TLS != nil {
		line("\nTLS of incoming mail: %s of %s sessions (%s)", number(d.TLS.Successful), number(d.TLS.Successful+d.TLS.Failed), rate(d.TLS.Share))
	}
}

// stages says for each domain what readiness does.
func (d *Digest) stages() []string {
	var out []string
	words := map[insight.Answer]string{insight.Safe: "is safe", insight.NotSafe: "is not safe", insight.NotKnown: "is not known to be safe"}
	for _, r := range d.Readiness {
		step := "going on to " + r.Next
		switch {
		case r.Next == "" && r.Stage == "":
			step = "the next stage"
		case r.Next == "":
			step = "staying at " + r.Stage
		}
		text := fmt.Sprintf("%s: %s %s.", r.Domain, step, words[r.Answer])
		for _, x := range r.Reasons {
			if x.Answer == r.Answer && r.Answer != insight.Safe {
				text += " " + sentence(x.Text)
				break
			}
		}
		out = append(out, safe.Text(text))
	}
	if len(out) > maxNews {
		out = append(out[:maxNews], fmt.Sprintf("and %d more domains", len(out)-maxNews))
	}
	return out
}

func className(c insight.Class) string { return strings.ReplaceAll(string(c), "-", " ") }

func pad(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s + strings.Repeat(" ", n-utf8.RuneCountInString(s))
}

// wrap writes a paragraph, its lines below the first letter.
func wrap(b *strings.Builder, label, text string) {
	b.WriteString(label)
	at := len(label)
	first := true
	for w := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(w)
		switch {
		case first:
		case at+1+n > textWidth:
			b.WriteString("\n" + strings.Repeat(" ", len(label)))
			at = len(label)
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(w)
		at, first = at+n, false
	}
	b.WriteByte('\n')
}
