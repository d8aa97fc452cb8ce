package memory

import (
	"cmp"
	"context"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// chosen gives the reports that a filter chooses, in order.
func (s *Store) chosen(f archive.Filter, want func(*entry) bool) ([]*entry, error) {
	st, err := s.now()
	if err != nil {
		return nil, err
	}
	var out []*entry
	for _, e := range st.reports {
		h := &e.head
		if f.Overlaps(h.Begin, h.End) && (len(f.Reporters) == 0 || slices.Contains(f.Reporters, h.Reporter)) &&
			(!f.NoAlien || !h.Origin.Alien) && (!f.NoForged || h.Origin.Proof != archive.Forged) && want(e) {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b *entry) int {
		x, y := &a.head, &b.head
		return cmp.Or(x.Begin.Compare(y.Begin), strings.Compare(x.Reporter, y.Reporter), strings.Compare(x.ReportID, y.ReportID),
			strings.Compare(x.Domain, y.Domain), slices.Compare(x.Digest[:], y.Digest[:]))
	})
	return out, nil
}

func hasDomain(f archive.Filter, d string) bool {
	return len(f.Domains) == 0 || slices.Contains(f.Domains, d)
}

func hasSource(f archive.Filter, a netip.Addr) bool {
	return len(f.Sources) == 0 || slices.ContainsFunc(f.Sources, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Reports gives the heads of reports.
func (s *Store) Reports(ctx context.Context, f archive.Filter) iter.Seq2[*archive.Report, error] {
	return func(yield func(*archive.Report, error) bool) {
		es, err := s.chosen(f, func(e *entry) bool {
			return (e.head.Counted || f.Uncounted) && (f.Kind == "" || f.Kind == e.head.Kind) && hasDomain(f, e.head.Domain)
		})
		for _, e := range es {
			head := e.head
			if err = context.Cause(ctx); err != nil || !yield(&head, nil) {
				break
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// Rows gives records.
func (s *Store) Rows(ctx context.Context, f archive.Filter) iter.Seq2[*archive.Row, error] {
	return func(yield func(*archive.Row, error) bool) {
		es, err := s.chosen(f, func(e *entry) bool {
			return e.head.Counted && e.head.Kind == archive.Aggregate && hasDomain(f, e.head.Domain)
		})
		if err != nil {
			yield(nil, err)
			return
		}
		for _, e := range es {
			if err := context.Cause(ctx); err != nil {
				yield(nil, err)
				return
			}
			head := e.head
			for _, r := range e.rows {
				out := archive.Row{Report: &head, Number: r.number, Count: r.count, Look: *r.look,
					Messages: f.Within(head.Begin, head.End, r.count)}
				if out.Messages > 0 && hasSource(f, r.look.Source) && !yield(&out, nil) {
					return
				}
			}
		}
	}
}

// Sessions gives the policies of TLS reports.
func (s *Store) Sessions(ctx context.Context, f archive.Filter) iter.Seq2[*archive.Session, error] {
	return func(yield func(*archive.Session, error) bool) {
		es, err := s.chosen(f, func(e *entry) bool { return e.head.Counted && e.head.Kind == archive.TLS })
		if err != nil {
			yield(nil, err)
			return
		}
		for _, e := range es {
			if err := context.Cause(ctx); err != nil {
				yield(nil, err)
				return
			}
			head := e.head
			for _, v := range e.sessions {
				if v.Report = &head; (hasDomain(f, head.Domain) || hasDomain(f, v.Domain)) && !yield(&v, nil) {
					return
				}
			}
		}
	}
}

// Samples gives failure reports.
func (s *Store) Samples(ctx context.Context, f archive.Filter) iter.Seq2[*archive.Sample, error] {
	return func(yield func(*archive.Sample, error) bool) {
		es, err := s.chosen(f, func(e *entry) bool {
			return e.head.Counted && e.head.Kind == archive.Failure && hasDomain(f, e.head.Domain) && hasSource(f, e.sample.Source)
		})
		for _, e := range es {
			head, v := e.head, *e.sample
			v.Report = &head
			if err = context.Cause(ctx); err != nil || !yield(&v, nil) {
				break
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// Inputs gives the ledger.
func (s *Store) Inputs(ctx context.Context, f archive.Filter) iter.Seq2[*archive.Input, error] {
	return func(yield func(*archive.Input, error) bool) {
		st, err := s.now()
		if err != nil {
			yield(nil, err)
			return
		}
		for _, in := range st.inputs {
			if f.HasDay(archive.DayOf(in.At)) && !yield(&in, nil) {
				return
			}
		}
	}
}

// Packs gives the packs.
func (s *Store) Packs(context.Context) ([]string, error) {
	st, err := s.now()
	if err != nil {
		return nil, err
	}
	return slices.Clone(st.packs), nil
}

// Cursor gives the place in a mailbox.
func (s *Store) Cursor(_ context.Context, mailbox string) (archive.Cursor, error) {
	st, err := s.now()
	if err != nil {
		return archive.Cursor{}, err
	}
	return st.cursors[mailbox], nil
}

// Names gives what is remembered of addresses.
func (s *Store) Names(_ context.Context, addrs []netip.Addr) ([]archive.Name, error) {
	st, err := s.now()
	if err != nil {
		return nil, err
	}
	var out []archive.Name
	for _, a := range addrs {
		if n, ok := st.names[a.Unmap().String()]; ok {
			out = append(out, n)
		}
	}
	return out, nil
}
