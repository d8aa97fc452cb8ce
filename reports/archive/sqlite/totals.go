package sqlite

import (
	"context"
	"maps"
	"slices"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// totals collects the sums of groups.
type totals struct {
	q      *query
	by     archive.Group
	groups map[string]*archive.Total
}

func (t *totals) group(key string) *archive.Total {
	g := t.groups[key]
	if g == nil {
		g = &archive.Total{Key: key}
		t.groups[key] = g
	}
	return g
}

func (t *totals) add(key string, c *counts, first, last archive.Day) {
	g := t.group(key)
	g.Add(c.export())
	if first > last {
		return // no messages
	}
	if d := first.Time(); g.First.IsZero() || d.Before(g.First) {
		g.First = d
	}
	if d := last.Time(); d.After(g.Last) {
		g.Last = d
	}
}

// Totals gives sums.
func (s *Store) Totals(ctx context.Context, f archive.Filter, by archive.Group) (out []archive.Total, err error) {
	err = s.view(ctx, func(c *conn) error {
		q, ok, err := c.compile(ctx, f)
		if err != nil || !ok {
			return err
		}
		t := &totals{q: q, by: by, groups: map[string]*archive.Total{}}
		if err := t.read(ctx, c); err != nil {
			return err
		}
		for _, k := range slices.Sorted(maps.Keys(t.groups)) {
			out = append(out, *t.groups[k])
		}
		return nil
	})
	return out, err
}

// read chooses the smallest sums that can tell.
func (t *totals) read(ctx context.Context, c *conn) error {
	q := t.q
	timeOnly := t.by == archive.ByNothing || t.by == archive.ByDay || t.by == archive.ByMonth
	switch {
	case t.by == archive.ByHeaderFrom,
		q.sources != nil && q.reporters != nil,
		t.by == archive.BySource && q.reporters != nil,
		// A report counts once for all the addresses it has.
		q.sources != nil && t.by != archive.BySource && !q.oneSource(),
		q.sources != nil && (t.by == archive.ByReporter || t.by == archive.ByPolicy):
		return t.facts(ctx, c, false)
	case t.by == archive.BySource || q.sources != nil:
		return t.sources(ctx, c)
	case q.domains == nil && timeOnly && q.reporters == nil:
		return t.sum(ctx, c, "fleet_day", "day")
	case q.domains == nil && (timeOnly || t.by == archive.ByReporter):
		return t.sum(ctx, c, "reporter_day", "reporter")
	case q.domains == nil && t.by == archive.ByDomain && q.reporters == nil:
		return t.months(ctx, c)
	}
	return t.sum(ctx, c, "domain_day", t.column())
}

// column is what a group is made by, in the tables by day.
func (t *totals) column() string {
	switch t.by {
	case archive.ByDomain:
		return "domain"
	case archive.ByReporter:
		return "reporter"
	case archive.ByPolicy:
		return "p"
	}
	return "day"
}

const (
	sumCounters = `sum(dkim_and_spf), sum(dkim_only), sum(spf_only), sum(neither), sum(quarantine), sum(reject), sum(other),
		sum(overridden), sum(records), sum(reports)`
	firstLast = ", ifnull(min(CASE WHEN " + messages + " > 0 THEN day END), 2147483647), ifnull(max(CASE WHEN " + messages + " > 0 THEN day END), -1)"
)

// terms are for a table by day.
func (t *totals) terms(table string) *terms {
	w, q := &terms{}, t.q
	switch table {
	case "domain_day":
		w.in("domain", q.domains)
		w.in("reporter", q.reporters)
	case "source_day":
		w.in("domain", q.domains)
	case "reporter_day":
		w.in("reporter", q.reporters)
	}
	if q.from > 0 || q.to < lastDay {
		w.add("day >= ? AND day <= ?", q.from, q.to)
	}
	w.leaveOut("class", q.class)
	return w
}

// sum reads a table by day.
func (t *totals) sum(ctx context.Context, c *conn, table, column string) error {
	if t.by == archive.ByDay || t.by == archive.ByMonth {
		column = "day"
	}
	w := t.terms(table)
	switch {
	case t.by == archive.ByNothing:
		return c.each(ctx, "SELECT 0, "+sumCounters+firstLast+" FROM "+table+w.where()+" HAVING count(*) > 0", w.args, t.row(""))
	case column == "day":
		return c.each(ctx, "SELECT day, "+sumCounters+firstLast+" FROM "+table+w.where()+" GROUP BY day", w.args, t.row("day"))
	}
	return c.each(ctx, "SELECT n.value, s.* FROM (SELECT "+column+" AS g, "+sumCounters+firstLast+" FROM "+table+w.where()+" GROUP BY "+column+
		") s JOIN name n ON n.id = s.g", w.args, t.named)
}

// named takes a row of name, id, counters, first and last.
func (t *totals) named(r *record) error {
	v := r.counts(2)
	t.add(r.text(0), &v, r.day(12), r.day(13))
	return r.err
}

// row takes a row of a key, counters, first and last.
func (t *totals) row(key string) func(*record) error {
	return func(r *record) error {
		v := r.counts(1)
		k := ""
		if key == "day" {
			k = t.dayKey(r.day(0))
		}
		t.add(k, &v, r.day(11), r.day(12))
		return r.err
	}
}

func (t *totals) dayKey(d archive.Day) string {
	switch t.by {
	case archive.ByDay:
		return d.String()
	case archive.ByMonth:
		return d.String()[:len("2006-01")]
	}
	return ""
}

// sources reads the sums by source.
func (t *totals) sources(ctx context.Context, c *conn) error {
	each := t.q.sources
	if each == nil {
		each = []addresses{{}}
	}
	for _, a := range each {
		w := t.terms("source_day")
		from := "source_day"
		if a.from != nil {
			w.add("source >= ? AND source <= ?", a.from, a.to)
			if t.q.domains == nil { // the domain is what the table is sorted by first
				from = "(SELECT DISTINCT domain AS d FROM domain_month) CROSS JOIN source_day ON domain = d"
			}
		}
		var err error
		switch t.by {
		case archive.BySource:
			err = c.each(ctx, "SELECT source, "+sumCounters+firstLast+" FROM "+from+w.where()+" GROUP BY source", w.args, t.address)
		case archive.ByDomain:
			err = c.each(ctx, "SELECT n.value, s.* FROM (SELECT domain AS g, "+sumCounters+firstLast+" FROM "+from+w.where()+
				" GROUP BY domain) s JOIN name n ON n.id = s.g", w.args, t.named)
		case archive.ByNothing:
			err = c.each(ctx, "SELECT 0, "+sumCounters+firstLast+" FROM "+from+w.where()+" HAVING count(*) > 0", w.args, t.row(""))
		default:
			err = c.each(ctx, "SELECT day, "+sumCounters+firstLast+" FROM "+from+w.where()+" GROUP BY day", w.args, t.row("day"))
		}
		if err != nil {
			return err
		}
	}
	return t.facts(ctx, c, true) // which are in no sum by source
}

func (t *totals) address(r *record) error {
	a, err := sourceOf(r.blob(0))
	if err != nil {
		return err
	}
	v := r.counts(1)
	key := ""
	if a.IsValid() {
		key = a.String()
	}
	t.add(key, &v, r.day(11), r.day(12))
	return r.err
}

// months reads the sums of all domains: whole months, and the days around them.
func (t *totals) months(ctx context.Context, c *conn) error {
	first, last, rest := t.q.months()
	if first <= last {
		w := &terms{}
		if len(rest) > 0 || t.q.from > 0 || t.q.to < lastDay {
			w.add("month >= ? AND month <= ?", first, last)
		}
		w.leaveOut("class", t.q.class)
		err := c.each(ctx, "SELECT n.value, s.* FROM (SELECT domain AS g, "+sumCounters+", min(first), max(last) FROM domain_month"+w.where()+
			" GROUP BY domain) s JOIN name n ON n.id = s.g", w.args, t.named)
		if err != nil {
			return err
		}
	}
	for _, days := range rest {
		w := &terms{}
		w.add("day >= ? AND day <= ?", days[0], days[1])
		w.leaveOut("class", t.q.class)
		err := c.each(ctx, "SELECT n.value, s.* FROM (SELECT domain AS g, "+sumCounters+firstLast+
			" FROM (SELECT DISTINCT domain AS d FROM domain_month) CROSS JOIN domain_day ON domain = d"+w.where()+
			" GROUP BY domain) s JOIN name n ON n.id = s.g", w.args, t.named)
		if err != nil {
			return err
		}
	}
	return nil
}

// facts adds up the records themselves, where no sum can tell: of all reports,
// or of those of several days.
func (t *totals) facts(ctx context.Context, c *conn, long bool) error {
	q := t.q
	w, err := c.chosen(ctx, q, archive.Aggregate)
	if err != nil {
		return err
	}
	w.add("r.counted = 1")
	if long {
		w.add("r.last_day > r.first_day")
		w.index = indexLong
	}
	return c.heads(ctx, w, func(h *archive.Report) error {
		first := archive.DayOf(h.Begin)
		inside := q.f.HasDay(first)
		seen := map[string]bool{}
		if h.Rows == 0 && q.sources == nil && t.by != archive.BySource && t.by != archive.ByHeaderFrom && inside {
			t.group(t.keyOf(h, "", "", first)).Reports++
		}
		var shares []archive.Share
		return c.each(ctx, `SELECT f.source, f.count, l.verdict, l.header_from FROM fact f CROSS JOIN look l ON l.id = f.look
			WHERE f.report = ?`, []any{h.ID}, func(r *record) error {
			source := r.blob(0)
			if !q.hasSource(source) {
				return nil
			}
			a, err := sourceOf(source)
			if err != nil {
				return err
			}
			address, from := "", r.text(3)
			if a.IsValid() && t.by == archive.BySource {
				address = a.String()
			}
			if key := t.keyOf(h, address, from, first); inside {
				g := t.group(key)
				g.Rows++
				if !seen[key] {
					seen[key] = true
					g.Reports++
				}
			}
			shares = archive.Spread(shares[:0], h.Begin, h.End, r.int(1))
			for _, v := range shares {
				if v.Messages > 0 && q.f.HasDay(v.Day) {
					var n counts
					n.messages(verdict(r.int(2)), v.Messages)
					t.add(t.keyOf(h, address, from, v.Day), &n, v.Day, v.Day)
				}
			}
			return r.err
		})
	})
}

func (t *totals) keyOf(h *archive.Report, address, from string, d archive.Day) string {
	switch t.by {
	case archive.ByDomain:
		return h.Domain
	case archive.BySource:
		return address
	case archive.ByReporter:
		return h.Reporter
	case archive.ByHeaderFrom:
		return from
	case archive.ByPolicy:
		return h.Policy.P
	}
	return t.dayKey(d)
}
