package sqlite

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// flow is an archive.Flow without its texts.
type flow struct {
	source        string
	domain, look  int64
	messages, row int64
	first, last   archive.Day
	reporters     []int64
}

type flowID struct {
	source       string
	domain, look int64
}

type flows struct {
	q    *query
	all  map[flowID]*flow
	last *flow
}

func (fs *flows) of(domain int64, source []byte, look int64) *flow {
	if l := fs.last; l != nil && l.look == look && l.domain == domain && l.source == string(source) {
		return l // the rows of a sum come together
	}
	v := fs.all[flowID{string(source), domain, look}]
	if v == nil {
		v = &flow{source: string(source), domain: domain, look: look, first: noDay, last: -1}
		fs.all[flowID{v.source, domain, look}] = v
	}
	fs.last = v
	return v
}

func (v *flow) add(reporter, messages, rows int64, first, last archive.Day) {
	v.messages += messages
	v.row += rows
	v.first, v.last = min(v.first, first), max(v.last, last)
	if !slices.Contains(v.reporters, reporter) {
		v.reporters = append(v.reporters, reporter)
	}
}

// Flows gives sums of the records that look alike.
func (s *Store) Flows(ctx context.Context, f archive.Filter) iter.Seq2[*archive.Flow, error] {
	return sequence(ctx, s, f, func(c *conn, q *query, yield func(*archive.Flow) error) error {
		fs, err := q.flows(ctx, c, (*flows).read)
		if err != nil {
			return err
		}
		return s.emit(ctx, c, fs.all, yield)
	})
}

// flows collects the flows of a query, or a part of them.
func (q *query) flows(ctx context.Context, c *conn, read func(*flows, context.Context, *conn, int64) error) (*flows, error) {
	fs := &flows{q: q, all: map[flowID]*flow{}}
	domains := q.domains
	if domains == nil {
		domains = []int64{0}
	}
	for _, d := range domains {
		if err := read(fs, ctx, c, d); err != nil {
			return nil, err
		}
	}
	return fs, nil
}

// read collects the flows of a domain; of all if it is 0.
func (fs *flows) read(ctx context.Context, c *conn, domain int64) error {
	q := fs.q
	first, last, rest := q.months()
	if first <= last {
		if err := fs.months(ctx, c, domain, first, last); err != nil {
			return err
		}
	}
	for _, days := range rest {
		t := fs.terms(domain)
		t.add("r.begin_at >= ? AND r.begin_at < ? AND r.first_day = r.last_day", days[0].Time(), (days[1] + 1).Time())
		if err := fs.facts(ctx, c, t); err != nil {
			return err
		}
	}
	return fs.long(ctx, c, domain)
}

// long reads the reports of several days, which are in no sum by source.
func (fs *flows) long(ctx context.Context, c *conn, domain int64) error {
	t := fs.terms(domain)
	t.index = indexLong
	t.add("r.last_day > r.first_day AND r.last_day >= ? AND r.first_day <= ?", fs.q.from, fs.q.to)
	return fs.facts(ctx, c, t)
}

// terms are for the table report, without days.
func (fs *flows) terms(domain int64) *terms {
	t := &terms{}
	t.add("r.kind = 1 AND r.counted = 1")
	if domain != 0 {
		t.add("r.domain = ?", domain)
	}
	t.in("r.reporter", fs.q.reporters)
	t.leaveOut("r.class", fs.q.class)
	return t
}

