package archivetest

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

var groups = []archive.Group{archive.ByNothing, archive.ByDomain, archive.ByDay, archive.ByMonth, archive.BySource, archive.ByReporter,
	archive.ByHeaderFrom, archive.ByPolicy}

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// Filters gives filters of all kinds, and some made at random.
func Filters(seed uint64) []archive.Filter {
	prefix := netip.MustParsePrefix
	out := []archive.Filter{
		{}, {NoForged: true}, {NoAlien: true}, {NoForged: true, NoAlien: true}, {Uncounted: true}, {Kind: archive.TLS}, {Kind: archive.Failure, Uncounted: true},
		{Domains: []string{"example.org"}}, {Domains: domains[:3]}, {Domains: []string{"none.example"}}, {Reporters: []string{"rcv.example"}},
		{Reporters: []string{"rcv.example", "b.example", "none.example"}}, {Reporters: []string{"none.example"}},
		{Since: date(2026, 1, 1)}, {Until: date(2026, 1, 1)}, {Since: date(2025, 12, 1), Until: date(2026, 2, 1)},
		{Since: date(2025, 12, 1).Add(time.Hour), Until: date(2026, 1, 31).Add(23 * time.Hour)}, {Since: date(2026, 1, 31), Until: date(2026, 2, 1)},
		{Since: date(2026, 2, 10), Until: date(2026, 2, 11)}, {Since: date(2026, 2, 10), Until: date(2025, 2, 10)}, {Since: date(1960, 1, 1), Until: date(2200, 1, 1)},
		{Sources: []netip.Prefix{prefix("192.0.2.1/32")}}, {Sources: []netip.Prefix{prefix("192.0.2.77/24")}}, {Sources: []netip.Prefix{prefix("0.0.0.0/0")}},
		{Sources: []netip.Prefix{prefix("::/0")}}, {Sources: []netip.Prefix{prefix("::ffff:192.0.2.1/128")}}, {Sources: []netip.Prefix{prefix("::ffff:0:0/90")}}, {Sources: []netip.Prefix{{}}},
		{Sources: []netip.Prefix{prefix("2001:db8:1::/48"), prefix("2001:db8:1::ff/128"), prefix("192.0.2.0/30")}},
		{Sources: []netip.Prefix{prefix("2001:db8::1/128")}, Domains: []string{"example.org"}, Since: date(2025, 12, 3)},
		{Sources: []netip.Prefix{prefix("192.0.2.2/32")}, Domains: []string{"example.com"}, Reporters: []string{"rcv.example"}},
		{Domains: []string{"example.org"}, Reporters: []string{"google.example"}, Since: date(2025, 12, 15), Until: date(2026, 3, 3), NoForged: true, NoAlien: true},
	}
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 3))}
	for range 24 {
		var f archive.Filter
		if g.IntN(2) == 0 {
			f.Domains = domains[g.IntN(3):][:1+g.IntN(2)]
		}
		if g.IntN(2) == 0 {
			f.Since = start.Add(time.Duration(g.IntN(120*24)) * time.Hour)
		}
		if g.IntN(2) == 0 {
			f.Until = start.Add(time.Duration(24+g.IntN(140*24)) * time.Hour)
		}
		for range g.IntN(4) / 2 {
			a := netip.MustParseAddr(pick(g, sources...))
			f.Sources = append(f.Sources, netip.PrefixFrom(a, a.BitLen()-pick(g, 0, 0, 0, 8, 20)))
		}
		if g.IntN(4) == 0 {
			f.Reporters = []string{pick(g, "rcv.example", "google.example", "c.example")}
		}
		f.NoForged, f.NoAlien, f.Uncounted = g.IntN(4) == 0, g.IntN(4) == 0, g.IntN(4) == 0
		out = append(out, f)
	}
	return out
}

// Compare asks a reader and the model everything and compares. Ids are the
// reader's own affair.
func (m *Model) Compare(t testing.TB, r archive.Reader, filters []archive.Filter) {
	t.Helper()
	ctx := context.Background()
	bad := 0
	for _, f := range filters {
		same := func(what string, got, want []string) {
			t.Helper()
			if d := difference(got, want); d != "" {
				if bad++; bad <= 5 {
					t.Errorf("%s of %+v: %s", what, f, d)
				}
			}
		}
		for _, by := range groups {
			got, err := r.Totals(ctx, f, by)
			if err != nil {
				t.Fatalf("Totals of %+v by %q: %v", f, by, err)
			}
			same(fmt.Sprintf("Totals by %q", by), lines(got), lines(m.Totals(f, by)))
		}
		got, err := r.Selectors(ctx, f)
		if err != nil {
			t.Fatalf("Selectors of %+v: %v", f, err)
		}
		same("Selectors", lines(got), lines(m.Selectors(f)))
		same("Reports", collect(t, r.Reports(ctx, f)), lines(m.Reports(f)))
		same("Rows", collect(t, r.Rows(ctx, f)), lines(m.Rows(f)))
		same("Flows", collect(t, r.Flows(ctx, f)), lines(m.Flows(f)))
		same("Sessions", collect(t, r.Sessions(ctx, f)), lines(m.Sessions(f)))
		same("Samples", collect(t, r.Samples(ctx, f)), lines(m.Samples(f)))
		same("Inputs", collect(t, r.Inputs(ctx, f)), lines(m.Inputs(f)))
	}
	if bad > 5 {
		t.Errorf("%d more", bad-5)
	}
}

func collect[T any](t testing.TB, seq iter.Seq2[*T, error]) (out []string) {
	t.Helper()
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, line(*v))
	}
	return out
}

func lines[T any](list []T) (out []string) {
	for _, v := range list {
		out = append(out, line(v))
	}
	return out
}

// line writes an answer. The report that a row points to is told by its digest.
func line(v any) string {
	switch x := v.(type) {
	case archive.Report:
		x.ID = 0
		v = x
	case archive.Input:
		x.Report = min(x.Report, 1)
		v = x
	case archive.Row:
		return brief(x.Report) + write(struct {
			Number, Count, Messages int64
			archive.Look
		}{x.Number, x.Count, x.Messages, x.Look})
	case archive.Session:
		d := brief(x.Report)
		x.Report = nil
		return d + write(x)
	case archive.Sample:
		d := brief(x.Report)
		x.Report = nil
		return d + write(x)
	}
	return write(v)
}

func brief(r *archive.Report) string {
	return fmt.Sprint(r.Digest.String()[:12], " ", r.Domain, " ", r.Reporter, " ", r.Counted, " ")
}

func write(v any) string {
	j, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(j)
}

func difference(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			a, b := got[i], want[i]
			k := 0
			for k < min(len(a), len(b)) && a[k] == b[k] {
				k++
			}
			k = max(0, k-60)
			return fmt.Sprintf("%d of %d, want %d: got\n  …%.300s\nwant\n  …%.300s", i, len(got), len(want), a[k:], b[k:])
		}
	}
	switch n := min(len(got), len(want)); {
	case len(got) > n:
		return fmt.Sprintf("%d, want %d; too much: %.300s", len(got), n, got[n])
	case len(want) > n:
		return fmt.Sprintf("%d, want %d; missing: %.300s", n, len(want), want[n])
	}
	return ""
}
