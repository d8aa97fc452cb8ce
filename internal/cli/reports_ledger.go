package cli

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/reports/archive"
)

type reportsLedgerOptions struct {
	storeFlags
	clock
	since, until string
	outcomes     []string
	format       string
}

var outcomeWords = []string{string(archive.New), string(archive.Duplicate), string(archive.Conflicting), string(archive.Rejected), string(archive.Skipped)}

func newReportsLedger(s Streams) *cobra.Command {
	o := &reportsLedgerOptions{}
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "List every input and what became of it",
		Long: `List every input and what became of it, in the order they were read: new; duplicate,
the archive had it; conflicting, the archive has one of its name with other content,
and keeps both; rejected, with the reason; skipped, beside the reports. So the sums
that the other commands give can be trusted. A file that is read again unchanged has
one line.

Exit status: 0 done, 2 there is no archive, 3 wrong usage, 4 the archive failed.`,
		Example: `  mailcheck reports ledger --since 7d
  mailcheck reports ledger --outcome rejected -o csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, s) },
	}
	o.storeFlags.add(cmd)
	o.clock.add(cmd)
	f := cmd.Flags()
	f.StringVar(&o.since, "since", "", "first `day`: 2026-11-01, 2026-11, or a time ago such as 7d, 4w, 3m, 1y")
	f.StringVar(&o.until, "until", "", "last `day`, written as for --since")
	f.StringSliceVar(&o.outcomes, "outcome", nil, "list only inputs of this `outcome`: "+strings.Join(outcomeWords, ", "))
	f.StringVarP(&o.format, "output", "o", "text", "output `format`: text, json, csv or markdown")
	return cmd
}

// dayAgo reads a day, a month's first day, or a number of days, weeks, months or
// years before now.
func dayAgo(text string, now time.Time) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, "2006-01"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	if text == "" {
		return time.Time{}, false
	}
	n, err := strconv.Atoi(text[:len(text)-1])
	if err != nil || n < 0 || n > 100_000 {
		return time.Time{}, false
	}
	today := now.UTC().Truncate(24 * time.Hour)
	switch text[len(text)-1] {
	case 'd':
		return today.AddDate(0, 0, -n), true
	case 'w':
		return today.AddDate(0, 0, -7*n), true
	case 'm':
		return today.AddDate(0, -n, 0), true
	case 'y':
		return today.AddDate(-n, 0, 0), true
	}
	return time.Time{}, false
}

// days reads --since and --until.
func (o *reportsLedgerOptions) days() (f archive.Filter, err error) {
	clock, err := o.now()
	if err != nil {
		return f, err
	}
	now := clock()
	var ok bool
	if o.since != "" {
		if f.Since, ok = dayAgo(o.since, now); !ok {
			return f, usage("for example --since 7d or --since 2026-11-01", "--since %q is no day", o.since)
		}
	}
	if o.until != "" {
		if f.Until, ok = dayAgo(o.until, now); !ok {
			return f, usage("for example --until 2026-11-30", "--until %q is no day", o.until)
		}
		if len(o.until) == len("2006-01") && strings.Contains(o.until, "-") {
			f.Until = f.Until.AddDate(0, 1, 0) // the whole month
		} else {
			f.Until = f.Until.AddDate(0, 0, 1)
		}
	}
	return f, nil
}

func (o *reportsLedgerOptions) run(cmd *cobra.Command, s Streams) error {
	if err := oneOf(cmd, "output", o.format, "text", "json", "csv", "markdown"); err != nil {
		return err
	}
	for _, w := range o.outcomes {
		if err := oneOf(cmd, "outcome", w, outcomeWords...); err != nil {
			return err
		}
	}
	filter, err := o.days()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	store, err := openStore(ctx, s, o.storeFlags, true)
	if err != nil {
		return err
	}
	defer store.Close()
	dir, err := o.path(s)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(s.Out, 64<<10)
	p := ledgerPrinters[o.format](out, s)
	for in, err := range store.Inputs(ctx, filter) {
		if err != nil {
			return storeError(dir, err)
		}
		if len(o.outcomes) > 0 && !slices.Contains(o.outcomes, string(in.Outcome)) {
			continue
		}
		if err := p.line(in); err != nil {
			return err
		}
	}
	if err := p.end(); err != nil {
		return err
	}
	return out.Flush()
}

// ledgerPrinter prints the ledger as it is read.
type ledgerPrinter struct {
	line func(*archive.Input) error
	end  func() error
}

var ledgerPrinters = map[string]func(io.Writer, Streams) ledgerPrinter{
	"text": ledgerText, "json": ledgerJSON, "csv": ledgerCSV, "markdown": ledgerMarkdown,
}

// inputView is a line of schema mailcheck.reports-ledger/1.
type inputView struct {
	At       string   `json:"at"`
	Source   string   `json:"source"`
	Kind     nullable `json:"kind"`
	Outcome  string   `json:"outcome"`
	Reason   nullable `json:"reason"`
	Report   int64    `json:"report"` // 0: none
	Sum      nullable `json:"sha256"`
	From     nullable `json:"from"`
	MailID   nullable `json:"message_id"`
	Rows     int64    `json:"rows"`
	Messages int64    `json:"messages"`
}

func viewInput(in *archive.Input) inputView {
	v := inputView{At: in.At.UTC().Format(time.RFC3339), Source: safe.Text(in.Path), Kind: nullable(in.Kind), Outcome: string(in.Outcome),
		Reason: nullable(in.Reason), Report: in.Report, From: nullable(in.From), MailID: nullable(in.MailID), Rows: in.Rows, Messages: in.Messages}
	if in.Sum != (archive.Sum{}) {
		v.Sum = nullable(in.Sum.String())
	}
	return v
}

// ledgerJSON prints one document, an input a line.
func ledgerJSON(w io.Writer, _ Streams) ledgerPrinter {
	j := &jsonReports{w: w}
	first := true
	if _, err := io.WriteString(w, `{"schema":"mailcheck.reports-ledger/1","inputs":[`); err != nil {
		return ledgerPrinter{func(*archive.Input) error { return err }, func() error { return err }}
	}
	return ledgerPrinter{func(in *archive.Input) error {
		sep := ",\n"
		if first {
			sep, first = "\n", false
		}
		if _, err := io.WriteString(w, sep); err != nil {
			return err
		}
		return j.value(viewInput(in))
	}, func() error {
		_, err := io.WriteString(w, "\n]}\n")
		return err
	}}
}

var ledgerColumns = []string{"at", "outcome", "kind", "source", "reason", "report", "rows", "messages", "from", "message_id", "sha256"}

func (v inputView) cells() []string {
	return []string{v.At, v.Outcome, string(v.Kind), v.Source, string(v.Reason), strconv.FormatInt(v.Report, 10), strconv.FormatInt(v.Rows, 10),
		strconv.FormatInt(v.Messages, 10), string(v.From), string(v.MailID), string(v.Sum)}
}

func ledgerCSV(w io.Writer, _ Streams) ledgerPrinter {
	c := csv.NewWriter(w)
	_ = c.Write(ledgerColumns) // an error stays in the writer
	return ledgerPrinter{func(in *archive.Input) error {
		cells := viewInput(in).cells()
		for i, x := range cells {
			cells[i] = safe.CSV(x)
		}
		return c.Write(cells)
	}, func() error {
		c.Flush()
		return c.Error()
	}}
}

func ledgerMarkdown(w io.Writer, _ Streams) ledgerPrinter {
	_, err := fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(ledgerColumns[:8], " | "), strings.Repeat(" --- |", 8))
	return ledgerPrinter{func(in *archive.Input) error {
		if err != nil {
			return err
		}
		cells := viewInput(in).cells()[:8]
		for i, x := range cells {
			cells[i] = safe.Markdown(x)
		}
		_, err := fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		return err
	}, func() error { return err }}
}

func ledgerText(w io.Writer, s Streams) ledgerPrinter {
	counts := map[archive.Outcome]int64{}
	var rows, messages int64
	return ledgerPrinter{func(in *archive.Input) error {
		counts[in.Outcome]++
		rows, messages = rows+in.Rows, messages+in.Messages
		p := newSheet(s)
		text := safe.Limit(in.Path, 300)
		if in.Reason != "" {
			text += ": " + safe.Limit(in.Reason, 300)
		}
		if in.Rows > 0 {
			text += fmt.Sprintf(" (%s, %s)", count(in.Rows, "row", "rows"), count(in.Messages, "message", "messages"))
		}
		p.hang("", in.At.UTC().Format("2006-01-02 15:04")+" "+string(in.Outcome), 29, text)
		return p.flush(w)
	}, func() error {
		p := newSheet(s)
		var parts []string
		for _, o := range outcomeWords {
			if n := counts[archive.Outcome(o)]; n > 0 {
				parts = append(parts, fmt.Sprintf("%s %s", grouped(uint64(n)), o))
			}
		}
		if len(parts) == 0 {
			p.para("The ledger has no such line.")
			return p.flush(w)
		}
		p.WriteByte('\n')
		p.para("%s; %s with %s added", strings.Join(parts, ", "), count(rows, "row", "rows"), count(messages, "message", "messages"))
		return p.flush(w)
	}}
}
