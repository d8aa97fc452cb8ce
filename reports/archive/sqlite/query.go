package sqlite

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// query is a filter in the terms of the tables.
type query struct {
	f                  archive.Filter
	from, to           archive.Day // both chosen
	domains, reporters []int64     // nil for all
	class              class       // left out
	sources            []addresses // nil for all
}

// addresses are those from a first to a last, as they are kept.
type addresses struct{ from, to []byte }

// lastDay is the last there is: the end of the year 9999.
const lastDay = archive.Day(2932896)

// compile gives a filter as a query; ok is false if it can choose nothing.
func (c *conn) compile(ctx context.Context, f archive.Filter) (q *query, ok bool, err error) {
	q = &query{f: f, to: lastDay}
	if !f.Since.IsZero() {
		q.from = max(0, archive.DayOf(f.Since))
	}
	if !f.Until.IsZero() {
		q.to = min(lastDay, archive.DayOf(f.Until)-1)
	}
	if f.NoForged {
		q.class |= classForged
	}
	if f.NoAlien {
		q.class |= classAlien
	}
	ok = q.from <= q.to
	if len(f.Domains) > 0 {
		if q.domains, err = c.ids(ctx, f.Domains); err != nil {
			return nil, false, err
		}
		ok = ok && len(q.domains) > 0
	}
	if len(f.Reporters) > 0 {
		if q.reporters, err = c.ids(ctx, f.Reporters); err != nil {
			return nil, false, err
		}
		ok = ok && len(q.reporters) > 0
	}
	if len(f.Sources) > 0 {
		q.sources = ranges(f)
		ok = ok && len(q.sources) > 0
	}
	return q, ok, nil
}

// ranges gives the sources of a filter without overlaps, in order.
func ranges(f archive.Filter) (out []addresses) {
	var all []addresses
	for _, p := range f.Sources {
		if from, to, ok := sourceRange(p); ok {
			all = append(all, addresses{from, to})
		}
	}
	slices.SortFunc(all, func(a, b addresses) int { return bytes.Compare(a.from, b.from) })
	for _, a := range all {
		if n := len(out); n > 0 && bytes.Compare(a.from, out[n-1].to) <= 0 {
			if bytes.Compare(a.to, out[n-1].to) > 0 {
				out[n-1].to = a.to
			}
			continue
		}
		out = append(out, a)
	}
	return out
}

// hasSource tells whether a source, as it is kept, is chosen.
func (q *query) hasSource(source []byte) bool {
	return q.sources == nil || slices.ContainsFunc(q.sources, func(a addresses) bool {
		return bytes.Compare(a.from, source) <= 0 && bytes.Compare(source, a.to) <= 0
	})
}

// oneSource tells whether the filter chooses a single address.
func (q *query) oneSource() bool {
	return len(q.sources) == 1 && bytes.Equal(q.sources[0].from, q.sources[0].to)
}

// terms are the conditions of a statement and their values.
type terms struct {
	text  []string
	args  []any
	index string // of the table report, where SQLite would choose another
}

const indexLong = " INDEXED BY report_long"

func (t *terms) add(text string, args ...any) {
	t.text = append(t.text, text)
	t.args = append(t.args, args...)
}

func (t *terms) in(column string, ids []int64) {
	switch {
	case len(ids) == 1:
		t.add(column+" = ?", ids[0])
	case ids != nil:
		t.add(column+" IN (SELECT value FROM json_each(?))", array(ids))
	}
}

func (t *terms) leaveOut(column string, k class) {
	if k != 0 {
		t.add(column+" & ? = 0", int(k))
	}
}

func (t *terms) where() string {
	if len(t.text) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(t.text, " AND ")
}

// months gives the whole months of the query, and the days before and after them.
func (q *query) months() (first, last month, rest [][2]archive.Day) {
	first, last = monthOf(q.from), monthOf(q.to)
	if monthDay(first) < q.from {
		first++
	}
	if q.to < lastDay && monthDay(last+1)-1 > q.to {
		last--
	}
	if first > last {
		return 0, -1, [][2]archive.Day{{q.from, q.to}}
	}
	if d := monthDay(first); d > q.from {
		rest = append(rest, [2]archive.Day{q.from, d - 1})
	}
	if d := monthDay(last + 1); d <= q.to {
		rest = append(rest, [2]archive.Day{d, q.to})
	}
	return first, last, rest
}

// sequence runs a walk over what a reader gives.
func sequence[T any](ctx context.Context, s *Store, f archive.Filter, walk func(*conn, *query, func(*T) error) error) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		stopped := false
		err := s.view(ctx, func(c *conn) error {
			q, ok, err := c.compile(ctx, f)
			if err != nil || !ok {
				return err
			}
			return walk(c, q, func(v *T) error {
				if err := context.Cause(ctx); err != nil {
					return err
				}
				if stopped = !yield(v, nil); stopped {
					return errStop
				}
				return nil
			})
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}
