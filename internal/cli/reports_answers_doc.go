package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/reports/insight"
)

// answer is what a command prints in each format.
type answer struct {
	json  any
	title string
	// table is the main table: all of a CSV, and the first of Markdown.
	table table
	more  []table
	notes []string
	text  func(p *sheet)
	// empty says why there is nothing to show; nil if there is.
	empty error
	code  int
}

// table has cells that are text, which may be foreign, or numbers of our own.
type table struct {
	title string
	head  []string
	rows  [][]any
}

func (t *table) row(cells ...any) { t.rows = append(t.rows, cells) }

// print writes an answer in the format asked for.
func (o *answerOptions) print(s Streams, a answer) error {
	if a.empty != nil && o.format != "json" {
		return a.empty
	}
	out, err := openOutput(s.Out, o.outputFile)
	if err != nil {
		return err
	}
	defer out.abandon()
	switch o.format {
	case "json":
		err = printJSON(out, a.json)
	case "csv":
		err = a.table.csv(out)
	case "markdown":
		err = a.markdown(out)
	default:
		p := newSheet(s)
		if o.outputFile != "" {
			p.width = textWidth(0)
		}
		a.text(p)
		err = p.flush(out)
	}
	if err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	if a.empty != nil {
		return a.empty
	}
	return exit(a.code)
}

// csv writes the table. Foreign text cannot become a formula.
func (t *table) csv(w io.Writer) error {
	c := csv.NewWriter(w)
	c.UseCRLF = false
	if err := c.Write(t.head); err != nil {
		return err
	}
	for _, row := range t.rows {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = cell(v)
			if _, foreign := v.(string); foreign {
				cells[i] = safe.CSV(cells[i])
			}
		}
		if err := c.Write(cells); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

func (a *answer) markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", safe.Markdown(a.title))
	for _, t := range append([]table{a.table}, a.more...) {
		t.markdown(&b)
	}
	for i, n := range a.notes {
		if i == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "- %s\n", safe.Markdown(n))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *table) markdown(b *strings.Builder) {
	if len(t.rows) == 0 {
		return
	}
	if t.title != "" {
		fmt.Fprintf(b, "\n## %s\n", safe.Markdown(t.title))
	}
	b.WriteString("\n|")
	for _, h := range t.head {
		b.WriteString(" " + safe.Markdown(strings.ReplaceAll(h, "_", " ")) + " |")
	}
	b.WriteString("\n|")
	for i := range t.head {
		if _, isText := t.rows[0][i].(fmt.Stringer); isText || isString(t.rows[0][i]) {
			b.WriteString(" --- |")
		} else {
			b.WriteString(" ---: |")
		}
	}
	for _, row := range t.rows {
		b.WriteString("\n|")
		for _, v := range row {
			b.WriteString(" " + markdownCell(v) + " |")
		}
	}
	b.WriteByte('\n')
}

// markdownCell writes a value for people.
func markdownCell(v any) string {
	switch x := v.(type) {
	case string:
		return safe.Markdown(x)
	case *float64:
		return strings.ReplaceAll(rate(x), "<", "&lt;")
	}
	return cell(v)
}

func isString(v any) bool { _, ok := v.(string); return ok }

// cell writes a value. A share is a number with four places, empty if unknown.
func cell(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case *float64:
		if x == nil {
			return ""
		}
		return strconv.FormatFloat(*x, 'f', 4, 64)
	case bool:
		if x {
			return "yes"
		}
		return "no"
	}
	return fmt.Sprint(v)
}

// grid writes rows under a head, in columns as wide as they need; a column of text
// that does not fit is cut. Numbers are on the right.
func (p *sheet) grid(head []string, rows [][]string, numeric ...int) {
	if len(rows) == 0 {
		return
	}
	right := map[int]bool{}
	for _, i := range numeric {
		right[i] = true
	}
	widths := make([]int, len(head))
	measure := func(row []string) {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	measure(head)
	for _, r := range rows {
		for i := range r {
			r[i] = safe.Text(r[i])
		}
		measure(r)
	}
	total := 2 * (len(widths) - 1)
	widest := -1
	for i, w := range widths {
		total += w
		if !right[i] && (widest < 0 || w > widths[widest]) {
			widest = i
		}
	}
	if over := total - p.width; over > 0 && widest >= 0 {
		widths[widest] = max(8, widths[widest]-over)
	}
	for _, row := range append([][]string{head}, rows...) {
		var b strings.Builder
		for i, c := range row {
			if utf8.RuneCountInString(c) > widths[i] {
				c = string([]rune(c)[:widths[i]-1]) + "…"
			}
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if right[i] {
				c = pad + c
			} else {
				c += pad
			}
			if i > 0 {
				b.WriteString("  ")
			}
			b.WriteString(c)
		}
		p.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	}
}

// counted writes a number for people.
func counted(n int64) string { return grouped(uint64(max(n, 0))) }

// rate writes a share for people, so that what is less than all never reads 100 %.
func rate(f *float64) string {
	switch {
	case f == nil:
		return "-"
	case *f > 0 && *f < 0.001:
		return "<0.1%"
	case *f < 1 && *f >= 0.9995:
		return ">99.9%"
	}
	return fmt.Sprintf("%.1f%%", *f*100)
}

func messages(n int64) string {
	if n == 1 {
		return "1 message"
	}
	return counted(n) + " messages"
}

func ratio(part, whole int64) *float64 {
	if whole <= 0 {
		return nil
	}
	f := float64(part) / float64(whole)
	return &f
}

// points writes a change of a share.
func points(f *float64) string {
	if f == nil {
		return "-"
	}
	return fmt.Sprintf("%+.1f", *f*100)
}

func windowWords(w insight.Window) string {
	if w.Days() == 0 {
		return "no days"
	}
	if w.Days() == 1 {
		return w.First.String()
	}
	return fmt.Sprintf("%s to %s", w.First, w.Last)
}

// leftWords tells what an answer does not count.
func leftWords(l insight.LeftOut) []string {
	var out []string
	if n := l.Forged; n.Reports > 0 {
		out = append(out, fmt.Sprintf("left out: %s, with %s, whose mail is forged (--all-reports counts them)", plural(int(n.Reports), "report", "reports"), messages(n.Messages)))
	}
	if n := l.Alien; n.Reports > 0 {
		out = append(out, fmt.Sprintf("left out: %s, with %s, about domains that are not ours (--all-reports counts them)", plural(int(n.Reports), "report", "reports"), messages(n.Messages)))
	}
	return out
}

// notes writes what belongs to an answer and is in no table.
func (p *sheet) notes(list []string) {
	if len(list) > 0 {
		p.WriteByte('\n')
	}
	for _, n := range list {
		p.para("%s", n)
	}
}

// nothing is the error of an answer about no messages.
func (o *answerOptions) nothing(cmd *cobra.Command, what string) error {
	hint := "fill the archive with 'mailcheck reports import', or ask files with --from"
	if o.since+o.until != "" || len(o.domains) > 0 {
		hint = "'mailcheck reports summary' without --domain, --since and --until tells what there is"
	} else if len(o.from) > 0 {
		hint = "'mailcheck reports parse' tells what is in the files"
	}
	of := ""
	if len(o.domains) > 0 {
		of = " of " + strings.Join(o.domains, ", ")
	}
	if o.since+o.until != "" {
		of += " in these days"
	}
	return &Error{Code: ExitIncomplete, Err: errors.New("there is no " + what + of), Hint: hint}
}

func classWord(c insight.Class) string { return strings.ReplaceAll(string(c), "-", " ") }
