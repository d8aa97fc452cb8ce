package sqlite_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/sqlite"
)

func init() { helpers["large"] = helperLarge }

// largeReport writes a report of n records, each of another source.
type largeReport struct {
	*rand.Rand
	n, at int
	buf   []byte
}

func (l *largeReport) Read(p []byte) (int, error) {
	if len(l.buf) == 0 {
		switch {
		case l.at == 0:
			l.buf = []byte(`<feedback><report_metadata><org_name>R</org_name><email>x@rcv.example</email><report_id>1</report_id><date_range><begin>1793491200</begin>
<end>1793577599</end></date_range></report_metadata><policy_published><domain>example.org</domain><p>none</p></policy_published>`)
		case l.at <= l.n:
			l.buf = fmt.Appendf(l.buf, `<record><row><source_ip>10.%d.%d.%d</source_ip><count>%d</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf>
</policy_evaluated></row><identifiers><header_from>example.org</header_from><envelope_from>bounce%d.example.org</envelope_from><envelope_to>rcpt%d.example</envelope_to></identifiers>
<auth_results><dkim><domain>example.org</domain><selector>s%d</selector><result>pass</result></dkim><spf><domain>b%d.example</domain><result>fail</result></spf></auth_results></record>`,
				l.at>>16, l.at>>8&255, l.IntN(256), 1+l.IntN(100), l.IntN(20), l.IntN(50), l.IntN(4), l.IntN(20))
		case l.at == l.n+1:
			l.buf = []byte("</feedback>")
		default:
			return 0, io.EOF
		}
		l.at++
	}
	n := copy(p, l.buf)
	l.buf = l.buf[:copy(l.buf, l.buf[n:])]
	return n, nil
}

func helperLarge(path string) int {
	ctx := context.Background()
	n, _ := strconv.Atoi(os.Getenv("MAILCHECK_TEST_RECORDS"))
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	b, err := s.Begin(ctx)
	if err == nil {
		_, err = b.Aggregate(ctx, archive.Origin{}, func(each func(*aggregate.Record) error) (*aggregate.Report, error) {
			return aggregate.Read(&largeReport{Rand: rand.New(rand.NewPCG(1, 1)), n: n}, aggregate.Options{}, each)
		})
	}
	if err == nil {
		err = b.Commit()
	}
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// Not getrusage: its peak is also that of the process this one was forked from.
	status, err := os.ReadFile("/proc/self/status")
	_, peak, ok := strings.Cut(string(status), "VmHWM:")
	if err != nil || !ok {
		return 1
	}
	fmt.Println(strings.Fields(peak)[0])
	return 0
}

// large imports a report of n records in a process of its own.
func large(t testing.TB, n int) (rss int) {
	t.Helper()
	cmd := helper(t, "large", filepath.Join(t.TempDir(), "reports.db"))
	cmd.Env = append(cmd.Env, "MAILCHECK_TEST_RECORDS="+strconv.Itoa(n))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	rss, err = strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return rss
}

// BenchmarkLarge is one report of 500,000 records of as many sources, in KiB of
// the whole process at its peak.
func BenchmarkLarge(b *testing.B) {
	for b.Loop() {
		began := time.Now()
		rss := large(b, 500_000)
		b.ReportMetric(float64(rss), "KiB")
		b.ReportMetric(500_000/time.Since(began).Seconds(), "records/s")
	}
}
