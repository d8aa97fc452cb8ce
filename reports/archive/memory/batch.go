package memory

import (
	"context"
	"errors"
	"slices"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/dmarc/failure"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

type batch struct {
	store *Store
	st    *state
	done  func() // gives the right to write back; nil when the batch has ended
}

var errEnded = errors.New("memory: the batch has ended")

// Begin starts a batch.
func (s *Store) Begin(ctx context.Context) (archive.Batch, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	st, err := s.now()
	if err != nil {
		unlock()
		return nil, err
	}
	return &batch{store: s, st: st.clone(), done: unlock}, nil
}

func (b *batch) open(ctx context.Context) error {
	if b.done == nil {
		return errEnded
	}
	return context.Cause(ctx)
}

func (b *batch) Commit() error {
	if b.done == nil {
		return errEnded
	}
	defer b.Rollback()
	return b.store.put(b.st)
}

func (b *batch) Rollback() error {
	if b.done != nil {
		b.done()
		b.done = nil
	}
	return nil
}

func (b *batch) Known(ctx context.Context, sum archive.Sum) (int64, bool, error) {
	if err := b.open(ctx); err != nil {
		return 0, false, err
	}
	id, ok := b.st.sums[sum]
	return id, ok, nil
}

func (b *batch) Aggregate(ctx context.Context, o archive.Origin, read func(func(*aggregate.Record) error) (*aggregate.Report, error)) (archive.Added, error) {
	if err := b.open(ctx); err != nil {
		return archive.Added{}, err
	}
	e, digest := &entry{}, archive.NewDigest()
	looks := map[string]*archive.Look{} // records of a report often look alike
	var key []byte
	var messages int64
	r, err := read(func(rec *aggregate.Record) error {
		l := archive.LookOf(rec)
		count := archive.CountOf(rec)
		messages += count
		digest.Row(count, &l)
		key = l.AppendKey(key[:0])
		same := looks[string(key)]
		if same == nil {
			same = &l
			looks[string(key)] = same
		}
		e.rows = append(e.rows, row{rec.Number, count, same})
		return context.Cause(ctx)
	})
	if err != nil {
		return archive.Added{}, err
	}
	e.head = archive.AggregateHead(r, o)
	e.head.Messages = messages
	e.head.Digest = digest.Sum(&e.head, nil)
	return b.add(e), nil
}

func (b *batch) Failure(ctx context.Context, o archive.Origin, r *failure.Report) (archive.Added, error) {
	if err := b.open(ctx); err != nil {
		return archive.Added{}, err
	}
	head, sample := archive.FailureHead(r, o)
	head.Digest = archive.NewDigest().Sum(&head, sample)
	return b.add(&entry{head: head, sample: &sample}), nil
}

func (b *batch) TLS(ctx context.Context, o archive.Origin, r *tlsrpt.Report) (archive.Added, error) {
	if err := b.open(ctx); err != nil {
		return archive.Added{}, err
	}
	head, sessions := archive.TLSHead(r, o)
	head.Digest = archive.NewDigest().Sum(&head, sessions)
	return b.add(&entry{head: head, sessions: sessions}), nil
}

// add takes a report in, or finds that it is there.
func (b *batch) add(e *entry) archive.Added {
	st, key := b.st, e.head.Key()
	added := archive.Added{Outcome: archive.New, Counted: true, Messages: e.head.Messages}
	for _, other := range st.keys[key] {
		if other.head.Digest == e.head.Digest {
			st.sums[e.head.Origin.Sum] = other.head.ID
			return archive.Added{ID: other.head.ID, Outcome: archive.Duplicate, Counted: other.head.Counted, Messages: e.head.Messages}
		}
		added.Outcome = archive.Conflicting
		if other.head.Counted && archive.Better(&other.head, &e.head) {
			added.Counted = false
		}
	}
	if added.Counted {
		for _, other := range st.keys[key] {
			if other.head.Counted {
				b.uncount(key, other)
			}
		}
	}
	st.last++
	e.head.ID, e.head.Counted = st.last, added.Counted
	st.sums[e.head.Origin.Sum] = e.head.ID
	st.reports = append(st.reports, e)
	st.keys[key] = append(slices.Clip(st.keys[key]), e)
	added.ID, added.Rows = e.head.ID, int64(len(e.rows))
	return added
}

// uncount puts a copy that does not count in the place of a report, which may
// be being read.
func (b *batch) uncount(key archive.Key, e *entry) {
	c := *e
	c.head.Counted = false
	b.st.reports[slices.Index(b.st.reports, e)] = &c
	es := slices.Clone(b.st.keys[key])
	es[slices.Index(es, e)] = &c
	b.st.keys[key] = es
}

func (b *batch) Input(ctx context.Context, in archive.Input) error {
	if err := b.open(ctx); err != nil {
		return err
	}
	b.st.inputs = append(b.st.inputs, in)
	return nil
}

func (b *batch) Pack(ctx context.Context, name string) error {
	if err := b.open(ctx); err != nil {
		return err
	}
	if !slices.Contains(b.st.packs, name) {
		b.st.packs = append(b.st.packs, name)
	}
	return nil
}

func (b *batch) SetCursor(ctx context.Context, mailbox string, c archive.Cursor) error {
	if err := b.open(ctx); err != nil {
		return err
	}
	b.st.cursors[mailbox] = c
	return nil
}
