package render

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/internal/safe"
)

// Schema names the version of the JSON form. Within it keys and values of
// enumerations are added, never removed or given another meaning.
const Schema = "mailcheck.audit/1"

// MailSchema is the same for reports of mails.
const MailSchema = "mailcheck.audit-message/1"

// Options are the settings of a printer. The zero value prints everything,
// without colour, 80 columns wide.
type Options struct {
	Color   bool           // text: with SGR colours; the marks say the same without
	Width   int            // text: columns; 0: 80
	Quiet   bool           // text: only what makes the exit status another than 0: findings at or above FailOn, and causes of the unknown
	Verbose bool           // text: all evidence, passed rules and suppressions as well
	Version string         // of mailcheck, for SARIF
	FailOn  audit.Severity // severity from which a finding counts; 0: none counts
	Rules   []audit.Rule   // the table, for SARIF's descriptors

	// Mails says that the reports are of mails: they have a form of their own.
	Mails bool

	// DocsURL is the absolute URL under which the pages <ID>.md of the rules stand.
	// Empty: SARIF carries the rules' help, but no helpUri.
	DocsURL string
}

// Printer prints reports in the order in which they are given. It is for one
// goroutine; different printers are independent. After a failed write every
// call returns its error.
type Printer interface {
	Begin() error
	Report(audit.Report) error
	End() error
}

// ErrEnded is returned for a report after End.
var ErrEnded = errors.New("render: report after the end")

// printer is one format. It gets reports that are safe to show, and ignores
// write errors: the buffered writer remembers them.
type printer interface {
	begin() error
	report(*audit.Report) error
	end() error
}

// formats is the table of formats, in the order in which they are listed.
var formats = []struct {
	name string
	make func(*bufio.Writer, Options) printer
}{
	{"text", newText},
	{"json", newJSON},
	{"jsonl", newJSONL},
	{"sarif", newSARIF},
	{"junit", newJUnit},
	{"markdown", newMarkdown},
	{"csv", newCSV},
}

// Formats lists the names that [New] takes.
func Formats() []string {
	out := make([]string, 0, len(formats))
	for _, f := range formats {
		out = append(out, f.name)
	}
	return out
}

// New returns the printer of a format. The error for an unknown name is a
// *[FormatError].
func New(format string, w io.Writer, opt Options) (Printer, error) {
	for _, f := range formats {
		if f.name == format {
			buf := bufio.NewWriter(w)
			opt.Version = safe.Text(opt.Version)
			return &guard{p: f.make(buf, opt), out: buf}, nil
		}
	}
	return nil, &FormatError{Format: format, Known: Formats(), Suggestion: suggest(format)}
}

// guard keeps the calls of a printer in order, makes every report safe to show
// and hands on the first error for ever.
type guard struct {
	p            printer
	out          *bufio.Writer
	begun, ended bool
	err          error
}

func (g *guard) Begin() error {
	if g.err != nil || g.begun {
		return g.err
	}
	g.begun = true
	return g.done(g.p.begin())
}

func (g *guard) Report(r audit.Report) error {
	if g.ended {
		return ErrEnded
	}
	if err := g.Begin(); err != nil {
		return err
	}
	return g.done(g.p.report(clean(&r)))
}

func (g *guard) End() error {
	if err := g.Begin(); err != nil || g.ended {
		return err
	}
	g.ended = true
	return g.done(g.p.end())
}

// done flushes, so that a reader of a stream sees each report when it is ready.
func (g *guard) done(err error) error {
	if g.err = err; err != nil {
		return err
	}
	if err := g.out.Flush(); err != nil {
		g.err = fmt.Errorf("render: %w", err)
	}
	return g.err
}

// FormatError tells that there is no such format.
type FormatError struct {
	Format     string   // as asked for
	Known      []string // the formats there are
	Suggestion string   // the one probably meant; empty if that is not clear
}

// Error quotes the format, so it is safe to show.
func (e *FormatError) Error() string {
	const limit = 40
	f := e.Format
	if len(f) > limit {
		f = f[:limit] + "..."
	}
	s := fmt.Sprintf("render: unknown format %s: it is one of %s", safe.Quote(f), strings.Join(e.Known, ", "))
	if e.Suggestion != "" {
		s += "; did you mean " + e.Suggestion + "?"
	}
	return s
}

// otherNames are what other tools call the formats.
var otherNames = map[string]string{
	"txt": "text", "human": "text", "pretty": "text", "plain": "text", "table": "text",
	"ndjson": "jsonl", "jsonlines": "jsonl", "xml": "junit", "md": "markdown", "gfm": "markdown", "tsv": "csv",
}

func suggest(format string) string {
	f := strings.ToLower(strings.TrimSpace(format))
	if name, ok := otherNames[f]; ok {
		return name
	}
	best, at := 3, ""
	for _, name := range Formats() {
		// Nothing in common is no likeness, however short the words are.
		if d := distance(f, name); d < best && d < len(name)-1 {
			best, at = d, name
		}
	}
	return at
}

// distance is the Levenshtein distance; for words that are far too long to be
// a format it is just large.
func distance(a, b string) int {
	const longest = 16
	if len(a) > longest {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = slices.Min([]int{cost, row[j] + 1, diagonal + 1})
		}
	}
	return row[len(b)]
}
