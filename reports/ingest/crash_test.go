package ingest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/memory"
	"github.com/mailcheck-go/mailcheck/reports/ingest"
	"github.com/mailcheck-go/mailcheck/reports/source"
)

var ctx = context.Background()

// crashing fails a commit, before or after it took effect, when told to.
type crashing struct {
	archive.Store
	fail func() (before, after bool)
}

var errCrash = errors.New("crash")

func (c crashing) Begin(ctx context.Context) (archive.Batch, error) {
	b, err := c.Store.Begin(ctx)
	return crashingBatch{b, c.fail}, err
}

type crashingBatch struct {
	archive.Batch
	fail func() (before, after bool)
}

func (b crashingBatch) Commit() error {
	before, after := b.fail()
	if before {
		b.Batch.Rollback()
		return errCrash
	}
	if err := b.Batch.Commit(); err != nil {
		return err
	}
	if after {
		return errCrash
	}
	return nil
}

// contents is what an archive holds, as far as a crash must not change it.
func contents(t *testing.T, s archive.Reader) string {
	t.Helper()
	var out strings.Builder
	totals, err := s.Totals(ctx, archive.Filter{}, archive.ByDomain)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%+v\n", totals)
	for r, err := range s.Reports(ctx, archive.Filter{Uncounted: true}) {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s %s %s %v %v\n", r.Kind, r.ReportID, r.Domain, r.Counted, r.Messages)
	}
	var lines []string
	for in, err := range s.Inputs(ctx, archive.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", in.Path, in.Outcome, in.Reason))
	}
	slices.Sort(lines)
	return out.String() + strings.Join(lines, "\n")
}

// differs tells the lines that only one of two has.
func differs(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	count := map[string]int{}
	for _, l := range a {
		count[l]++
	}
	for _, l := range b {
		count[l]--
	}
	var out []string
	for l, n := range count {
		if n != 0 {
			out = append(out, fmt.Sprintf("%+d %s", n, l))
		}
	}
	return strings.Join(out, "\n")
}

func fill(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		write(t, filepath.Join(dir, fmt.Sprintf("%03d.xml", i)), aggregateXML(fmt.Sprint(i), "example.org", i+1))
	}
	write(t, filepath.Join(dir, "500.txt"), "no report")
	write(t, filepath.Join(dir, "501.xml"), "<html><nothing/></html>")
	return dir
}

// However often a run is stopped between the pack and the archive or behind it,
// nothing is lost and nothing is doubled.
func TestCrashes(t *testing.T) {
	dir := fill(t, 60)
	clean := memory.New()
	if _, err := ingest.Run(ctx, ingest.Paths(dir), ingest.Options{Store: clean, Raw: rawDir(t), Now: now}); err != nil {
		t.Fatal(err)
	}
	want := contents(t, clean)
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 12 {
		store, packs := memory.New(), rawDir(t)
		opt := ingest.Options{Store: store, Raw: packs, Now: now, BatchLines: 1 + rnd.IntN(20)}
		for range 5 {
			c, cancel := context.WithCancel(ctx)
			opt.Store = crashing{store, func() (bool, bool) { return rnd.IntN(4) == 0, rnd.IntN(4) == 0 }}
			left := rnd.IntN(50)
			opt.Note = func(archive.Input) {
				if left--; left == 0 {
					cancel()
				}
			}
			if _, err := ingest.Run(c, ingest.Paths(dir), opt); err != nil && !errors.Is(err, errCrash) && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			cancel()
		}
		opt.Store, opt.Note = store, nil
		if _, err := ingest.Run(ctx, ingest.Paths(dir), opt); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, store); got != want {
			t.Fatalf("round %d: %s", round, differs(got, want))
		}
		again := memory.New()
		if _, err := ingest.Rebuild(ctx, ingest.Options{Store: again, Raw: packs, Now: now}); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, again); got != want {
			t.Fatalf("round %d, rebuilt: %s", round, differs(got, want))
		}
	}
}

// Where no pack can be written nothing gets into the archive.
func TestNoRoom(t *testing.T) {
	dir, store, packs := fill(t, 10), memory.New(), rawDir(t)
	if err := os.RemoveAll(packs.Path()); err != nil {
		t.Fatal(err)
	}
	opt := ingest.Options{Store: store, Raw: packs, Now: now}
	if _, err := ingest.Run(ctx, ingest.Paths(dir), opt); err == nil {
		t.Fatal("no error")
	}
	if got := contents(t, store); got != "[]\n" {
		t.Errorf("the archive has %s", got)
	}
}

