package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/dmarc/failure"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

// Numbers for archive.Kind.
const (
	kindAggregate = 1 + iota
	kindFailure
	kindTLS
)

var kinds = []archive.Kind{kindAggregate: archive.Aggregate, kindFailure: archive.Failure, kindTLS: archive.TLS}

// maxHeld is the number of records that are held in memory until it is known
// whether their report is new. Nine of ten reports have fewer; the records of a
// larger one are written at once, and undone if need be.
const maxHeld = 512

// intake takes in the records of one report.
type intake struct {
	b       *batch
	ctx     context.Context
	id      int64 // of the report, should it be new
	digest  *archive.Digest
	held    []held
	last    int64
	sources []byte
	spilled bool
	err     error // of the archive, not of the report
}

type held struct {
	n, count int64
	source   []byte
	look     archive.Look
	info     *lookInfo // of look, once it is known
}

// Aggregate adds an aggregate report.
func (b *batch) Aggregate(ctx context.Context, o archive.Origin, read func(func(*aggregate.Record) error) (*aggregate.Report, error)) (archive.Added, error) {
	if err := b.open(ctx); err != nil {
		return archive.Added{}, err
	}
	in := &intake{b: b, ctx: ctx, digest: archive.NewDigest(), id: b.next}
	r, err := read(in.record)
	if in.err != nil {
		err = in.err
	}
	if err != nil {
		b.note(err) // before undo, which fails if SQLite has undone all of it
		in.undo()
		return archive.Added{}, err
	}
	head := archive.AggregateHead(r, o)
	head.Digest = in.digest.Sum(&head, nil)
	added, err := b.admit(&head)
	if err == nil {
		if added.Outcome == archive.Duplicate {
			in.undo()
		} else {
			err = in.finish(&head)
			added.Rows = head.Rows
		}
	}
	if err == nil {
		err = b.document(o.Sum, added.ID)
	}
	if err != nil {
		b.err = cmp.Or(b.err, err) // half a report may be written
		return archive.Added{}, err
	}
	return added, nil
}

func (in *intake) record(r *aggregate.Record) error {
	if in.err != nil {
		return in.err
	}
	if in.err = context.Cause(in.ctx); in.err != nil {
		return in.err
	}
	look := archive.LookOf(r)
	in.digest.Row(archive.CountOf(r), &look)
	in.last = max(in.last+1, r.Number)
	from := len(in.sources)
	in.sources = appendSource(in.sources, look.Source)
	in.held = append(in.held, held{in.last, archive.CountOf(r), in.sources[from:], look, nil})
	if len(in.held) >= maxHeld {
		in.err = in.spill()
	}
	return in.err
}

// spill writes the records that are held.
func (in *intake) spill() error {
	c := in.b.c
	if !in.spilled {
		if err := c.run("SAVEPOINT report"); err != nil {
			return err
		}
		in.spilled = true
	}
	for i := range in.held {
		h := &in.held[i]
		info, err := in.b.dict.look(&h.look)
		if err != nil {
			return err
		}
		if err := c.run(insertFact, in.id, h.n, h.source, info.id, h.count); err != nil {
			return err
		}
	}
	clear(in.held)
	in.held, in.sources = in.held[:0], in.sources[:0]
	return nil
}

const insertFact = "INSERT INTO fact VALUES (?, ?, ?, ?, ?)"

func (in *intake) undo() {
	if !in.spilled {
		return
	}
	in.spilled = false
	for _, sql := range []string{"ROLLBACK TO report", "RELEASE report"} {
		if err := in.b.c.run(sql); err != nil && in.b.err == nil {
			in.b.err = err
		}
	}
	in.b.dict.forget()
}

// finish writes what is not written yet of a report that is new.
func (in *intake) finish(head *archive.Report) error {
	b := in.b
	p, err := b.head(head)
	if err != nil {
		return err
	}
	if in.spilled {
		if err := in.spill(); err != nil {
			return err
		}
		if err := b.c.run("RELEASE report"); err != nil {
			return err
		}
		if head.Counted {
			return b.recount(p)
		}
		return nil
	}
	if head.Counted {
		b.sums.report(p)
	}
	for i := range in.held {
		h := &in.held[i]
		info, err := b.dict.look(&h.look)
		if err != nil {
			return err
		}
		h.info = info
		if err := b.c.run(insertFact, p.id, h.n, h.source, info.id, h.count); err != nil {
			return err
		}
	}
	if !head.Counted {
		return nil
	}
	slices.SortFunc(in.held, func(a, b held) int { return bytes.Compare(a.source, b.source) })
	var before seen
	for i := range in.held {
		h := &in.held[i]
		b.sums.record(p, h.source, h.info, h.count, before.again(h.source))
	}
	if b.sums.full() {
		return b.sums.flush(b.c)
	}
	return nil
}

