package sqlite

import "context"

const selectPart = `SELECT r.id, r.domain, r.reporter, n.id, r.class, r.begin_at, r.end_at, r.first_day, r.last_day
	FROM report r JOIN policy p ON p.id = r.policy JOIN name n ON n.value = p.p WHERE `

func (r *record) part(sign int64) *part {
	return &part{id: r.int(0), domain: r.int(1), reporter: r.int(2), p: r.int(3), class: class(r.int(4)), begin: r.time(5), end: r.time(6),
		first: r.day(7), last: r.day(8), sign: sign}
}

func (c *conn) parts(sign int64, where string, args ...any) (out []*part, err error) {
	err = c.each(context.Background(), selectPart+where, args, func(r *record) error {
		out = append(out, r.part(sign))
		return nil
	})
	return out, err
}

// recount adds the records of a report that is in the archive to the sums, or
// takes them away.
func (b *batch) recount(p *part) error {
	b.sums.report(p)
	var before seen
	// The order of sources makes the sorting of SQLite, which does it on disk
	// if need be, do the work of a set.
	return b.c.each(context.Background(), `SELECT f.source, f.look, f.count, l.verdict, l.children
		FROM fact f JOIN look l ON l.id = f.look WHERE f.report = ? ORDER BY f.source`, []any{p.id}, func(r *record) error {
		source := r.blob(0)
		info, err := b.dict.info(r.int(1), verdict(r.int(3)), r.int(4))
		if err != nil {
			return err
		}
		b.sums.record(p, source, info, r.int(2), before.again(source))
		if b.sums.full() {
			return b.sums.flush(b.c)
		}
		return r.err
	})
}

// mend makes the sums by month right after something was taken away, of which
// only those by day can tell.
func (b *batch) mend() error {
	if b.sums.stale == nil {
		return nil
	}
	domains := map[int64]bool{}
	for k := range b.sums.stale {
		domains[k.domain] = true
	}
	for domain := range domains {
		if err := b.c.sweep("domain = ?", domain); err != nil {
			return err
		}
	}
	if err := b.c.run("DELETE FROM fleet_day WHERE " + isNothing); err != nil {
		return err
	}
	if err := b.c.run("DELETE FROM reporter_day WHERE " + isNothing); err != nil {
		return err
	}
	for k := range b.sums.stale {
		if err := b.mendMonth(k.domain, k.month); err != nil {
			return err
		}
	}
	b.sums.stale = nil
	return nil
}

const isNothing = "records = 0 AND reports = 0 AND dkim_and_spf = 0 AND dkim_only = 0 AND spf_only = 0 AND neither = 0"

// sweep removes the sums of a domain that are of nothing.
func (c *conn) sweep(where string, args ...any) error {
	for _, sql := range []string{
		"DELETE FROM domain_day WHERE " + isNothing, "DELETE FROM source_day WHERE " + isNothing,
		"DELETE FROM selector_day WHERE pass = 0 AND fail = 0",
	} {
		if err := c.run(sql+" AND "+where, args...); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) mendMonth(domain int64, m month) error {
	from, to := monthDay(m), monthDay(m+1)
	if err := b.c.run("DELETE FROM domain_month WHERE month = ? AND domain = ?", m, domain); err != nil {
		return err
	}
	if err := b.c.run(insertMonths+"domain = ? AND day >= ? AND day < ? GROUP BY class", m, domain, from, to); err != nil {
		return err
	}
	if err := b.c.run("DELETE FROM flow_month WHERE domain = ? AND month = ?", domain, m); err != nil {
		return err
	}
	parts, err := b.c.parts(1, "r.counted = 1 AND r.kind = ? AND r.domain = ? AND r.begin_at >= ? AND r.begin_at < ? AND r.first_day = r.last_day",
		kindAggregate, domain, from.Time(), to.Time())
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := b.reflow(p); err != nil {
			return err
		}
	}
	return b.sums.flush(b.c)
}

const insertMonths = `INSERT INTO domain_month SELECT domain, ?, class, sum(dkim_and_spf), sum(dkim_only), sum(spf_only), sum(neither),
	sum(quarantine), sum(reject), sum(other), sum(overridden), sum(records), sum(reports),
	ifnull(min(CASE WHEN ` + messages + ` > 0 THEN day END), 2147483647), ifnull(max(CASE WHEN ` + messages + ` > 0 THEN day END), -1)
	FROM domain_day WHERE `

const messages = "dkim_and_spf + dkim_only + spf_only + neither"

// reflow is recount for flows alone.
func (b *batch) reflow(p *part) error {
	return b.c.each(context.Background(), "SELECT source, look, count FROM fact WHERE report = ?", []any{p.id}, func(r *record) error {
		if n := r.int(2); n > 0 {
			b.sums.flow(p, r.blob(0), r.int(1), n)
		}
		if b.sums.full() {
			return b.sums.flush(b.c)
		}
		return r.err
	})
}
