package source_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/reports/source"
)

// The benchmarks have files as receivers send them: records of about 800 octets,
// compressed about 30 times. Everything follows from the seed.

func makeReport(w io.Writer, n int, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 2))
	one := func(words ...string) string { return words[rng.IntN(len(words))] }
	fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<feedback>\n  <version>1.0</version>\n  <report_metadata>\n    <org_name>receiver%d.example</org_name>\n"+
		"    <email>dmarc-reports@receiver.example</email>\n    <extra_contact_info>https://receiver.example/dmarc</extra_contact_info>\n    <report_id>%d.%d</report_id>\n"+
		"    <date_range>\n      <begin>1750000000</begin>\n      <end>1750086399</end>\n    </date_range>\n  </report_metadata>\n  <policy_published>\n    <domain>example.org</domain>\n"+
		"    <adkim>r</adkim>\n    <aspf>r</aspf>\n    <p>reject</p>\n    <sp>reject</sp>\n    <pct>100</pct>\n  </policy_published>\n", seed%9, seed, rng.Uint64())
	for range n {
		ip := fmt.Sprintf("%d.%d.%d.%d", 1+rng.IntN(222), rng.IntN(256), rng.IntN(256), rng.IntN(256))
		if rng.IntN(6) == 0 {
			ip = fmt.Sprintf("2001:db8:%x::%x", rng.IntN(256), rng.IntN(65536))
		}
		dkim, spf, host, extra := one("pass", "pass", "pass", "pass", "fail"), one("pass", "pass", "pass", "pass", "fail"), rng.IntN(20), ""
		if rng.IntN(3) == 0 {
			extra = fmt.Sprintf("      <dkim>\n        <domain>mailer%d.example</domain>\n        <selector>k1</selector>\n        <result>pass</result>\n      </dkim>\n", rng.IntN(9))
		}
		reason := ""
		if rng.IntN(10) == 0 {
			reason = "        <reason>\n          <type>local_policy</type>\n          <comment>arc=pass as[1].d=lists.example &amp; known</comment>\n        </reason>\n"
		}
		fmt.Fprintf(w, "  <record>\n    <row>\n      <source_ip>%s</source_ip>\n      <count>%d</count>\n      <policy_evaluated>\n        <disposition>%s</disposition>\n"+
			"        <dkim>%s</dkim>\n        <spf>%s</spf>\n%s      </policy_evaluated>\n    </row>\n    <identifiers>\n      <envelope_to>inbox%d.example</envelope_to>\n"+
			"      <envelope_from>bounce%d.example.org</envelope_from>\n      <header_from>example.org</header_from>\n    </identifiers>\n    <auth_results>\n      <dkim>\n"+
			"        <domain>example.org</domain>\n        <selector>s%d</selector>\n        <result>%s</result>\n      </dkim>\n%s      <spf>\n        <domain>bounce%d.example.org</domain>\n"+
			"        <scope>mfrom</scope>\n        <result>%s</result>\n      </spf>\n    </auth_results>\n  </record>\n",
			ip, 1+rng.IntN(400), one("none", "none", "none", "quarantine", "reject"), dkim, spf, reason, rng.IntN(50), host, rng.IntN(4), dkim, extra, host, spf)
	}
	io.WriteString(w, "</feedback>\n")
}

func writeReport(tb testing.TB, name string, n int, seed uint64) (plain int64) {
	f, err := os.Create(name)
	if err != nil {
		tb.Fatal(err)
	}
	z := gzip.NewWriter(f)
	count := &counter{w: z}
	w := bufio.NewWriterSize(count, 1<<20)
	makeReport(w, n, seed)
	for _, err := range []error{w.Flush(), z.Close(), f.Close()} {
		if err != nil {
			tb.Fatal(err)
		}
	}
	return count.n
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return c.w.Write(p) }

// readFile reads all reports of one file and sums their records.
func readFile(name string) (records int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for doc, err := range source.Read(name, f, source.Options{}) {
		if err != nil {
			return records, err
		}
		rep, err := aggregate.Read(doc.Body, aggregate.Options{}, func(*aggregate.Record) error { return nil })
		if err != nil {
			return records, err
		}
		records += rep.Records
	}
	return records, nil
}

// BenchmarkSmallFiles reads 10,000 files of 1 to 12 records; one operation is all
// of them.
func BenchmarkSmallFiles(b *testing.B) {
	dir := b.TempDir()
	var names []string
	for i := range 10_000 {
		name := filepath.Join(dir, fmt.Sprintf("%d.xml.gz", i))
		n := 1
		if i%2 == 0 {
			n += i % 12
		}
		writeReport(b, name, n, uint64(i))
		names = append(names, name)
	}
	b.ResetTimer()
	for b.Loop() {
		for _, name := range names {
			if n, err := readFile(name); err != nil || n == 0 {
				b.Fatal(n, err)
			}
		}
	}
}

// BenchmarkLarge reads a report of 500,000 records in a process of its own, to
// tell its peak memory.
func BenchmarkLarge(b *testing.B) {
	if testing.Short() {
		b.Skip("it writes 400 MB through gzip first")
	}
	name := filepath.Join(b.TempDir(), "r.xml.gz")
	plain := writeReport(b, name, 500_000, 1)
	b.SetBytes(plain)
	b.ResetTimer()
	var took time.Duration
	var peak int64
	for b.Loop() {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), "SOURCE_BENCH_FILE="+name)
		out, err := cmd.CombinedOutput()
		if err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		var ns, kb int64
		if _, err := fmt.Sscanf(string(out), "%d %d", &ns, &kb); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		took, peak = took+time.Duration(ns), max(peak, kb)
	}
	b.ReportMetric(took.Seconds()/float64(b.N), "s/report")
	b.ReportMetric(float64(peak)/1024, "MB-peak")
}

// TestMain is the child of BenchmarkLarge when that asks for it.
func TestMain(m *testing.M) {
	name := os.Getenv("SOURCE_BENCH_FILE")
	if name == "" {
		os.Exit(m.Run())
	}
	start := time.Now()
	if n, err := readFile(name); err != nil || n != 500_000 {
		fmt.Println(n, err)
		os.Exit(1)
	}
	took := time.Since(start)
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kb int64
	fmt.Sscan(rest, &kb)
	fmt.Println(int64(took), kb)
}
