package archive

import (
	"context"
	"errors"
	"iter"
	"net/netip"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/dmarc/failure"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

// Reasons why an engine cannot do what was asked. Each error of an engine that
// a caller can act upon matches one of them with errors.Is.
var (
	ErrLocked   = errors.New("archive: in use by another writer")
	ErrCorrupt  = errors.New("archive: damaged")                 // rebuild it from the raw reports
	ErrVersion  = errors.New("archive: made by another version") // rebuild it from the raw reports
	ErrReadOnly = errors.New("archive: cannot be written")
	ErrFull     = errors.New("archive: no space left")
	ErrClosed   = errors.New("archive: closed")
)

// Store is an engine. All methods may be called from several goroutines; there
// is one Batch at a time, and Begin waits for it or fails with ErrLocked.
type Store interface {
	Reader
	// Begin starts a batch.
	Begin(ctx context.Context) (Batch, error)
	// Prune removes the reports, of all kinds, whose last day (see Days) is
	// before the day of a time, and the lines of the ledger written before it.
	Prune(ctx context.Context, before time.Time) (Pruned, error)
	// PutNames remembers what reverse DNS said of addresses.
	PutNames(ctx context.Context, names []Name) error
	Close() error
}

// Batch is a set of changes that take effect together, with Commit, or not at
// all. It belongs to one goroutine. After an error of Aggregate, Failure or TLS
// the batch is as before the call and can go on, unless the error matches one
// of the errors of this package.
type Batch interface {
	// Known tells whether a document with this sum is in the archive or in the
	// batch already, also one that only doubled a report, and gives the report.
	Known(ctx context.Context, sum Sum) (id int64, known bool, err error)
	// Aggregate adds an aggregate report. It calls read once, which is to call
	// each for every record, as aggregate.Read does, and return its results; an
	// error of read undoes the report and is returned as it is.
	Aggregate(ctx context.Context, origin Origin, read func(each func(*aggregate.Record) error) (*aggregate.Report, error)) (Added, error)
	// Failure adds a failure report.
	Failure(ctx context.Context, origin Origin, r *failure.Report) (Added, error)
	// TLS adds a TLS report.
	TLS(ctx context.Context, origin Origin, r *tlsrpt.Report) (Added, error)
	// Input adds a line to the ledger.
	Input(ctx context.Context, in Input) error
	// Pack remembers that a pack of raw reports is in the archive.
	Pack(ctx context.Context, name string) error
	// SetCursor remembers how far a mailbox has been read.
	SetCursor(ctx context.Context, mailbox string, c Cursor) error
	Commit() error
	// Rollback undoes the batch; after Commit it does nothing.
	Rollback() error
}

// Reader answers questions. Sequences end with the first error.
type Reader interface {
	// Reports gives the heads of reports with a day in the filter, in the order
	// of begin, reporter, report id, domain and digest. Sources do not apply.
	Reports(ctx context.Context, f Filter) iter.Seq2[*Report, error]
	// Rows gives the records of aggregate reports with the share of their
	// messages that falls into the filter's days; those with none are left out.
	// The order is that of Reports, then the record's number. A Row is valid
	// until the next step.
	Rows(ctx context.Context, f Filter) iter.Seq2[*Row, error]
	// Flows gives the same messages, those that look the same counted together,
	// most messages first, then by domain and Look.AppendKey; it is what
	// questions about sources are asked of.
	Flows(ctx context.Context, f Filter) iter.Seq2[*Flow, error]
	// Totals gives sums from aggregate reports in the order of the key, one for
	// each group that any record is in; an empty report is in a group too,
	// except by source and by header-from.
	Totals(ctx context.Context, f Filter, by Group) ([]Total, error)
	// Selectors gives the signatures seen, by policy domain, domain and
	// selector. A message counts once for each, as a pass if one of several
	// equal signatures passed.
	Selectors(ctx context.Context, f Filter) ([]Selector, error)
	// Sessions gives the policies of TLS reports with their sums, in the order
	// of Reports. Domains choose by the domain of the policy or of the report.
	Sessions(ctx context.Context, f Filter) iter.Seq2[*Session, error]
	// Samples gives failure reports, without the mail they are about.
	Samples(ctx context.Context, f Filter) iter.Seq2[*Sample, error]
	// Inputs gives the ledger in the order it was written. Of the filter, Since
	// and Until apply, to the time an input was read.
	Inputs(ctx context.Context, f Filter) iter.Seq2[*Input, error]
	// Packs gives the packs of raw reports that are in the archive.
	Packs(ctx context.Context) ([]string, error)
	// Cursor tells how far a mailbox has been read; zero if never.
	Cursor(ctx context.Context, mailbox string) (Cursor, error)
	// Names gives what is remembered of addresses; those without are left out.
	Names(ctx context.Context, addrs []netip.Addr) ([]Name, error)
}

// Cursor is a place in a mailbox (RFC 9051, Section 2.3.1.1).
type Cursor struct {
	Validity uint32 // UIDVALIDITY; another one makes UID void
	UID      uint32 // the last that was read
}

// Name is what reverse DNS said of an address.
type Name struct {
	Addr  netip.Addr
	Names []string // forward-confirmed names; none is a fact too, if State says absent
	State string   // resolve.State as text: present, absent or unavailable
	At    time.Time
}

// Pruned tells what Prune removed.
type Pruned struct {
	Reports, Rows, Inputs int64
	// Sums are those of the documents that no report is left of, so that their
	// raw form can be removed as well.
	Sums []Sum
}
