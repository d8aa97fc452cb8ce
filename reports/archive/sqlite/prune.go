package sqlite

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Prune removes the reports that ended before a day.
func (s *Store) Prune(ctx context.Context, before time.Time) (archive.Pruned, error) {
	b, err := s.begin(ctx)
	if err != nil {
		return archive.Pruned{}, err
	}
	out, err := b.prune(archive.DayOf(before))
	b.ended = true
	if err = s.written(err); err != nil {
		return archive.Pruned{}, err
	}
	return out, nil
}

func (b *batch) prune(day archive.Day) (out archive.Pruned, err error) {
	r, err := b.c.one("SELECT count(*), ifnull(sum(CASE WHEN kind = 1 THEN records END), 0) FROM report WHERE last_day < ?", day)
	if err != nil {
		return out, err
	}
	out.Reports, out.Rows = r.int(0), r.int(1)
	if out.Inputs, err = b.c.changed("DELETE FROM input WHERE at < ?", day.Time()); err != nil || out.Reports == 0 {
		return out, err
	}
	if out.Sums, err = b.pruneReports(day); err != nil {
		return out, err
	}
	if err := b.pruneSums(day); err != nil {
		return out, err
	}
	// What no report needs any more. Ids are never used again, so readers may
	// still remember these rows.
	for _, sql := range []string{
		"DELETE FROM look WHERE id NOT IN (SELECT look FROM fact)",
		"DELETE FROM reason WHERE look NOT IN (SELECT id FROM look)",
		"DELETE FROM signature WHERE look NOT IN (SELECT id FROM look)",
		"DELETE FROM spf WHERE look NOT IN (SELECT id FROM look)",
		"DELETE FROM policy WHERE id NOT IN (SELECT policy FROM report)",
		`DELETE FROM name WHERE id NOT IN (SELECT domain FROM report UNION SELECT reporter FROM report UNION SELECT p FROM domain_day
			UNION SELECT signer FROM selector_day UNION SELECT selector FROM selector_day)`,
	} {
		if err := b.c.run(sql); err != nil {
			return out, err
		}
	}
	b.dict.forget()
	return out, nil
}

// pruneReports removes reports and gives the sums of the documents that went.
func (b *batch) pruneReports(day archive.Day) (gone []archive.Sum, err error) {
	const old = "report IN (SELECT id FROM report WHERE last_day < ?)"
	err = b.c.each(context.Background(), "SELECT DISTINCT sum FROM document WHERE "+old+" ORDER BY sum", []any{day}, func(r *record) error {
		gone = append(gone, r.sum(0))
		return nil
	})
	for _, sql := range []string{
		"DELETE FROM fact WHERE " + old, "DELETE FROM session WHERE " + old, "DELETE FROM sample WHERE " + old,
		"DELETE FROM document WHERE " + old, "DELETE FROM report WHERE last_day < ?",
	} {
		if err == nil {
			err = b.c.run(sql, day)
		}
	}
	if err != nil {
		return nil, err
	}
	gone = slices.DeleteFunc(gone, func(sum archive.Sum) bool {
		r, e := b.c.one("SELECT 1 FROM document WHERE sum = ?", sum)
		if e != nil {
			err = e
		}
		return r != nil
	})
	slices.SortFunc(gone, func(a, b archive.Sum) int { return bytes.Compare(a[:], b[:]) })
	return gone, err
}

// pruneSums makes the sums right: before the day there is only what reports
// that reach over it have to say.
func (b *batch) pruneSums(day archive.Day) error {
	m := monthOf(day)
	for _, table := range []string{"domain_day", "fleet_day", "reporter_day", "source_day", "selector_day"} {
		if err := b.c.run("DELETE FROM "+table+" WHERE day < ?", day); err != nil {
			return err
		}
	}
	if err := b.c.run("DELETE FROM flow_month WHERE month <= ?", m); err != nil {
		return err
	}
	parts, err := b.c.parts(1, "r.counted = 1 AND r.kind = ? AND r.first_day < ? AND r.last_day > r.first_day AND r.last_day >= ?",
		kindAggregate, day, day)
	if err != nil {
		return err
	}
	for _, p := range parts {
		p.before = day
		if err := b.recount(p); err != nil {
			return err
		}
	}
	parts, err = b.c.parts(1, "r.counted = 1 AND r.kind = ? AND r.begin_at >= ? AND r.begin_at < ? AND r.first_day = r.last_day ORDER BY r.domain",
		kindAggregate, day.Time(), monthDay(m+1).Time())
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := b.reflow(p); err != nil {
			return err
		}
	}
	if err := b.sums.flush(b.c); err != nil {
		return err
	}
	return b.pruneMonths(m)
}

// pruneMonths makes the months up to one anew.
func (b *batch) pruneMonths(last month) error {
	if err := b.c.run("DELETE FROM domain_month WHERE month <= ?", last); err != nil {
		return err
	}
	months := map[month]bool{}
	err := b.c.each(context.Background(), "SELECT day FROM fleet_day WHERE day < ?", []any{monthDay(last + 1)}, func(r *record) error {
		months[monthOf(r.day(0))] = true
		return nil
	})
	if err != nil {
		return err
	}
	for m := range months {
		if err := b.c.run(insertMonths+"day >= ? AND day < ? GROUP BY domain, class", m, monthDay(m), monthDay(m+1)); err != nil {
			return err
		}
	}
	return nil
}