func (fs *flows) months(ctx context.Context, c *conn, domain int64, first, last month) error {
	each := fs.q.sources
	if each == nil {
		each = []addresses{{}}
	}
	for _, a := range each {
		t := &terms{}
		if domain != 0 {
			t.add("domain = ?", domain)
		}
		if a.from != nil {
			t.add("source >= ? AND source <= ?", a.from, a.to)
		}
		t.in("reporter", fs.q.reporters)
		t.add("month >= ? AND month <= ?", first, last)
		t.leaveOut("class", fs.q.class)
		err := c.each(ctx, `SELECT domain, source, look, reporter, sum(messages), sum(records), min(first), max(last) FROM flow_month`+
			t.where()+" GROUP BY domain, source, look, reporter", t.args, func(r *record) error {
			v := fs.of(r.int(0), r.blob(1), r.int(2))
			v.add(r.int(3), r.int(4), r.int(5), r.day(6), r.day(7))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// facts adds records themselves.
func (fs *flows) facts(ctx context.Context, c *conn, t *terms) error {
	var shares []archive.Share
	return c.each(ctx, `SELECT r.domain, f.source, f.look, r.reporter, f.count, r.begin_at, r.end_at
		FROM report r`+t.index+` CROSS JOIN fact f ON f.report = r.id`+t.where(), t.args, func(r *record) error {
		source := r.blob(1)
		if !fs.q.hasSource(source) {
			return nil
		}
		var n int64
		first, last := noDay, archive.Day(-1)
		shares = archive.Spread(shares[:0], r.time(5), r.time(6), r.int(4))
		for _, v := range shares {
			if v.Messages > 0 && v.Day >= fs.q.from && v.Day <= fs.q.to {
				n += v.Messages
				first, last = min(first, v.Day), max(last, v.Day)
			}
		}
		if n > 0 {
			fs.of(r.int(0), source, r.int(2)).add(r.int(3), n, 1, first, last)
		}
		return nil
	})
}

// emit gives the flows in order. Only those that messages and domain cannot
// tell apart need their looks for that.
func (s *Store) emit(ctx context.Context, c *conn, all map[flowID]*flow, yield func(*archive.Flow) error) error {
	domains := map[int64]string{}
	sorted := make([]*flow, 0, len(all))
	for _, v := range all {
		if _, ok := domains[v.domain]; !ok {
			name, err := s.looks.name(c, v.domain)
			if err != nil {
				return err
			}
			domains[v.domain] = name
		}
		sorted = append(sorted, v)
	}
	slices.SortFunc(sorted, func(a, b *flow) int {
		return cmp.Or(cmp.Compare(b.messages, a.messages), strings.Compare(domains[a.domain], domains[b.domain]))
	})
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n].messages == sorted[0].messages && sorted[n].domain == sorted[0].domain {
			n++
		}
		if n > 1 {
			if err := s.sortAlike(ctx, c, sorted[:n]); err != nil {
				return err
			}
		} else { // as many as are in order, for the looks are read together
			for n < len(sorted) && n < pageSize && (n+1 == len(sorted) || sorted[n+1].messages != sorted[n].messages || sorted[n+1].domain != sorted[n].domain) {
				n++
			}
		}
		if err := s.emitPart(ctx, c, sorted[:n], domains, yield); err != nil {
			return err
		}
		sorted = sorted[n:]
	}
	return nil
}

// sortAlike puts flows in the order of their looks.
func (s *Store) sortAlike(ctx context.Context, c *conn, part []*flow) error {
	keys := make(map[*flow]string, len(part))
	var b []byte
	for page := range slices.Chunk(part, pageSize) {
		full, err := s.looksOf(ctx, c, page)
		if err != nil {
			return err
		}
		for i, v := range page {
			b = full[i].AppendKey(b[:0])
			keys[v] = string(b)
		}
	}
	slices.SortFunc(part, func(a, b *flow) int { return strings.Compare(keys[a], keys[b]) })
	return nil
}

// looksOf gives the whole looks of flows.
func (s *Store) looksOf(ctx context.Context, c *conn, part []*flow) ([]archive.Look, error) {
	ids := make([]int64, len(part))
	for i, v := range part {
		ids[i] = v.look
	}
	known, err := s.looks.get(ctx, c, ids)
	if err != nil {
		return nil, err
	}
	out := make([]archive.Look, len(part))
	for i, v := range part {
		out[i] = *known[v.look]
		if out[i].Source, err = sourceOf([]byte(v.source)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Store) emitPart(ctx context.Context, c *conn, part []*flow, domains map[int64]string, yield func(*archive.Flow) error) error {
	for page := range slices.Chunk(part, pageSize) {
		full, err := s.looksOf(ctx, c, page)
		if err != nil {
			return err
		}
		for i, v := range page {
			out := &archive.Flow{Domain: domains[v.domain], Look: full[i], Messages: v.messages, Rows: v.row,
				First: v.first.Time(), Last: v.last.Time()}
			for _, id := range v.reporters {
				name, err := s.looks.name(c, id)
				if err != nil {
					return err
				}
				out.Reporters = append(out.Reporters, name)
			}
			slices.Sort(out.Reporters)
			out.Reporters = out.Reporters[:min(len(out.Reporters), archive.MaxFlowReporters)]
			if err := yield(out); err != nil {
				return err
			}
		}
	}
	return nil
}
