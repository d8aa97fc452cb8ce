package sqlite

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"context"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// looks is what readers remember of the tables look and name. Ids are never
// used again, so that nothing of it gets old.
type looks struct {
	mu    sync.Mutex
	looks cache[int64, *archive.Look]
	names cache[int64, string]
}

func newLooks() *looks { return &looks{} }

// get gives looks by id, without their sources. They are shared: read only.
func (l *looks) get(ctx context.Context, c *conn, ids []int64) (map[int64]*archive.Look, error) {
	out := make(map[int64]*archive.Look, len(ids))
	var missing []int64
	l.mu.Lock()
	for _, id := range ids {
		if _, ok := out[id]; ok {
			continue
		}
		v, ok := l.looks.get(id)
		if out[id] = v; !ok {
			missing = append(missing, id)
		}
	}
	l.mu.Unlock()
	if len(missing) == 0 {
		return out, nil
	}
	if err := readLooks(ctx, c, missing, out); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range missing {
		if out[id] == nil {
			return nil, fmt.Errorf("%w: a record without its look", archive.ErrCorrupt)
		}
		l.looks.put(id, out[id])
	}
	return out, nil
}

func readLooks(ctx context.Context, c *conn, ids []int64, out map[int64]*archive.Look) error {
	in := []any{array(ids)}
	var children int64
	err := c.each(ctx, `SELECT id, verdict, disposition, header_from, envelope_from, envelope_to, source_text, children
		FROM look WHERE id IN (SELECT value FROM json_each(?))`, in, func(r *record) error {
		v := verdict(r.int(1))
		out[r.int(0)] = &archive.Look{DKIM: v&1 != 0, SPF: v&2 != 0, Disposition: r.text(2), HeaderFrom: r.text(3),
			EnvelopeFrom: r.text(4), EnvelopeTo: r.text(5), SourceText: r.text(6)}
		children |= r.int(7)
		return nil
	})
	if err == nil && children&hasReasons != 0 {
		err = c.children(ctx, "type, comment", "reason", in, out, func(l *archive.Look, r *record) {
			l.Reasons = append(l.Reasons, archive.Reason{Type: r.text(1), Comment: r.text(2)})
		})
	}
	if err == nil && children&hasSignatures != 0 {
		err = c.children(ctx, "domain, selector, result", "signature", in, out, func(l *archive.Look, r *record) {
			l.Signatures = append(l.Signatures, archive.Signature{Domain: r.text(1), Selector: r.text(2), Result: aggregate.Result(r.text(3))})
		})
	}
	if err == nil && children&hasSPF != 0 {
		err = c.children(ctx, "domain, scope, result", "spf", in, out, func(l *archive.Look, r *record) {
			l.Checks = append(l.Checks, archive.Check{Domain: r.text(1), Scope: r.text(2), Result: aggregate.Result(r.text(3))})
		})
	}
	return err
}

func (c *conn) children(ctx context.Context, columns, table string, in []any, out map[int64]*archive.Look, add func(*archive.Look, *record)) error {
	return c.each(ctx, "SELECT look, "+columns+" FROM "+table+" WHERE look IN (SELECT value FROM json_each(?)) ORDER BY look, n", in,
		func(r *record) error {
			if l := out[r.int(0)]; l != nil {
				add(l, r)
			}
			return nil
		})
}

// readSignatures calls add for the signatures of a look.
func readSignatures(c *conn, id int64, add func(archive.Signature)) error {
	return c.each(context.Background(), "SELECT domain, selector, result FROM signature WHERE look = ? ORDER BY n", []any{id}, func(r *record) error {
		add(archive.Signature{Domain: r.text(0), Selector: r.text(1), Result: aggregate.Result(r.text(2))})
		return nil
	})
}

// name gives a name by its id.
func (l *looks) name(c *conn, id int64) (string, error) {
	l.mu.Lock()
	v, ok := l.names.get(id)
	l.mu.Unlock()
	if ok {
		return v, nil
	}
	r, err := c.one("SELECT value FROM name WHERE id = ?", id)
	if err != nil {
		return "", err
	}
	if r == nil {
		return "", fmt.Errorf("%w: a name is missing", archive.ErrCorrupt)
	}
	v = r.text(0)
	l.mu.Lock()
	l.names.put(id, v)
	l.mu.Unlock()
	return v, r.err
}

// array writes numbers for json_each.
func array(ids []int64) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(id, 10))
	}
	b.WriteByte(']')
	return b.String()
}

// ids gives the ids of names; those that are in no row have none.
func (c *conn) ids(ctx context.Context, names []string) (out []int64, err error) {
	j, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	err = c.each(ctx, "SELECT id FROM name WHERE value IN (SELECT value FROM json_each(?))", []any{string(j)}, func(r *record) error {
		out = append(out, r.int(0))
		return nil
	})
	return out, err
}
