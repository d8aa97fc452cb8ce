package memory

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Store is an archive in memory. New makes one.
type Store struct {
	writer chan struct{} // holds the right to write
	mu     sync.RWMutex
	state  *state // replaced, never changed, so that readers need no lock while they read
	closed bool
}

// state is all there is at one moment. What it points to is not changed.
type state struct {
	last    int64
	reports []*entry
	keys    map[archive.Key][]*entry
	sums    map[archive.Sum]int64
	inputs  []archive.Input
	packs   []string
	cursors map[string]archive.Cursor
	names   map[string]archive.Name
}

type entry struct {
	head     archive.Report
	rows     []row
	sessions []archive.Session
	sample   *archive.Sample
}

type row struct {
	number, count int64
	look          *archive.Look
}

// New makes an empty archive.
func New() *Store {
	return &Store{writer: make(chan struct{}, 1), state: &state{
		keys: map[archive.Key][]*entry{}, sums: map[archive.Sum]int64{},
		cursors: map[string]archive.Cursor{}, names: map[string]archive.Name{},
	}}
}

func (s *state) clone() *state {
	c := *s
	c.reports, c.inputs, c.packs = slices.Clone(s.reports), slices.Clone(s.inputs), slices.Clone(s.packs)
	c.keys, c.sums = maps.Clone(s.keys), maps.Clone(s.sums)
	c.cursors, c.names = maps.Clone(s.cursors), maps.Clone(s.names)
	return &c
}

func (s *Store) now() (*state, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, archive.ErrClosed
	}
	return s.state, nil
}

func (s *Store) put(st *state) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return archive.ErrClosed
	}
	s.state = st
	return nil
}

// lock waits for the right to write.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case s.writer <- struct{}{}:
		return sync.OnceFunc(func() { <-s.writer }), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Close ends the use of the archive.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// Prune removes what ended before a day.
func (s *Store) Prune(ctx context.Context, before time.Time) (archive.Pruned, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return archive.Pruned{}, err
	}
	defer unlock()
	old, err := s.now()
	if err != nil {
		return archive.Pruned{}, err
	}
	st, day := old.clone(), archive.DayOf(before)
	var out archive.Pruned
	gone := map[int64]bool{}
	st.reports = slices.DeleteFunc(st.reports, func(e *entry) bool {
		if _, last := archive.Days(e.head.Begin, e.head.End); last >= day {
			return false
		}
		gone[e.head.ID] = true
		out.Reports++
		out.Rows += int64(len(e.rows))
		return true
	})
	for k, es := range st.keys {
		es = slices.DeleteFunc(slices.Clone(es), func(e *entry) bool { return gone[e.head.ID] })
		if st.keys[k] = es; len(es) == 0 {
			delete(st.keys, k)
		}
	}
	for sum, id := range st.sums {
		if gone[id] {
			delete(st.sums, sum)
			out.Sums = append(out.Sums, sum)
		}
	}
	slices.SortFunc(out.Sums, func(a, b archive.Sum) int { return slices.Compare(a[:], b[:]) })
	n := len(st.inputs)
	st.inputs = slices.DeleteFunc(st.inputs, func(in archive.Input) bool { return archive.DayOf(in.At) < day })
	out.Inputs = int64(n - len(st.inputs))
	return out, s.put(st)
}

// PutNames remembers names.
func (s *Store) PutNames(ctx context.Context, names []archive.Name) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := s.now()
	if err != nil {
		return err
	}
	st := old.clone()
	for _, n := range names {
		n.Names = slices.Clone(n.Names)
		st.names[n.Addr.Unmap().String()] = n
	}
	return s.put(st)
}

var _ archive.Store = (*Store)(nil)
