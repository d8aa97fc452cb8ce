package sqlite

import (
	"context"
	"errors"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// batch is a transaction, and what of it is not written yet.
type batch struct {
	s     *Store
	c     *conn
	dict  *dict
	sums  *sums
	next  int64 // the id of the next report
	ended bool
	err   error // what made it impossible to go on
}

var errEnded = errors.New("sqlite: the batch has ended")

// Begin starts a batch.
func (s *Store) Begin(ctx context.Context) (archive.Batch, error) {
	b, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	return b, nil
}

func (s *Store) begin(ctx context.Context) (*batch, error) {
	if err := s.write(ctx); err != nil {
		return nil, err
	}
	b := &batch{s: s, c: s.w, dict: s.dict, sums: newSums()}
	// Ids are not used again, so that the ledger never speaks of another report.
	r, err := b.c.one("SELECT ifnull(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'report'")
	if err != nil {
		return nil, s.written(err)
	}
	b.next = r.int(0)
	return b, nil
}

// open tells whether the batch can be used.
func (b *batch) open(ctx context.Context) error {
	switch {
	case b.ended:
		return errEnded
	case b.err != nil:
		return b.err
	case b.s.closed.Load():
		return archive.ErrClosed
	}
	return context.Cause(ctx)
}

// note remembers an error that ends the batch.
func (b *batch) note(err error) error {
	if b.err == nil && fatal(err) {
		b.err = err
	}
	return err
}

// Commit makes the batch last.
func (b *batch) Commit() error {
	if b.ended {
		return errEnded
	}
	err := b.err
	if err == nil {
		err = b.sums.flush(b.c)
	}
	if err == nil {
		err = b.mend()
	}
	b.ended = true
	return b.s.written(err)
}

// Rollback undoes the batch.
func (b *batch) Rollback() error {
	if b.ended {
		return nil
	}
	b.ended = true
	b.s.written(errEnded)
	return nil
}

// Known tells whether a document is in the archive.
func (b *batch) Known(ctx context.Context, sum archive.Sum) (id int64, known bool, err error) {
	if err := b.open(ctx); err != nil {
		return 0, false, err
	}
	r, err := b.c.one("SELECT report FROM document WHERE sum = ? ORDER BY report DESC LIMIT 1", sum)
	if err != nil || r == nil {
		return 0, false, b.note(err)
	}
	return r.int(0), true, b.note(r.err)
}

// Input adds a line to the ledger.
func (b *batch) Input(ctx context.Context, in archive.Input) error {
	return b.do(ctx, `INSERT INTO input (at, path, kind, outcome, reason, report, sum, mail_from, mail_id, records, messages)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, in.At, in.Path, string(in.Kind), string(in.Outcome), in.Reason, in.Report, in.Sum,
		in.From, in.MailID, in.Rows, in.Messages)
}

// Pack remembers a pack.
func (b *batch) Pack(ctx context.Context, name string) error {
	return b.do(ctx, "INSERT OR IGNORE INTO pack (name) VALUES (?)", name)
}

// SetCursor remembers a place in a mailbox.
func (b *batch) SetCursor(ctx context.Context, mailbox string, c archive.Cursor) error {
	return b.do(ctx, "INSERT INTO cursor VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET validity = excluded.validity, uid = excluded.uid",
		mailbox, int64(c.Validity), int64(c.UID))
}

func (b *batch) do(ctx context.Context, sql string, args ...any) error {
	if err := b.open(ctx); err != nil {
		return err
	}
	return b.note(b.c.run(sql, args...))
}
