package memory

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Flows gives sums of the records that look alike.
func (s *Store) Flows(ctx context.Context, f archive.Filter) iter.Seq2[*archive.Flow, error] {
	type sum struct {
		key       string
		flow      archive.Flow
		reporters map[string]bool
	}
	return func(yield func(*archive.Flow, error) bool) {
		flows := map[string]*sum{}
		for r, err := range s.Rows(ctx, f) {
			if err != nil {
				yield(nil, err)
				return
			}
			key := string(r.AppendKey(nil))
			v := flows[r.Report.Domain+"\x00"+key]
			if v == nil {
				v = &sum{key, archive.Flow{Domain: r.Report.Domain, Look: r.Look}, map[string]bool{}}
				flows[r.Report.Domain+"\x00"+key] = v
			}
			v.flow.Messages += r.Messages
			v.flow.Rows++
			v.reporters[r.Report.Reporter] = true
			for _, d := range archive.Spread(nil, r.Report.Begin, r.Report.End, r.Count) {
				if f.HasDay(d.Day) && d.Messages > 0 {
					span(&v.flow.First, &v.flow.Last, d.Day.Time())
				}
			}
		}
		all := slices.SortedFunc(maps.Values(flows), func(a, b *sum) int {
			return cmp.Or(cmp.Compare(b.flow.Messages, a.flow.Messages), strings.Compare(a.flow.Domain, b.flow.Domain), strings.Compare(a.key, b.key))
		})
		for _, v := range all {
			names := slices.Sorted(maps.Keys(v.reporters))
			v.flow.Reporters = names[:min(len(names), archive.MaxFlowReporters)]
			if !yield(&v.flow, nil) {
				return
			}
		}
	}
}

// Totals gives sums.
func (s *Store) Totals(ctx context.Context, f archive.Filter, by archive.Group) ([]archive.Total, error) {
	es, err := s.chosen(f, func(e *entry) bool {
		return e.head.Counted && e.head.Kind == archive.Aggregate && hasDomain(f, e.head.Domain)
	})
	if err != nil {
		return nil, err
	}
	groups := map[string]*archive.Total{}
	group := func(key string) *archive.Total {
		if groups[key] == nil {
			groups[key] = &archive.Total{Key: key}
		}
		return groups[key]
	}
	for _, e := range es {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		h := &e.head
		first := archive.DayOf(h.Begin)
		seen := map[string]bool{} // groups that have counted the report
		count := func(key string) {
			if f.HasDay(first) && !seen[key] {
				seen[key] = true
				group(key).Reports++
			}
		}
		if len(e.rows) == 0 && len(f.Sources) == 0 && by != archive.BySource && by != archive.ByHeaderFrom {
			count(keyOf(by, h, &archive.Look{}, first))
		}
		for _, r := range e.rows {
			if !hasSource(f, r.look.Source) {
				continue
			}
			if key := keyOf(by, h, r.look, first); f.HasDay(first) {
				count(key)
				group(key).Rows++
			}
			for _, d := range archive.Spread(nil, h.Begin, h.End, r.count) {
				if !f.HasDay(d.Day) || d.Messages == 0 {
					continue
				}
				t := group(keyOf(by, h, r.look, d.Day))
				t.Add(archive.CountsOf(r.look, d.Messages))
				span(&t.First, &t.Last, d.Day.Time())
			}
		}
	}
	var out []archive.Total
	for _, k := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, *groups[k])
	}
	return out, nil
}

func keyOf(by archive.Group, h *archive.Report, l *archive.Look, d archive.Day) string {
	switch by {
	case archive.ByDomain:
		return h.Domain
	case archive.ByDay:
		return d.String()
	case archive.ByMonth:
		return d.String()[:len("2006-01")]
	case archive.BySource:
		if !l.Source.IsValid() {
			return ""
		}
		return l.Source.String()
	case archive.ByReporter:
		return h.Reporter
	case archive.ByHeaderFrom:
		return l.HeaderFrom
	case archive.ByPolicy:
		return h.Policy.P
	}
	return ""
}

// Selectors gives the signatures seen.
func (s *Store) Selectors(ctx context.Context, f archive.Filter) ([]archive.Selector, error) {
	type id struct{ policy, domain, selector string }
	uses := map[id]*use{}
	for r, err := range s.Rows(ctx, f) {
		if err != nil {
			return nil, err
		}
		passed := map[id]bool{}
		for _, g := range r.Signatures {
			k := id{r.Report.Domain, g.Domain, g.Selector}
			passed[k] = passed[k] || g.Result == "pass"
		}
		for k, pass := range passed {
			u := uses[k]
			if u == nil {
				u = &use{archive.Selector{Policy: k.policy, Domain: k.domain, Selector: k.selector}, map[string]bool{}}
				uses[k] = u
			}
			u.reporters[r.Report.Reporter] = true
			for _, d := range archive.Spread(nil, r.Report.Begin, r.Report.End, r.Count) {
				if f.HasDay(d.Day) && d.Messages > 0 {
					u.saw(pass, d.Messages, d.Day.Time())
				}
			}
		}
	}
	var out []archive.Selector
	for _, u := range uses {
		u.Reporters = len(u.reporters)
		out = append(out, u.Selector)
	}
	slices.SortFunc(out, func(a, b archive.Selector) int {
		return cmp.Or(strings.Compare(a.Policy, b.Policy), strings.Compare(a.Domain, b.Domain), strings.Compare(a.Selector, b.Selector))
	})
	return out, nil
}

type use struct {
	archive.Selector
	reporters map[string]bool
}

func (u *use) saw(pass bool, messages int64, day time.Time) {
	if u.First.IsZero() || day.Before(u.First) {
		u.First = day
	}
	last, n := &u.LastFail, &u.Fail
	if pass {
		last, n = &u.Last, &u.Pass
	}
	*n += messages
	if day.After(*last) {
		*last = day
	}
}

// span widens first to last by a day.
func span(first, last *time.Time, d time.Time) {
	if first.IsZero() || d.Before(*first) {
		*first = d
	}
	if d.After(*last) {
		*last = d
	}
}
