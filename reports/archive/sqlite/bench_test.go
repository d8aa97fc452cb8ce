package sqlite_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"sort"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/sqlite"
)

// smallReports writes reports of a few records, hardly any two alike: the worst
// case for an archive.
func smallReports(n int) (docs [][]byte, records int) {
	g := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		var b bytes.Buffer
		begin := 1749513600 + 86400*(i%300)
		fmt.Fprintf(&b, `<?xml version="1.0"?><feedback><version>1.0</version><report_metadata><org_name>rcv%d.example</org_name><email>dmarc@rcv%d.example</email>
<report_id>%d</report_id><date_range><begin>%d</begin><end>%d</end></date_range></report_metadata><policy_published><domain>example.com</domain>
<adkim>r</adkim><aspf>r</aspf><p>quarantine</p><sp>reject</sp><pct>100</pct></policy_published>`, i%6, i%6, i, begin, begin+86399)
		for range 1 + g.IntN(12)*g.IntN(2) {
			records++
			fmt.Fprintf(&b, `<record><row><source_ip>%s</source_ip><count>%d</count><policy_evaluated><disposition>%s</disposition><dkim>%s</dkim><spf>%s</spf>
</policy_evaluated></row><identifiers><envelope_to>rcpt%d.example.net</envelope_to><envelope_from>bounce%d.example.com</envelope_from><header_from>example.com</header_from>
</identifiers><auth_results><dkim><domain>example.com</domain><selector>s%d</selector><result>%s</result></dkim><spf><domain>bounce%d.example.com</domain>
<scope>mfrom</scope><result>%s</result></spf></auth_results></record>`, netip.AddrFrom4([4]byte{byte(1 + g.IntN(222)), byte(g.IntN(256)), byte(g.IntN(256)), byte(g.IntN(256))}),
				1+g.IntN(400), word(g, "none", "none", "quarantine", "reject"), word(g, "pass", "pass", "fail"), word(g, "pass", "fail"),
				g.IntN(50), g.IntN(20), g.IntN(4), word(g, "pass", "pass", "fail"), g.IntN(20), word(g, "pass", "fail"))
		}
		b.WriteString("</feedback>")
		docs = append(docs, b.Bytes())
	}
	return docs, records
}

func word(g *rand.Rand, of ...string) string { return of[g.IntN(len(of))] }

// BenchmarkImport is 10,000 small reports: parsing, and batches of 1,000.
func BenchmarkImport(b *testing.B) {
	docs, records := smallReports(10_000)
	b.ReportMetric(float64(records), "records")
	for b.Loop() {
		importAll(b, filepath.Join(b.TempDir(), "reports.db"), docs)
	}
}

