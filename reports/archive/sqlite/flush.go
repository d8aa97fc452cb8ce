package sqlite

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// upsert gives the statement that adds to a table of sums.
func upsert(table string, keys int, columns, merge string) string {
	values := strings.Repeat(", ?", keys+strings.Count(columns, ",")+1)
	return "INSERT INTO " + table + " VALUES (" + values[2:] + ") ON CONFLICT DO UPDATE SET " + merge
}

func adding(columns string) string {
	var set []string
	for _, c := range strings.Split(columns, ", ") {
		set = append(set, c+" = "+c+" + excluded."+c)
	}
	return strings.Join(set, ", ")
}

var (
	addDay      = upsert("domain_day", 5, counters, adding(counters))
	addMonth    = upsert("domain_month", 3, counters+", first, last", adding(counters)+", first = min(first, excluded.first), last = max(last, excluded.last)")
	addFleet    = upsert("fleet_day", 2, counters, adding(counters))
	addReporter = upsert("reporter_day", 3, counters, adding(counters))
	addSource   = upsert("source_day", 4, counters, adding(counters))
	addFlow     = upsert("flow_month", 6, "messages, records, first, last",
		adding("messages, records")+", first = min(first, excluded.first), last = max(last, excluded.last)")
	addSelector = upsert("selector_day", 6, "pass, fail", adding("pass, fail"))
)

// noDay is the first day of a sum without messages; the last is -1.
const noDay = archive.Day(1<<31 - 1)

// flush writes what was collected, in the order of the tables: a page is
// changed once.
func (s *sums) flush(c *conn) error {
	if err := s.flushDays(c); err != nil {
		return err
	}
	sources := slices.SortedFunc(maps.Keys(s.sources), func(a, b sourceKey) int {
		return cmp.Or(cmp.Compare(a.domain, b.domain), cmp.Compare(a.source, b.source), cmp.Compare(a.day, b.day))
	})
	for _, k := range sources {
		s.buf = append(s.buf[:0], k.source...)
		if err := c.add(addSource, s.sources[k], k.domain, s.buf, k.day, int(k.class)); err != nil {
			return err
		}
	}
	flows := slices.SortedFunc(maps.Keys(s.flows), func(a, b flowKey) int {
		return cmp.Or(cmp.Compare(a.domain, b.domain), cmp.Compare(a.source, b.source), cmp.Compare(a.look, b.look))
	})
	for _, k := range flows {
		v := s.flows[k]
		s.buf = append(s.buf[:0], k.source...)
		if err := c.run(addFlow, k.domain, s.buf, k.look, k.reporter, k.month, int(k.class), v.messages, v.records, v.first, v.last); err != nil {
			return err
		}
	}
	selectors := slices.SortedFunc(maps.Keys(s.selectors), func(a, b selectorKey) int {
		return cmp.Or(cmp.Compare(a.domain, b.domain), cmp.Compare(a.signer, b.signer), cmp.Compare(a.selector, b.selector),
			cmp.Compare(a.reporter, b.reporter), cmp.Compare(a.day, b.day))
	})
	for _, k := range selectors {
		v := s.selectors[k]
		if err := c.run(addSelector, k.domain, k.signer, k.selector, k.reporter, k.day, int(k.class), v[0], v[1]); err != nil {
			return err
		}
	}
	s.clear()
	return nil
}

// flushDays writes the sums by day, and those that follow from them.
func (s *sums) flushDays(c *conn) error {
	type fleet struct {
		day   archive.Day
		class class
	}
	type reporter struct {
		reporter int64
		fleet
	}
	type domain struct {
		month  month
		domain int64
		class  class
	}
	type span struct {
		counts
		first, last archive.Day
	}
	fleets, reporters, months := map[fleet]*counts{}, map[reporter]*counts{}, map[domain]*span{}
	days := slices.SortedFunc(maps.Keys(s.days), func(a, b dayKey) int {
		return cmp.Or(cmp.Compare(a.domain, b.domain), cmp.Compare(a.day, b.day), cmp.Compare(a.reporter, b.reporter))
	})
	for _, k := range days {
		v := s.days[k]
		if err := c.add(addDay, v, k.domain, k.day, k.reporter, int(k.class), k.p); err != nil {
			return err
		}
		f := fleet{k.day, k.class}
		sumOf(fleets, f).add(v)
		sumOf(reporters, reporter{k.reporter, f}).add(v)
		m := domain{monthOf(k.day), k.domain, k.class}
		if months[m] == nil {
			months[m] = &span{first: noDay, last: -1}
		}
		months[m].add(v)
		if v.sum() > 0 {
			months[m].first, months[m].last = min(months[m].first, k.day), max(months[m].last, k.day)
		}
	}
	for k, v := range fleets {
		if err := c.add(addFleet, v, k.day, int(k.class)); err != nil {
			return err
		}
	}
	for k, v := range reporters {
		if err := c.add(addReporter, v, k.reporter, k.day, int(k.class)); err != nil {
			return err
		}
	}
	for k, v := range months {
		args := append(v.args(k.domain, k.month, int(k.class)), v.first, v.last)
		if err := c.run(addMonth, args...); err != nil {
			return err
		}
	}
	return nil
}

func sumOf[K comparable](m map[K]*counts, k K) *counts {
	if m[k] == nil {
		m[k] = new(counts)
	}
	return m[k]
}

func (v *counts) args(key ...any) []any {
	for _, n := range v {
		key = append(key, n)
	}
	return key
}

// add writes a sum.
func (c *conn) add(sql string, v *counts, key ...any) error { return c.run(sql, v.args(key...)...) }