// Failure adds a failure report.
func (b *batch) Failure(ctx context.Context, o archive.Origin, r *failure.Report) (archive.Added, error) {
	if err := b.open(ctx); err != nil {
		return archive.Added{}, err
	}
	head, v := archive.FailureHead(r, o)
	head.Digest = archive.NewDigest().Sum(&head, v)
	return b.small(&head, func(id int64) error {
		return b.c.run("INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", id, appendSource(nil, v.Source), v.Arrived, v.MailFrom,
			v.HeaderFrom, list(v.AuthFailure), list(v.Alignment), v.Delivery, v.DKIMDomain, v.DKIMSelector, v.Incidents)
	})
}

// TLS adds a TLS report.
func (b *batch) TLS(ctx context.Context, o archive.Origin, r *tlsrpt.Report) (archive.Added, error) {
	if err := b.open(ctx); err != nil {
		return archive.Added{}, err
	}
	head, sessions := archive.TLSHead(r, o)
	head.Digest = archive.NewDigest().Sum(&head, sessions)
	return b.small(&head, func(id int64) error {
		for i, v := range sessions {
			if err := b.c.run("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", id, i, v.Type, v.Domain, list(v.MXHosts),
				list(v.Strings), v.Successful, v.Failed, list(v.Failures)); err != nil {
				return err
			}
		}
		return nil
	})
}

// small adds a report that is in memory.
func (b *batch) small(head *archive.Report, body func(id int64) error) (archive.Added, error) {
	added, err := b.admit(head)
	if err == nil && added.Outcome != archive.Duplicate {
		if _, err = b.head(head); err == nil {
			err = body(head.ID)
		}
	}
	if err == nil {
		err = b.document(head.Origin.Sum, added.ID)
	}
	if err != nil {
		b.err = cmp.Or(b.err, err)
		return archive.Added{}, err
	}
	return added, nil
}

// admit decides what becomes of a report, and makes room for it.
func (b *batch) admit(head *archive.Report) (archive.Added, error) {
	added := archive.Added{ID: b.next, Outcome: archive.New, Counted: true, Messages: head.Messages}
	var uncount int64
	err := b.c.each(context.Background(), "SELECT id, digest, counted, complete, records, messages FROM report WHERE key = ?", []any{hashKey(head)},
		func(r *record) error {
			other := archive.Report{ID: r.int(0), Digest: r.sum(1), Counted: r.flag(2), Complete: r.flag(3), Rows: r.int(4), Messages: r.int(5)}
			switch {
			case other.Digest == head.Digest:
				added = archive.Added{ID: other.ID, Outcome: archive.Duplicate, Counted: other.Counted, Messages: head.Messages}
				uncount = 0
				return errStop
			case other.Counted && archive.Better(&other, head):
				added.Counted = false
			case other.Counted:
				uncount = other.ID
			}
			added.Outcome = archive.Conflicting
			return r.err
		})
	if err != nil && err != errStop {
		return added, err
	}
	head.ID, head.Counted = added.ID, added.Counted
	if uncount != 0 {
		return added, b.uncount(uncount)
	}
	return added, nil
}

// uncount takes a report out of the sums.
func (b *batch) uncount(id int64) error {
	if err := b.c.run("UPDATE report SET counted = 0 WHERE id = ?", id); err != nil {
		return err
	}
	parts, err := b.c.parts(-1, "r.id = ? AND r.kind = ?", id, kindAggregate)
	if err != nil || len(parts) == 0 {
		return err
	}
	return b.recount(parts[0])
}

func hashKey(head *archive.Report) []byte {
	sum := sha256.Sum256(keyOctets(head.Key()))
	return sum[:16]
}

// head writes the head of a report.
func (b *batch) head(h *archive.Report) (*part, error) {
	p := &part{id: b.next, class: classOf(h.Origin), begin: h.Begin, end: h.End, sign: 1}
	p.first, p.last = archive.Days(h.Begin, h.End)
	var err error
	if p.domain, err = b.dict.name(h.Domain); err != nil {
		return nil, err
	}
	if p.reporter, err = b.dict.name(h.Reporter); err != nil {
		return nil, err
	}
	if p.p, err = b.dict.name(h.Policy.P); err != nil {
		return nil, err
	}
	policy, err := b.dict.policy(h.Policy)
	if err != nil {
		return nil, err
	}
	o := &h.Origin
	err = b.c.run(insertReport, p.id, slices.Index(kinds, h.Kind), hashKey(h), h.Digest, h.Counted, h.Complete, p.domain, p.reporter,
		p.begin, p.end, p.first, p.last, int(p.class), h.Rows, h.Messages, policy, h.ReportID, h.Org, h.Email, h.Format,
		o.Sum, o.Path, o.From, string(o.Proof), o.At, o.Extra, list(h.Diagnostics))
	b.next++
	return p, err
}

const insertReport = "INSERT INTO report VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

// document remembers what a report was read from.
func (b *batch) document(sum archive.Sum, id int64) error {
	if sum == (archive.Sum{}) {
		return nil
	}
	return b.c.run("INSERT OR IGNORE INTO document VALUES (?, ?)", sum, id)
}

// list is a list as it is kept: JSON, or NULL if there is none.
func list[T any](v []T) any {
	if v == nil {
		return nil
	}
	j, err := json.Marshal(v)
	if err != nil { // strings and numbers can be written
		panic("sqlite: " + err.Error())
	}
	return string(j)
}
