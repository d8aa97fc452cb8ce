package sqlite

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// uses collects what is known of keys.
type uses map[useID]*use

type useID struct {
	policy           int64
	domain, selector string
}

type use struct {
	pass, fail                int64
	first, lastPass, lastFail archive.Day
	reporters                 map[int64]bool
}

func (u uses) of(k useID) *use {
	v := u[k]
	if v == nil {
		v = &use{first: noDay, lastPass: -1, lastFail: -1, reporters: map[int64]bool{}}
		u[k] = v
	}
	return v
}

// Selectors gives the signatures seen.
func (s *Store) Selectors(ctx context.Context, f archive.Filter) (out []archive.Selector, err error) {
	err = s.view(ctx, func(c *conn) error {
		q, ok, err := c.compile(ctx, f)
		if err != nil || !ok {
			return err
		}
		u := uses{}
		// A flow tells enough: all of its messages have the same signatures. The
		// sums by selector do not know sources, nor reports of several days.
		read := (*flows).read
		if q.sources == nil {
			read = (*flows).long
			if err := u.sums(ctx, c, q); err != nil {
				return err
			}
		}
		fs, err := q.flows(ctx, c, read)
		if err != nil {
			return err
		}
		if err := s.usesOf(ctx, c, fs, u); err != nil {
			return err
		}
		out, err = s.export(c, u)
		return err
	})
	return out, err
}

// sums reads the sums by selector.
func (u uses) sums(ctx context.Context, c *conn, q *query) error {
	w := &terms{}
	w.in("domain", q.domains)
	w.in("reporter", q.reporters)
	if q.from > 0 || q.to < lastDay {
		w.add("day >= ? AND day <= ?", q.from, q.to)
	}
	w.leaveOut("class", q.class)
	return c.each(ctx, `SELECT s.domain, g.value, n.value, s.* FROM (SELECT domain, signer, selector, reporter, sum(pass), sum(fail), min(day),
		ifnull(max(CASE WHEN pass > 0 THEN day END), -1), ifnull(max(CASE WHEN fail > 0 THEN day END), -1)
		FROM selector_day`+w.where()+` GROUP BY domain, signer, selector, reporter) s
		CROSS JOIN name g ON g.id = s.signer CROSS JOIN name n ON n.id = s.selector`, w.args, func(r *record) error {
		v := u.of(useID{r.int(0), r.text(1), r.text(2)})
		v.pass += r.int(7)
		v.fail += r.int(8)
		v.first, v.lastPass, v.lastFail = min(v.first, r.day(9)), max(v.lastPass, r.day(10)), max(v.lastFail, r.day(11))
		v.reporters[r.int(6)] = true
		return nil
	})
}

// usesOf takes the signatures of flows.
func (s *Store) usesOf(ctx context.Context, c *conn, fs *flows, u uses) error {
	passed := map[useID]bool{}
	for part := range slices.Chunk(slices.Collect(maps.Values(fs.all)), pageSize) {
		full, err := s.looksOf(ctx, c, part)
		if err != nil {
			return err
		}
		for i, f := range part {
			clear(passed)
			for _, g := range full[i].Signatures {
				k := useID{f.domain, g.Domain, g.Selector}
				passed[k] = passed[k] || g.Result == "pass"
			}
			for k, pass := range passed {
				v := u.of(k)
				v.first = min(v.first, f.first)
				if pass {
					v.pass += f.messages
					v.lastPass = max(v.lastPass, f.last)
				} else {
					v.fail += f.messages
					v.lastFail = max(v.lastFail, f.last)
				}
				for _, r := range f.reporters {
					v.reporters[r] = true
				}
			}
		}
	}
	return nil
}

func (s *Store) export(c *conn, u uses) (out []archive.Selector, err error) {
	for k, v := range u {
		o := archive.Selector{Domain: k.domain, Selector: k.selector, Pass: v.pass, Fail: v.fail, First: v.first.Time(), Reporters: len(v.reporters)}
		if v.lastPass >= 0 {
			o.Last = v.lastPass.Time()
		}
		if v.lastFail >= 0 {
			o.LastFail = v.lastFail.Time()
		}
		if o.Policy, err = s.looks.name(c, k.policy); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b archive.Selector) int {
		return cmp.Or(strings.Compare(a.Policy, b.Policy), strings.Compare(a.Domain, b.Domain), strings.Compare(a.Selector, b.Selector))
	})
	return out, nil
}
