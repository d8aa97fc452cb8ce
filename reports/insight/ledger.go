package insight

import (
	"context"
	"fmt"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Ledger tells what became of every input, and whether the sums add up.
type Ledger struct {
	Inputs      int64 `json:"inputs"` // lines of the ledger
	New         int64 `json:"new"`
	Duplicate   int64 `json:"duplicate"`
	Conflicting int64 `json:"conflicting"`
	Rejected    int64 `json:"rejected"`
	Skipped     int64 `json:"skipped"`
	// Of the reports in the archive, of all kinds.
	Reports    int64 `json:"reports"`
	Counted    int64 `json:"reports_counted"`
	Incomplete int64 `json:"reports_incomplete"` // something of them is lost
	Forged     int64 `json:"reports_forged"`
	Alien      int64 `json:"reports_alien"`
	// Of the aggregate reports that count: as their heads have it, and as their
	// records add up.
	Messages    int64    `json:"messages"`
	RowMessages int64    `json:"messages_of_records"`
	Records     int64    `json:"records"`
	RowRecords  int64    `json:"records_counted"`
	Repairs     int64    `json:"repairs"` // liberties that the readers took
	Losses      int64    `json:"losses"`  // things that could not be read
	AddsUp      bool     `json:"adds_up"`
	Differences []string `json:"differences"`
}

// Ledger checks that the archive adds up: each report of the ledger is there, and
// the records have the messages that the reports say. After a Prune the ledger may
// know of reports that are gone; that is no difference.
func (q Query) Ledger(ctx context.Context) (*Ledger, error) {
	l := &Ledger{Differences: []string{}}
	for in, err := range q.Archive.Inputs(ctx, archive.Filter{}) {
		if err != nil {
			return nil, err
		}
		l.Inputs++
		switch in.Outcome {
		case archive.New:
			l.New++
		case archive.Duplicate:
			l.Duplicate++
		case archive.Conflicting:
			l.Conflicting++
		case archive.Rejected:
			l.Rejected++
		case archive.Skipped:
			l.Skipped++
		default:
			l.differ("a line of the ledger has the outcome %.20q", in.Outcome)
		}
	}
	for r, err := range q.Archive.Reports(ctx, archive.Filter{Uncounted: true}) {
		if err != nil {
			return nil, err
		}
		l.report(r)
	}
	t, err := total(ctx, q.Archive, archive.Filter{})
	if err != nil {
		return nil, err
	}
	l.RowMessages, l.RowRecords = t.Messages, t.Rows
	if l.Messages != l.RowMessages {
		l.differ("the reports have %d messages, their records %d", l.Messages, l.RowMessages)
	}
	if l.Records != l.RowRecords {
		l.differ("the reports have %d records, the sums %d", l.Records, l.RowRecords)
	}
	if n := l.New + l.Conflicting; l.Reports > n {
		l.differ("the archive has %d reports, and the ledger knows of %d", l.Reports, n)
	}
	l.AddsUp = len(l.Differences) == 0
	return l, nil
}

func (l *Ledger) report(r *archive.Report) {
	l.Reports++
	for _, d := range r.Diagnostics {
		switch d.Severity {
		case "repair":
			l.Repairs += max(d.Count, 1)
		case "loss":
			l.Losses += max(d.Count, 1)
		}
	}
	if !r.Complete {
		l.Incomplete++
	}
	if r.Origin.Proof == archive.Forged {
		l.Forged++
	}
	if r.Origin.Alien {
		l.Alien++
	}
	if !r.Counted {
		return
	}
	l.Counted++
	if r.Kind == archive.Aggregate {
		l.Messages += r.Messages
		l.Records += r.Rows
	}
}

func (l *Ledger) differ(format string, args ...any) {
	if len(l.Differences) < maxDifferences {
		l.Differences = append(l.Differences, fmt.Sprintf(format, args...))
	}
}

const maxDifferences = 20
