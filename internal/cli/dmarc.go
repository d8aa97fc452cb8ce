package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func newDMARC(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dmarc",
		Short: "Look up, judge, write and roll out DMARC records",
		Long: `Look up, judge, write and roll out DMARC records by RFC 9989, and show what
receivers that still follow RFC 7489 make of them.

Nothing is changed in DNS: new, set, stage and park print the records to publish.
Exit status: 0 clean, 1 findings, 2 something could not be known, 3 wrong usage.
A finding outweighs an unknown.`,
		Example: `  mailcheck dmarc check example.org
  mailcheck dmarc eval --from example.org --spf-domain example.org --spf-result pass
  mailcheck dmarc new example.org --policy none --rua dmarc@example.org
  mailcheck dmarc stage example.org
  mailcheck dmarc lint --record 'v=DMARC1; p=rejct'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDMARCCheck(s), newDMARCEval(s), newDMARCNew(s), newDMARCSet(s), newDMARCStage(s), newDMARCPark(s), newDMARCLint(s))
	return cmd
}

// nullable is a value, or null for the empty string. The text is safe to show.
type nullable string

// MarshalJSON writes the string or null.
func (n nullable) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	return json.Marshal(safe.Text(string(n)))
}

func nameOrNull(n resolve.Name) nullable {
	if n.IsZero() {
		return ""
	}
	return nullable(n.String())
}

// sheet sets labelled text for a terminal.
type sheet struct {
	strings.Builder
	width int
}

const sheetHang = 16 // column of the text behind a label

func newSheet(s Streams) *sheet { return &sheet{width: textWidth(s.Width)} }

// field writes a label and wrapped text behind it.
func (p *sheet) field(label, format string, args ...any) {
	p.hang("", label, sheetHang, fmt.Sprintf(format, args...))
}

// item writes a bullet and wrapped text behind it.
func (p *sheet) item(format string, args ...any) { p.hang("  ", "-", 4, fmt.Sprintf(format, args...)) }

// head begins a section.
func (p *sheet) head(text string) { p.WriteString("\n" + text + "\n") }

// para writes wrapped text from the margin.
func (p *sheet) para(format string, args ...any) { p.hang("", "", 0, fmt.Sprintf(format, args...)) }

// whole writes a line as it is: records are kept whole, to be copied.
func (p *sheet) whole(indent, line string) { p.WriteString(indent + safe.Text(line) + "\n") }

// hang writes text at a column, behind a label that stands at indent. Words are
// never cut: a name that is too long for the line has one for itself.
func (p *sheet) hang(indent, label string, column int, text string) {
	p.WriteString(indent + label)
	at := utf8.RuneCountInString(indent + label)
	if at >= column && at > 0 {
		p.WriteByte('\n')
		at = 0
	}
	first := true
	for word := range strings.FieldsSeq(safe.Text(text)) {
		n := utf8.RuneCountInString(word)
		switch {
		case first:
			p.WriteString(strings.Repeat(" ", max(0, column-at)))
			at = column
		case at+1+n > p.width:
			p.WriteString("\n" + strings.Repeat(" ", column))
			at = column
		default:
			p.WriteByte(' ')
			at++
		}
		p.WriteString(word)
		at, first = at+n, false
	}
	p.WriteByte('\n')
}

func (p *sheet) flush(w io.Writer) error {
	_, err := io.WriteString(w, p.String())
	return err
}

// errorWeight reports whether a problem changes what the record does, rather
// than what it looks like.
func errorWeight(r dmarc.Record, p dmarc.Problem) bool { return weight(r, p) == "error" }

// weight is the severity of a problem by its effect, in the words of an audit.
func weight(r dmarc.Record, p dmarc.Problem) string {
	policy := strings.EqualFold(p.Tag, "p") || p.Tag == "sp" || p.Tag == "np"
	switch p.Kind {
	case dmarc.VersionMissing, dmarc.VersionInvalid, dmarc.VersionCase, dmarc.VersionNotFirst, dmarc.LeadingText, dmarc.Quoted,
		dmarc.TooLong, dmarc.PolicyMissing, dmarc.PolicyInvalid, dmarc.DuplicateTag:
		return "error"
	case dmarc.EmptyValue, dmarc.TagCase:
		if policy {
			return "error"
		}
		return "warning"
	case dmarc.URIInvalid:
		if !anyValidURI(r, p.Tag) {
			return "error" // every report is lost
		}
		return "warning"
	case dmarc.RemovedTag:
		if p.Tag == "pct" && r.Percent < 100 {
			return "warning"
		}
		return "notice"
	case dmarc.UnknownTag:
		if p.Suggestion != "" {
			return "warning" // a misspelt tag: what it should say is not said
		}
		return "notice"
	case dmarc.URISize, dmarc.URIScheme, dmarc.PolicyNotSecond:
		return "notice"
	}
	return "warning"
}

func anyValidURI(r dmarc.Record, tag string) bool {
	list := r.RUA
	if tag == "ruf" {
		list = r.RUF
	}
	for _, u := range list {
		if u.Valid {
			return true
		}
	}
	return false
}