func importAll(b *testing.B, path string, docs [][]byte) {
	ctx := context.Background()
	s := open(b, path)
	defer s.Close()
	var batch archive.Batch
	for i, doc := range docs {
		if i%1000 == 0 {
			batch = begin(b, s)
		}
		o := archive.Origin{Sum: sha256.Sum256(doc), Path: "box/1.xml", At: time.Unix(1_800_000_000, 0)}
		if _, known, err := batch.Known(ctx, o.Sum); known || err != nil {
			b.Fatal(known, err)
		}
		added, err := batch.Aggregate(ctx, o, func(each func(*aggregate.Record) error) (*aggregate.Report, error) {
			return aggregate.Read(bytes.NewReader(doc), aggregate.Options{}, each)
		})
		if err != nil {
			b.Fatal(err)
		}
		in := archive.Input{At: o.At, Path: o.Path, Kind: archive.Aggregate, Outcome: added.Outcome, Report: added.ID, Sum: o.Sum, Rows: added.Rows, Messages: added.Messages}
		if err := batch.Input(ctx, in); err != nil {
			b.Fatal(err)
		}
		if i%1000 == 999 || i == len(docs)-1 {
			if err := batch.Commit(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func begin(t testing.TB, s archive.Store) archive.Batch {
	t.Helper()
	b, err := s.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// year is an archive of 3 million records of 365 days and 2,000 domains, a
// tenth of them of the largest domain.
type year struct {
	*rand.Rand
	weight []float64
	number int
}

const yearDomains = 2000

func newYear() *year {
	y := &year{Rand: rand.New(rand.NewPCG(3, 3))}
	sum := 0.0
	for i := range yearDomains {
		sum += 1 / float64(i+2)
		y.weight = append(y.weight, sum)
	}
	for i := range y.weight {
		y.weight[i] /= sum
	}
	return y
}

func (y *year) report() (*aggregate.Report, []*aggregate.Record) {
	y.number++
	d := sort.SearchFloat64s(y.weight, y.Float64())
	reporter := int(float64(40) * y.Float64() * y.Float64())
	begin := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, y.number*365/300_001)
	r := &aggregate.Report{Format: aggregate.RFC7489, Complete: true}
	r.Metadata = aggregate.Metadata{OrgName: "Reporter", Email: fmt.Sprintf("x@rcv%d.example", reporter), ReportID: fmt.Sprint(y.number), Begin: begin, End: begin.Add(86399 * time.Second)}
	r.Policy = aggregate.Published{Domain: fmt.Sprintf("d%d.example", d), P: aggregate.Of(aggregate.None), Pct: "100"}
	var recs []*aggregate.Record
	for range 1 + y.IntN(19) {
		source := int(float64(20+4000/(d+1)) * y.Float64() * y.Float64())
		rec := &aggregate.Record{Number: int64(len(recs) + 1), Count: int64(1 + y.IntN(300)), SourceIP: netip.AddrFrom4([4]byte{10, byte(d), byte(source >> 8), byte(source)})}
		pass := aggregate.Fail
		if source%7 != 0 && y.IntN(20) > 0 {
			pass = aggregate.Pass
		}
		rec.Evaluated = aggregate.Evaluated{Disposition: aggregate.Of(aggregate.None), DKIM: aggregate.Of(pass), SPF: aggregate.Of(aggregate.Pass)}
		rec.Identifiers = aggregate.Identifiers{HeaderFrom: r.Policy.Domain, EnvelopeFrom: fmt.Sprintf("b%d.example", source%9), EnvelopeTo: fmt.Sprintf("rcpt%d.example", reporter)}
		rec.DKIM = []aggregate.DKIM{{Domain: r.Policy.Domain, Selector: fmt.Sprintf("s%d", source%3), Result: aggregate.Of(pass)}, {Domain: "esp.example", Selector: "k1", Result: aggregate.Of(aggregate.Pass)}}
		rec.SPF = []aggregate.SPF{{Domain: rec.Identifiers.EnvelopeFrom, Result: aggregate.Of(aggregate.Pass)}}
		recs = append(recs, rec)
		r.Messages += rec.Count
	}
	r.Records = int64(len(recs))
	return r, recs
}

// yearFile builds the year once in the directory of MAILCHECK_BENCH_YEAR.
func yearFile(b *testing.B) string {
	dir := os.Getenv("MAILCHECK_BENCH_YEAR")
	if dir == "" {
		b.Skip("set MAILCHECK_BENCH_YEAR to a directory for the archive of 3 million records")
	}
	path := filepath.Join(dir, "year.db")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	began := time.Now()
	s := open(b, path)
	y := newYear()
	rows := int64(0)
	for rows < 3_000_000 {
		batch := begin(b, s)
		for range 2000 {
			r, recs := y.report()
			o := archive.Origin{Sum: sha256.Sum256(fmt.Append(nil, y.number)), At: time.Unix(1_800_000_000, 0)}
			added, err := batch.Aggregate(context.Background(), o, func(each func(*aggregate.Record) error) (*aggregate.Report, error) {
				for _, rec := range recs {
					if err := each(rec); err != nil {
						return r, err
					}
				}
				return r, nil
			})
			if err != nil {
				b.Fatal(err)
			}
			rows += added.Rows
		}
		if err := batch.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d reports, %d records in %v, %d MB", y.number, rows, time.Since(began).Round(time.Second), info.Size()>>20)
	return path
}

// BenchmarkYear asks an archive of 3 million records. Each question is asked of
// an archive opened anew: caches are those of the operating system.
func BenchmarkYear(b *testing.B) {
	path := yearFile(b)
	ctx := context.Background()
	day := func(m time.Month, d int) time.Time { return time.Date(2025, m, d, 0, 0, 0, 0, time.UTC) }
	one := []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32")}
	parts := func(f archive.Filter) archive.Filter { f.Since, f.Until = day(1, 15), day(12, 15); return f }
	largest, common := archive.Filter{Domains: []string{"d0.example"}}, archive.Filter{Domains: []string{"d700.example"}}
	drill := archive.Filter{Domains: largest.Domains, Sources: one}
	totals := func(f archive.Filter, by archive.Group) func(*sqlite.Store) (int, error) {
		return func(s *sqlite.Store) (int, error) {
			v, err := s.Totals(ctx, f, by)
			return len(v), err
		}
	}
	flows := func(f archive.Filter) func(*sqlite.Store) (n int, err error) {
		return func(s *sqlite.Store) (n int, err error) {
			for _, err := range s.Flows(ctx, f) {
				if err != nil {
					return n, err
				}
				n++
			}
			return n, nil
		}
	}
	selectors := func(f archive.Filter) func(*sqlite.Store) (int, error) {
		return func(s *sqlite.Store) (int, error) {
			v, err := s.Selectors(ctx, f)
			return len(v), err
		}
	}
	for _, c := range []struct {
		name string
		ask  func(*sqlite.Store) (int, error)
	}{
		{"open", func(*sqlite.Store) (int, error) { return 0, nil }},
		{"all", totals(archive.Filter{}, archive.ByNothing)}, {"all-part", totals(parts(archive.Filter{}), archive.ByNothing)},
		{"domain", totals(archive.Filter{}, archive.ByDomain)}, {"domain-part", totals(parts(archive.Filter{}), archive.ByDomain)},
		{"day", totals(archive.Filter{}, archive.ByDay)}, {"month", totals(archive.Filter{NoAlien: true, NoForged: true}, archive.ByMonth)},
		{"reporter", totals(archive.Filter{}, archive.ByReporter)}, {"policy", totals(archive.Filter{}, archive.ByPolicy)},
		{"largest-day", totals(largest, archive.ByDay)}, {"largest-reporter", totals(largest, archive.ByReporter)}, {"largest-source", totals(largest, archive.BySource)},
		{"largest-headerfrom", totals(largest, archive.ByHeaderFrom)},
		{"drill-all", totals(drill, archive.ByNothing)}, {"drill-day", totals(drill, archive.ByDay)}, {"drill-flows", flows(drill)}, {"drill-selectors", selectors(drill)},
		{"source-everywhere", totals(archive.Filter{Sources: one}, archive.ByDomain)},
		{"common-day", totals(common, archive.ByDay)}, {"common-source", totals(common, archive.BySource)}, {"common-flows", flows(common)},
		{"common-flows-part", flows(parts(common))}, {"common-selectors", selectors(common)}, {"common-headerfrom", totals(common, archive.ByHeaderFrom)},
		{"largest-flows", flows(largest)}, {"largest-flows-part", flows(parts(largest))}, {"largest-selectors", selectors(largest)},
	} {
		b.Run(c.name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				s, err := sqlite.Open(ctx, path, sqlite.Options{ReadOnly: true})
				if err != nil {
					b.Fatal(err)
				}
				if n, err = c.ask(s); err != nil {
					b.Fatal(err)
				}
				s.Close()
			}
			b.ReportMetric(float64(n), "answers")
		})
	}
}
