package sqlite

import (
	"context"
	"encoding/json"
	"iter"
	"net/netip"
	"slices"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Sessions gives the policies of TLS reports.
func (s *Store) Sessions(ctx context.Context, f archive.Filter) iter.Seq2[*archive.Session, error] {
	domains := f.Domains
	f.Domains = nil // a policy may be about another domain than its report
	f.Sources = nil // they choose records of aggregate reports
	has := func(d string) bool { return len(domains) == 0 || slices.Contains(domains, d) }
	return sequence(ctx, s, f, func(c *conn, q *query, yield func(*archive.Session) error) error {
		return c.reports(ctx, q, archive.TLS, true, func(h *archive.Report) error {
			return c.each(ctx, "SELECT type, domain, mx_hosts, strings, successful, failed, failures FROM session WHERE report = ? ORDER BY n",
				[]any{h.ID}, func(r *record) error {
					v := &archive.Session{Report: h, Type: r.text(0), Domain: r.text(1), Successful: r.int(4), Failed: r.int(5)}
					for i, to := range map[int]any{2: &v.MXHosts, 3: &v.Strings, 6: &v.Failures} {
						if err := r.list(i, to); err != nil {
							return err
						}
					}
					if r.err != nil || !has(h.Domain) && !has(v.Domain) {
						return r.err
					}
					return yield(v)
				})
		})
	})
}

// Samples gives failure reports.
func (s *Store) Samples(ctx context.Context, f archive.Filter) iter.Seq2[*archive.Sample, error] {
	return sequence(ctx, s, f, func(c *conn, q *query, yield func(*archive.Sample) error) error {
		return c.reports(ctx, q, archive.Failure, true, func(h *archive.Report) error {
			return c.each(ctx, `SELECT source, arrived, mail_from, header_from, auth_failure, alignment, delivery, dkim_domain, dkim_selector, incidents
				FROM sample WHERE report = ?`, []any{h.ID}, func(r *record) error {
				source := r.blob(0)
				v := &archive.Sample{Report: h, Arrived: r.time(1), MailFrom: r.text(2), HeaderFrom: r.text(3), Delivery: r.text(6),
					DKIMDomain: r.text(7), DKIMSelector: r.text(8), Incidents: r.int(9)}
				var err error
				if v.Source, err = sourceOf(source); err != nil {
					return err
				}
				if err := r.list(4, &v.AuthFailure); err != nil {
					return err
				}
				if err := r.list(5, &v.Alignment); err != nil {
					return err
				}
				if r.err != nil || !q.hasSource(source) {
					return r.err
				}
				return yield(v)
			})
		})
	})
}

// Inputs gives the ledger.
func (s *Store) Inputs(ctx context.Context, f archive.Filter) iter.Seq2[*archive.Input, error] {
	return sequence(ctx, s, archive.Filter{Since: f.Since, Until: f.Until}, func(c *conn, q *query, yield func(*archive.Input) error) error {
		t := &terms{}
		if !f.Since.IsZero() {
			t.add("at >= ?", archive.DayOf(f.Since).Time())
		}
		if !f.Until.IsZero() {
			t.add("at < ?", archive.DayOf(f.Until).Time())
		}
		return c.each(ctx, "SELECT at, path, kind, outcome, reason, report, sum, mail_from, mail_id, records, messages FROM input"+
			t.where()+" ORDER BY id", t.args, func(r *record) error {
			v := &archive.Input{At: r.time(0), Path: r.text(1), Kind: archive.Kind(r.text(2)), Outcome: archive.Outcome(r.text(3)),
				Reason: r.text(4), Report: r.int(5), Sum: r.sum(6), From: r.text(7), MailID: r.text(8), Rows: r.int(9), Messages: r.int(10)}
			if r.err != nil {
				return r.err
			}
			return yield(v)
		})
	})
}

// Packs gives the packs of raw reports.
func (s *Store) Packs(ctx context.Context) (out []string, err error) {
	err = s.view(ctx, func(c *conn) error {
		return c.each(ctx, "SELECT name FROM pack ORDER BY id", nil, func(r *record) error {
			out = append(out, r.text(0))
			return nil
		})
	})
	return out, err
}

// Cursor gives the place in a mailbox.
func (s *Store) Cursor(ctx context.Context, mailbox string) (out archive.Cursor, err error) {
	err = s.view(ctx, func(c *conn) error {
		r, err := c.one("SELECT validity, uid FROM cursor WHERE mailbox = ?", mailbox)
		if err == nil && r != nil {
			out = archive.Cursor{Validity: uint32(r.int(0)), UID: uint32(r.int(1))}
			err = r.err
		}
		return err
	})
	return out, err
}

// Names gives what is remembered of addresses.
func (s *Store) Names(ctx context.Context, addrs []netip.Addr) (out []archive.Name, err error) {
	err = s.view(ctx, func(c *conn) error {
		for _, a := range addrs {
			err := c.each(ctx, "SELECT names, state, at FROM address WHERE source = ?", []any{appendSource(nil, a)}, func(r *record) error {
				v := archive.Name{Addr: a.Unmap(), State: r.text(1), At: r.time(2)}
				if err := r.list(0, &v.Names); err != nil {
					return err
				}
				out = append(out, v)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// PutNames remembers names.
func (s *Store) PutNames(ctx context.Context, names []archive.Name) error {
	if err := s.write(ctx); err != nil {
		return err
	}
	var err error
	for _, n := range names {
		j, _ := json.Marshal(n.Names) // strings can be written
		err = s.w.run("INSERT INTO address VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET names = excluded.names, state = excluded.state, at = excluded.at",
			appendSource(nil, n.Addr), string(j), n.State, n.At)
		if err != nil {
			break
		}
	}
	return s.written(err)
}