// What a parser refuses is kept once, and tried again.
func TestRefusedIsKept(t *testing.T) {
	dir, store, packs := fill(t, 0), memory.New(), rawDir(t)
	opt := ingest.Options{Store: store, Raw: packs, Now: now}
	for range 3 {
		if _, err := ingest.Run(ctx, ingest.Paths(dir), opt); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, fmt.Sprint(rand.Int(), ".xml")), "<html><nothing/></html>")
	}
	n := 0
	names, _ := packs.Packs()
	for _, name := range names {
		p, err := packs.Pack(name)
		if err != nil {
			t.Fatal(err)
		}
		for m := range p.Members() {
			if n++; !m.Rejected {
				t.Errorf("%+v", m)
			}
		}
		p.Close()
	}
	if n != 1 {
		t.Errorf("%d documents are kept", n)
	}
	res, err := ingest.Rebuild(ctx, ingest.Options{Store: memory.New(), Raw: packs, Now: now})
	if err != nil || res.Refused != 4 || len(res.Unavailable) != 0 {
		t.Errorf("%+v, %v", res, err)
	}
}

func input(name string, data []byte) iter.Seq2[ingest.Input, error] {
	return func(yield func(ingest.Input, error) bool) {
		yield(ingest.Input{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}, nil)
	}
}

func zipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func runOne(t *testing.T, data []byte, opt ingest.Options) (*ingest.Result, archive.Store) {
	t.Helper()
	if opt.Store == nil {
		opt.Store = memory.New()
	}
	opt.Now = now
	res, err := ingest.Run(ctx, input("in", data), opt)
	if err != nil {
		t.Fatal(err)
	}
	return res, opt.Store
}

func TestHostileInputs(t *testing.T) {
	report := aggregateXML("1", "example.org", 1)
	big := strings.Repeat("<record><row><source_ip>192.0.2.1</source_ip><count>1</count></row></record>", 16_000)
	many := strings.Replace(report, "</record>", "</record>"+big, 1)
	tests := []struct {
		name     string
		data     []byte
		opt      source.Options
		new, bad int64
		rows     int64
	}{
		{"large, streamed", []byte(many), source.Options{}, 1, 0, 16_001},
		{"a bomb", zipped(bytes.Repeat([]byte(" "), 20<<20)), source.Options{}, 0, 1, 0},
		{"a bomb in a report", zipped([]byte(strings.Replace(report, "Receiver", strings.Repeat("x", 18<<20), 1))), source.Options{Ratio: 10}, 0, 1, 0},
		{"too long", []byte(many), source.Options{Bytes: 1 << 20}, 0, 1, 0},
		{"cut off", zipped([]byte(many))[:2000], source.Options{}, 1, 0, -1},
		{"entities", []byte("<!DOCTYPE x [<!ENTITY a \"b\">]>" + report), source.Options{}, 0, 1, 0},
		{"a name that is a path", mailWith("../../../etc/passwd\x1b[2J", report), source.Options{}, 1, 0, 1},
		{"one tag", []byte("<feedback " + strings.Repeat("x", 3<<20)), source.Options{}, 0, 1, 0},
		{"deep", []byte("<feedback>" + strings.Repeat("<a>", 200_000)), source.Options{}, 0, 1, 0},
		{"empty", nil, source.Options{}, 0, 1, 0},
		{"counts that overflow", []byte(strings.ReplaceAll(many, "<count>1</count>", "<count>9223372036854775807</count>")), source.Options{}, 1, 0, 16_001},
		{"times", []byte(strings.ReplaceAll(report, "1700006400", "-9223372036854775808")), source.Options{}, 1, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			packs := rawDir(t)
			res, _ := runOne(t, tt.data, ingest.Options{Raw: packs, Source: tt.opt})
			if res.New != tt.new || res.Refused != tt.bad || tt.rows >= 0 && res.Rows != tt.rows || res.Messages < 0 {
				t.Errorf("%+v", res)
			}
			entries, err := os.ReadDir(packs.Path())
			if err != nil || len(entries) != 1 {
				t.Errorf("%v, %v", entries, err)
			}
			built, err := ingest.Rebuild(ctx, ingest.Options{Store: memory.New(), Raw: packs, Now: now})
			if err != nil || built.New != res.New || built.Rows != res.Rows || built.Refused != res.Refused {
				t.Errorf("rebuilt: %+v, %v", built, err)
			}
		})
	}
}

