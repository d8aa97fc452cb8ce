package sqlite

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// hostile is a report of many records, sources and signatures over a year.
func hostile(records int, count int64) func(func(*aggregate.Record) error) (*aggregate.Report, error) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := &aggregate.Report{Complete: true, Records: int64(records)}
	r.Metadata = aggregate.Metadata{OrgName: "x", ReportID: "1", Begin: begin, End: begin.AddDate(0, 0, 399)}
	r.Policy.Domain = "example.org"
	return func(each func(*aggregate.Record) error) (*aggregate.Report, error) {
		for i := range records {
			rec := &aggregate.Record{Number: int64(i + 1), Count: count, SourceIP: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})}
			for k := range 10 {
				rec.DKIM = append(rec.DKIM, aggregate.DKIM{Domain: fmt.Sprint("d", k, ".example"), Selector: fmt.Sprint(i), Result: aggregate.Of(aggregate.Pass)})
			}
			if err := each(rec); err != nil {
				return r, err
			}
		}
		return r, nil
	}
}

// TestSpread takes in a report of many days: the archive grows with what a
// report has, not with that times the days it claims.
func TestSpread(t *testing.T) {
	ctx := context.Background()
	const records = 600
	s, err := Open(ctx, filepath.Join(t.TempDir(), "reports.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b, err := s.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Aggregate(ctx, archive.Origin{}, hostile(records, 1000)); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"domain_day", "domain_month", "fleet_day", "reporter_day", "source_day", "flow_month", "selector_day"} {
		r, err := s.w.one("SELECT count(*) FROM " + table)
		if err != nil || r.int(0) > 400 {
			t.Errorf("%s has %d rows, %v", table, r.int(0), err)
		}
	}
	f := archive.Filter{Since: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
	if list, err := s.Selectors(ctx, f); len(list) != 10*records || err != nil {
		t.Errorf("%d selectors, %v", len(list), err)
	}
	if list, err := s.Totals(ctx, f, archive.BySource); len(list) != records || err != nil {
		t.Errorf("%d sources, %v", len(list), err)
	}
}

// TestLargeCounts adds up counts that no int64 holds together.
func TestLargeCounts(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "reports.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b, err := s.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Aggregate(ctx, archive.Origin{}, hostile(20, math.MaxInt64)); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	list, err := s.Totals(ctx, archive.Filter{}, archive.ByDomain)
	if err != nil || len(list) != 1 || list[0].Messages != 20*archive.MaxCount {
		t.Errorf("got %+v, %v", list, err)
	}
}
