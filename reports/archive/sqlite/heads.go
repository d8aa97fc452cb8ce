package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Reports gives the heads of reports.
func (s *Store) Reports(ctx context.Context, f archive.Filter) iter.Seq2[*archive.Report, error] {
	f.Sources = nil // they choose records
	return sequence(ctx, s, f, func(c *conn, q *query, yield func(*archive.Report) error) error {
		return c.reports(ctx, q, f.Kind, !f.Uncounted, yield)
	})
}

const selectHead = `SELECT r.id, r.kind, n.value, r.org, r.email, r.report_id, d.value, r.begin_at, r.end_at,
	p.p, p.sp, p.np, p.adkim, p.aspf, p.fo, p.pct, p.testing, p.discovery, r.format,
	r.sum, r.path, r.mail_from, r.proof, r.class, r.at, r.extra, r.digest, r.counted, r.complete, r.records, r.messages, r.diagnostics FROM report r`

const joinHead = ` CROSS JOIN name d ON d.id = r.domain CROSS JOIN name n ON n.id = r.reporter CROSS JOIN policy p ON p.id = r.policy`

const orderHeads = " ORDER BY r.begin_at, n.value, r.report_id, d.value, r.digest"

// reports calls do for the heads of reports, in order.
func (c *conn) reports(ctx context.Context, q *query, kind archive.Kind, counted bool, do func(*archive.Report) error) error {
	t, err := c.chosen(ctx, q, kind)
	if err != nil {
		return err
	}
	if counted {
		t.add("r.counted = 1")
	}
	return c.heads(ctx, t, do)
}

func (c *conn) heads(ctx context.Context, t *terms, do func(*archive.Report) error) error {
	return c.each(ctx, selectHead+t.index+joinHead+t.where()+orderHeads, t.args, func(r *record) error {
		h, err := r.head()
		if err != nil {
			return err
		}
		return do(h)
	})
}

// chosen gives the terms of a query for the table report.
func (c *conn) chosen(ctx context.Context, q *query, kind archive.Kind) (*terms, error) {
	t := &terms{}
	switch kind {
	case "":
		t.add("r.kind IN (1, 2, 3)")
	case archive.Aggregate:
		t.add("r.kind = 1")
	case archive.Failure:
		t.add("r.kind = 2")
	case archive.TLS:
		t.add("r.kind = 3")
	default:
		t.add("FALSE")
	}
	t.in("r.domain", q.domains)
	if q.from > 0 {
		// There is no index for "ends after": but only few reports begin before
		// the first day and reach over it.
		first := q.from.Time().Unix()
		r, err := c.one("SELECT ifnull(min(begin_at), ?) FROM report INDEXED BY report_long WHERE last_day > first_day AND last_day >= ?",
			first, q.from)
		if err != nil {
			return nil, err
		}
		t.add("r.begin_at >= ? AND r.last_day >= ?", min(first, r.int(0)), q.from)
	}
	if q.to < lastDay {
		t.add("r.begin_at < ?", (q.to + 1).Time())
	}
	t.in("r.reporter", q.reporters)
	t.leaveOut("r.class", q.class)
	return t, nil
}

// head reads a row of selectHead.
func (r *record) head() (*archive.Report, error) {
	kind := r.int(1)
	if kind < 1 || int(kind) >= len(kinds) {
		return nil, fmt.Errorf("%w: reports of kind %d", archive.ErrCorrupt, kind)
	}
	h := &archive.Report{
		ID: r.int(0), Kind: kinds[kind], Reporter: r.text(2), Org: r.text(3), Email: r.text(4), ReportID: r.text(5), Domain: r.text(6),
		Begin: r.time(7), End: r.time(8),
		Policy: archive.Policy{P: r.text(9), SP: r.text(10), NP: r.text(11), ADKIM: r.text(12), ASPF: r.text(13), FO: r.text(14),
			Pct: r.text(15), Testing: r.text(16), Discovery: r.text(17)},
		Format: r.text(18),
		Origin: archive.Origin{Sum: r.sum(19), Path: r.text(20), From: r.text(21), Proof: archive.Proof(r.text(22)),
			Alien: class(r.int(23))&classAlien != 0, At: r.time(24), Extra: r.text(25)},
		Digest: r.sum(26), Counted: r.flag(27), Complete: r.flag(28), Rows: r.int(29), Messages: r.int(30),
	}
	if r.err == nil {
		r.err = r.list(31, &h.Diagnostics)
	}
	return h, r.err
}

// list reads what the function list has written.
func (r *record) list(i int, to any) error {
	if r.null(i) {
		return nil
	}
	if err := json.Unmarshal([]byte(r.text(i)), to); err != nil {
		return fmt.Errorf("%w (%w)", archive.ErrCorrupt, err)
	}
	return nil
}

// pageSize is the number of records whose looks are read together.
const pageSize = 512

type fact struct {
	n, look, count int64
	source         []byte
}

// Rows gives the records of aggregate reports.
func (s *Store) Rows(ctx context.Context, f archive.Filter) iter.Seq2[*archive.Row, error] {
	return sequence(ctx, s, f, func(c *conn, q *query, yield func(*archive.Row) error) error {
		return c.reports(ctx, q, archive.Aggregate, true, func(h *archive.Report) error {
			return s.rowsOf(ctx, c, q, h, yield)
		})
	})
}

func (s *Store) rowsOf(ctx context.Context, c *conn, q *query, h *archive.Report, yield func(*archive.Row) error) error {
	row := archive.Row{}
	facts, ids := make([]fact, 0, min(h.Rows, pageSize)), []int64(nil)
	for last, more := int64(-1), true; more; {
		read := 0
		facts, ids = facts[:0], ids[:0]
		err := c.each(ctx, "SELECT n, source, look, count FROM fact WHERE report = ? AND n > ? ORDER BY n LIMIT 512", []any{h.ID, last},
			func(r *record) error {
				read++
				v := fact{n: r.int(0), source: r.blob(1), look: r.int(2), count: r.int(3)}
				last = v.n
				if q.hasSource(v.source) {
					facts, ids = append(facts, v), append(ids, v.look)
				}
				return nil
			})
		if err != nil {
			return err
		}
		more = read == pageSize
		known, err := s.looks.get(ctx, c, ids)
		if err != nil {
			return err
		}
		for _, v := range facts {
			row = archive.Row{Report: h, Number: v.n, Count: v.count, Messages: q.f.Within(h.Begin, h.End, v.count), Look: *known[v.look]}
			if row.Source, err = sourceOf(v.source); err != nil {
				return err
			}
			if row.Messages > 0 {
				if err := yield(&row); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