func mailWith(name, report string) []byte {
	return []byte("From: r@receiver.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/xml; name=\"" + name +
		"\"\r\nContent-Disposition: attachment; filename=\"" + name + "\"\r\n\r\n" + report + "\r\n--b--\r\n")
}

// The same report in another container is the same.
func TestSameInOtherContainers(t *testing.T) {
	report, store := aggregateXML("1", "example.org", 5), memory.New()
	for i, data := range [][]byte{[]byte(report), zipped([]byte(report)), zipped(zipped([]byte(report))), []byte(strings.ReplaceAll(report, "><", ">\r\n<"))} {
		res, _ := runOne(t, data, ingest.Options{Store: store})
		if i == 0 && res.New != 1 || i > 0 && res.Duplicate != 1 {
			t.Errorf("%d: %+v", i, res)
		}
	}
	if res, _ := runOne(t, []byte(aggregateXML("1", "example.org", 6)), ingest.Options{Store: store}); res.Conflicting != 1 {
		t.Errorf("%+v", res)
	}
}

func TestAlien(t *testing.T) {
	tls := `{"organization-name":"x","report-id":"%s","date-range":{"start-datetime":"2026-01-01T00:00:00Z","end-datetime":"2026-01-01T23:59:59Z"},"contact-info":"a@b.example",` +
		`"policies":[{"policy":{"policy-type":"%s","policy-domain":"%s"},"summary":{"total-successful-session-count":1,"total-failure-session-count":0}}]}`
	for _, tt := range []struct {
		doc   string
		alien int64
	}{
		{aggregateXML("1", "example.org", 1), 0},
		{aggregateXML("1", "Mail.Example.ORG.", 1), 0},
		{aggregateXML("1", "badexample.org", 1), 1},
		{aggregateXML("1", "org", 1), 1},
		{strings.Replace(aggregateXML("1", "other.example", 1), "</record>", strings.Repeat("</record><record><row><count>1</count></row>", 3000)+"</record>", 1), 1},
		{fmt.Sprintf(tls, "1", "sts", "example.org"), 0},
		{fmt.Sprintf(tls, "2", "sts", "example.net"), 1},
		{fmt.Sprintf(tls, "3", "tlsa", "mx.hoster.example"), 0},
	} {
		if res, _ := runOne(t, []byte(tt.doc), ingest.Options{Ours: []string{"Example.org"}}); res.New != 1 || res.Alien != tt.alien {
			t.Errorf("%.40s: %+v", tt.doc, res)
		}
		if res, _ := runOne(t, []byte(tt.doc), ingest.Options{}); res.Alien != 0 {
			t.Errorf("%+v", res)
		}
	}
}

func TestProof(t *testing.T) {
	report := aggregateXML("1", "example.org", 1)
	inner := "Authentication-Results: mx.example.org; dmarc=pass header.from=receiver.example\r\n" + string(mailWith("r.xml", report))
	for _, tt := range []struct {
		name, mail string
		want       archive.Proof
	}{
		{"none", string(mailWith("r.xml", report)), archive.Unproven},
		{"pass", inner, archive.Proven},
		{"fail", strings.Replace(inner, "=pass", "=fail", 1), archive.Forged},
		{"another server", strings.Replace(inner, "mx.example.org", "mx.evil.example", 1), archive.Unproven},
		{"below another server", "Authentication-Results: mx.evil.example; dmarc=fail\r\n" + inner, archive.Unproven},
		{"about another mail", strings.Replace(inner, "header.from=receiver.example", "header.from=evil.example", 1), archive.Unproven},
		{"a comment", strings.Replace(inner, "dmarc=pass", "spf=pass (; dmarc=pass )", 1), archive.Unproven},
		{"in quotes", strings.Replace(inner, "dmarc=pass", `spf=pass reason="; dmarc=pass "`, 1), archive.Unproven},
		{"temperror", strings.Replace(inner, "=pass", "=temperror", 1), archive.Unproven},
		{"two fields", "Authentication-Results: mx.example.org; spf=pass\r\n" + inner, archive.Proven},
		{"in an attached mail", "From: a@evil.example\r\nContent-Type: message/rfc822\r\n\r\n" + inner, archive.Unproven},
		{"in an mbox", "From a Mon Jan  1 00:00:00 2026\r\n" + inner, archive.Unproven},
	} {
		res, store := runOne(t, []byte(tt.mail), ingest.Options{Prove: ingest.TrustedResults([]string{"MX.example.org"})})
		if res.New != 1 {
			t.Errorf("%s: %+v", tt.name, res)
		}
		for r, err := range store.Reports(ctx, archive.Filter{}) {
			if err != nil || r.Origin.Proof != tt.want {
				t.Errorf("%s: %q, %v", tt.name, r.Origin.Proof, err)
			}
		}
	}
	if got := ingest.TrustedResults(nil)(source.Mail{From: "a@b.example", AuthenticationResults: []string{"; dmarc=pass"}}); got != archive.Unproven {
		t.Errorf("got %q", got)
	}
}

// Done comes after the commit, in order, and a flush does not wait for the end.
func TestFlush(t *testing.T) {
	store := memory.New()
	var done []string
	seq := func(yield func(ingest.Input, error) bool) {
		for i := range 3 {
			in := ingest.Input{Name: fmt.Sprint(i), Done: func(taken bool) { done = append(done, fmt.Sprint(i, taken)) },
				Open: func() (io.ReadCloser, error) {
					text := aggregateXML(fmt.Sprint(i), "example.org", 1)
					if i == 1 {
						text = "nothing"
					}
					return io.NopCloser(strings.NewReader(text)), nil
				}}
			if !yield(in, nil) {
				return
			}
		}
		if !yield(ingest.Input{Flush: true}, nil) {
			return
		}
		if got := strings.Join(done, " "); got != "0 true 1 false 2 true" {
			t.Errorf("after the flush: %s", got)
		}
		if n, _ := store.Totals(ctx, archive.Filter{}, archive.ByNothing); len(n) != 1 || n[0].Reports != 2 {
			t.Errorf("%+v", n)
		}
		yield(ingest.Input{Name: "lost"}, errors.New("the server has gone"))
	}
	res, err := ingest.Run(ctx, seq, ingest.Options{Store: store, Raw: rawDir(t), Now: now, BatchTime: time.Hour})
	if err != nil || res.New != 2 || len(res.Unavailable) != 1 || res.Unavailable[0].Source != "lost" {
		t.Errorf("%+v, %v", res, err)
	}
}

// All that is public comes through the raw reports unchanged.
func TestCorpusRebuild(t *testing.T) {
	dirs := []string{"../../../shared/corpus/dmarc", "../../../shared/corpus/tlsrpt", "../../../shared/corpus/dmarc-failure"}
	for _, d := range dirs {
		if _, err := os.Stat(d); err != nil {
			t.Skip("the corpus is not there")
		}
	}
	store, packs := memory.New(), rawDir(t)
	res, err := ingest.Run(ctx, ingest.Paths(dirs...), ingest.Options{Store: store, Raw: packs, Now: now, BatchLines: 50})
	if err != nil || res.New < 200 {
		t.Fatalf("%+v, %v", res, err)
	}
	fresh := memory.New()
	if _, err := ingest.Rebuild(ctx, ingest.Options{Store: fresh, Raw: packs, Now: now}); err != nil {
		t.Fatal(err)
	}
	if a, b := contents(t, store), contents(t, fresh); a != b {
		t.Errorf("was\n%s\nis\n%s", a, b)
	}
}

// A damaged pack is told of, and does not keep the others away.
func TestDamagedPack(t *testing.T) {
	dir, packs := fill(t, 40), rawDir(t)
	if _, err := ingest.Run(ctx, ingest.Paths(dir), ingest.Options{Store: memory.New(), Raw: packs, Now: now, BatchLines: 10}); err != nil {
		t.Fatal(err)
	}
	names, _ := packs.Packs()
	path := filepath.Join(packs.Path(), names[1])
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []func([]byte) []byte{
		func(b []byte) []byte { return b[:len(b)/2] },
		func(b []byte) []byte { return nil },
		func(b []byte) []byte { c := slices.Clone(b); c[200] ^= 0xff; return c },
	} {
		if err := os.WriteFile(path, damage(b), 0o600); err != nil {
			t.Fatal(err)
		}
		res, err := ingest.Rebuild(ctx, ingest.Options{Store: memory.New(), Raw: packs, Now: now})
		if err != nil || res.New < 30 || res.New > 39 || len(res.Unavailable) == 0 {
			t.Errorf("%+v, %v", res, err)
		}
	}
}
