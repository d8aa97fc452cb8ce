package render

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var update = flag.Bool("update", false, "write the golden files")

func worlds() map[string][]audit.Report {
	return map[string][]audit.Report{
		"healthy": {healthy()},
		"sick":    {sick()},
		"dark":    {dark()},
		"hostile": {hostile(false)},
		"several": {healthy(), sick(), dark()},
		"none":    nil,
	}
}

func options() Options {
	return Options{Version: "1.2.3", FailOn: audit.Error, Rules: table()}
}

func printed(t testing.TB, format string, opt Options, reports ...audit.Report) string {
	t.Helper()
	var b bytes.Buffer
	p, err := New(format, &b, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Begin(); err != nil {
		t.Fatal(err)
	}
	for _, r := range reports {
		if err := p.Report(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.End(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	verbose := options()
	verbose.Verbose = true
	quiet := options()
	quiet.Quiet = true
	colour := options()
	colour.Color = true
	type run struct {
		format, file string
		opt          Options
	}
	var runs []run
	for _, f := range Formats() {
		runs = append(runs, run{f, f, options()})
	}
	runs = append(runs, run{"text", "text-verbose", verbose}, run{"text", "text-quiet", quiet}, run{"text", "text-colour", colour})
	for name, reports := range worlds() {
		for _, x := range runs {
			t.Run(name+"/"+x.file, func(t *testing.T) {
				got := printed(t, x.format, x.opt, reports...)
				if !x.opt.Color {
					harmless(t, got)
				}
				path := filepath.Join("testdata", name+"."+x.file)
				if *update {
					if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("%s differs; go test -update writes it anew. Got:\n%s", path, got)
				}
			})
		}
	}
}

// harmless fails when s holds what must never be shown.
func harmless(t testing.TB, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Fatal("not valid UTF-8")
	}
	for i, r := range s {
		if r == '\n' {
			continue
		}
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			t.Fatalf("%U at %d: %q", r, i, s[max(i-40, 0):min(i+40, len(s))])
		}
	}
}

func TestHostileEverywhere(t *testing.T) {
	r := hostile(true)
	for _, f := range Formats() {
		for _, opt := range []Options{{}, {Verbose: true, FailOn: audit.Notice}, {Quiet: true, FailOn: audit.Notice}} {
			opt.Version = payloads[0]
			harmless(t, printed(t, f, opt, r, r))
		}
	}
	// With colour the only escapes are those of our own palette.
	s := printed(t, "text", Options{Color: true, Verbose: true}, r)
	for _, code := range []string{"0", "1", "2", "31", "31;1", "32", "33;1", "36", "22", "0;22", "0;22;0", "0;0"} {
		s = strings.ReplaceAll(s, "\x1b["+code+"m", "")
	}
	harmless(t, s)
}

// TestForeignLines: no foreign text begins a line of the text form.
func TestForeignLines(t *testing.T) {
	for line := range strings.Lines(printed(t, "text", options(), hostile(false))) {
		if strings.HasPrefix(line, "example.org (sends): OK") {
			t.Errorf("a forged verdict: %q", line)
		}
	}
}

func TestTextFits(t *testing.T) {
	for name, reports := range worlds() {
		for _, w := range []int{0, 40, 66, 120} {
			for _, verbose := range []bool{false, true} {
				opt := Options{Width: w, Verbose: verbose, FailOn: audit.Error}
				limit := w
				if w == 0 {
					limit = 80
				}
				records := recordLines(reports, verbose)
				for line := range strings.Lines(printed(t, "text", opt, reports...)) {
					line = strings.TrimRight(line, "\n")
					if cells(line) > limit && !slices.Contains(records, line) {
						t.Errorf("%s, width %d: %d columns: %q", name, w, cells(line), line)
					}
				}
			}
		}
	}
}

// recordLines are the lines that may be longer than the page.
func recordLines(reports []audit.Report, verbose bool) []string {
	var out []string
	for i := range reports {
		for _, f := range clean(&reports[i]).Findings {
			if verbose {
				for _, e := range f.Evidence {
					out = append(out, e.Records...)
				}
			}
			for _, c := range f.Fix.Changes {
				out = append(out, c.Zone()...)
				for _, d := range c.Old {
					out = append(out, "- "+d)
				}
				for _, d := range c.New {
					text, _ := joined(c.Type, d)
					out = append(out, text)
				}
			}
		}
	}
	return out
}

// TestTextRecord: the record to publish stands on a line of its own, whole.
func TestTextRecord(t *testing.T) {
	r := sick()
	for _, w := range []int{40, 80} {
		got := strings.Split(printed(t, "text", Options{Width: w}, r), "\n")
		for _, f := range []int{2, 3} {
			for _, want := range r.Findings[f].Fix.Changes[0].Zone() {
				if !slices.Contains(got, want) {
					t.Errorf("width %d: no line %q", w, want)
				}
			}
		}
		if want := "v=DKIM1; k=rsa; p=" + strings.Repeat("MIIB", 98); !slices.Contains(got, want) {
			t.Errorf("width %d: no line with the joined text", w)
		}
	}
}

func TestVerdicts(t *testing.T) {
	parked := sick()
	parked.Kind = "parked"
	accepted := sick()
	for i := range accepted.Findings {
		accepted.Findings[i].Suppressed = &audit.Suppression{Rule: "X", Reason: "known"}
	}
	half := healthy()
	half.Rules[0].Outcome = audit.Unknown
	warned := sick()
	warned.Findings = warned.Findings[3:]
	for _, tt := range []struct {
		name string
		r    audit.Report
		want string
	}{
		{"healthy", healthy(), "example.org (sends): OK - 5 passed\n"},
		{"sick", sick(), "example.org (sends): MAIL BROKEN - 3 errors, 1 warning, 1 notice, 1 unknown\n"},
		{"warned", warned, "example.org (sends): MAIL AT RISK - 1 warning, 1 notice, 1 unknown\n"},
		{"parked", parked, "example.org (parked): BROKEN - 3 errors"},
		{"dark", dark(), "example.org (unknown): NOT CHECKED - 6 unknown\n"},
		{"half", half, "example.org (sends): NOT FULLY CHECKED - 4 passed, 1 unknown\n"},
		{"accepted", accepted, "example.org (sends): NOT FULLY CHECKED - "},
		{"nothing run", audit.Report{Domain: example}, "example.org: NOT CHECKED - 0 passed\n"},
	} {
		if got := printed(t, "text", Options{}, tt.r); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %q", tt.name, got)
		}
	}
}

func TestQuiet(t *testing.T) {
	for _, tt := range []struct {
		failOn audit.Severity
		has    []string
		lacks  []string
	}{
		{0, nil, []string{"SPF006", "DMARC001"}},
		{audit.Error, []string{"SPF006"}, []string{"DMARC001", "MX007", "MX009", "DMARC005", "RECEIVERS", "next:"}},
		{audit.Warning, []string{"SPF006", "DMARC001"}, []string{"MX007"}},
		{audit.Notice, []string{"SPF006", "DMARC001", "MX007"}, []string{"MX009"}},
	} {
		got := printed(t, "text", Options{Quiet: true, FailOn: tt.failOn}, sick())
		for _, s := range tt.has {
			if !strings.Contains(got, "  "+s+" ") {
				t.Errorf("%s: no %s in\n%s", tt.failOn, s, got)
			}
		}
		for _, s := range tt.lacks {
			if strings.Contains(got, s) {
				t.Errorf("%s: %s in\n%s", tt.failOn, s, got)
			}
		}
	}
}

func TestNeverCompliant(t *testing.T) {
	r := sick()
	for i := range r.Profiles[0].Requirements {
		r.Profiles[0].Requirements[i].Verdict = audit.Met
	}
	for _, f := range Formats() {
		if got := printed(t, f, options(), r); strings.Contains(strings.ToLower(got), "complian") {
			t.Errorf("%s speaks of compliance", f)
		}
	}
}

func TestOrder(t *testing.T) {
	for _, f := range Formats() {
		want := printed(t, f, options())
		var b bytes.Buffer
		p, err := New(f, &b, options())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // End alone, and once more
			if err := p.End(); err != nil {
				t.Fatal(err)
			}
		}
		if b.String() != want {
			t.Errorf("%s: End alone gives %q", f, b.String())
		}
		if err := p.Report(healthy()); !errors.Is(err, ErrEnded) {
			t.Errorf("%s: report after the end: %v", f, err)
		}
	}
}

type failing struct{ calls int }

var errFull = errors.New("disk full")

func (f *failing) Write([]byte) (int, error) { f.calls++; return 0, errFull }

func TestWriteError(t *testing.T) {
	for _, f := range Formats() {
		w := &failing{}
		p, err := New(f, w, options())
		if err != nil {
			t.Fatal(err)
		}
		p.Begin()
		for range 3 {
			p.Report(sick())
		}
		if err := p.End(); !errors.Is(err, errFull) || w.calls != 1 {
			t.Errorf("%s: %v after %d writes", f, err, w.calls)
		}
	}
}

func TestFormatError(t *testing.T) {
	for in, want := range map[string]string{
		"jsn": "json", "JSON": "json", "md": "markdown", "ndjson": "jsonl", "sarf": "sarif", "jnuit": "junit", "yaml": "", "": "",
		strings.Repeat("json", 1000): "", "\x1b[2J": "", "tex": "text",
	} {
		_, err := New(in, io.Discard, Options{})
		e, ok := errors.AsType[*FormatError](err)
		if !ok || e.Suggestion != want || !slices.Equal(e.Known, Formats()) {
			t.Errorf("%.20q: %+v, want the suggestion %q", in, err, want)
			continue
		}
		harmless(t, err.Error())
		if len(err.Error()) > 300 {
			t.Errorf("%.20q: %d octets of error", in, len(err.Error()))
		}
	}
}

// TestConcurrent: printers with and without colour do not disturb each other.
func TestConcurrent(t *testing.T) {
	plain := printed(t, "text", Options{}, sick())
	colour := printed(t, "text", Options{Color: true}, sick())
	if plain == colour || strings.Contains(plain, "\x1b") || !strings.Contains(colour, "\x1b[31;1m") {
		t.Fatal("colour is not switched")
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 20 {
				want := plain
				if i%2 == 0 {
					want = colour
				}
				if printed(t, "text", Options{Color: i%2 == 0}, sick()) != want {
					t.Error("a printer took another's setting")
				}
			}
		})
	}
	wg.Wait()
}

// TestFlat: the memory of a printer does not grow with the number of reports.
func TestFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("prints thousands of reports")
	}
	r := sick()
	for _, f := range Formats() {
		p, err := New(f, io.Discard, options())
		if err != nil {
			t.Fatal(err)
		}
		live := func(n int) uint64 {
			for range n {
				if err := p.Report(r); err != nil {
					t.Fatal(err)
				}
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		warm := 50
		if f == "sarif" {
			warm = maxNotifications + 10 // then its list is full
		}
		before := live(warm)
		if after := live(600); after > before+256<<10 {
			t.Errorf("%s: the heap grew from %d to %d octets", f, before, after)
		}
		runtime.KeepAlive(p)
	}
}

func TestCleanLeavesTheInput(t *testing.T) {
	r, same := hostile(true), hostile(true)
	clean(&r)
	if !reflect.DeepEqual(r, same) {
		t.Error("the caller's report was changed")
	}
}

func TestZeroReport(t *testing.T) {
	r := audit.Report{Findings: []audit.Finding{{}}, Rules: []audit.RuleResult{{}}, Profiles: []audit.ProfileResult{{}}}
	r.Findings[0].Evidence = []audit.Evidence{{}}
	for _, f := range Formats() {
		harmless(t, printed(t, f, Options{}, audit.Report{}, r))
	}
	if got := printed(t, "sarif", Options{}, audit.Report{Findings: []audit.Finding{{Subject: audit.Subject{Name: resolve.Root}}}}); !strings.Contains(got, `"uri":"dns/_root"`) {
		t.Error(got)
	}
}

func BenchmarkPrinters(b *testing.B) {
	r := sick()
	for _, f := range Formats() {
		b.Run(f, func(b *testing.B) {
			p, _ := New(f, io.Discard, options())
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Report(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestQuietTells prints something exactly if the exit status is another than 0.
func TestQuietTells(t *testing.T) {
	unknown := func(reasons ...string) audit.Report {
		r := healthy()
		for i, x := range reasons {
			r.Rules[i].Outcome, r.Rules[i].Reason = audit.Unknown, x
		}
		return r
	}
	const dead = "network error: read: connection refused (127.0.0.1:1)"
	aside := unknown("port 25 is blocked")
	aside.Rules[0].Optional = true
	for _, tt := range []struct {
		name   string
		r      audit.Report
		failOn audit.Severity
		want   string // of the lines after the verdict; "": nothing at all
	}{
		{"healthy", healthy(), audit.Notice, ""},
		{"nobody insisted", aside, audit.Notice, ""},
		{"nothing fails", withoutUnknown(sick()), 0, ""},
		{"finding", withoutUnknown(sick()), audit.Error, "SPF006"},
		{"one question", unknown("SPF record could not be read: example.org TXT: " + dead), audit.Error, "not checked: SPF record could not be read: example.org TXT: network error: read: connection refused (127.0.0.1:1) (1 rule)"},
		{"dead resolver", unknown("SPF record could not be read: example.org TXT: "+dead, "MX could not be read: example.org MX: "+dead, "the server said no"), audit.Error,
			"not checked: " + dead + " (2 rules) not checked: the server said no (1 rule)"},
		{"many causes", unknown("a", "b", "c", "d", "e"), audit.Error, "not checked: c (1 rule) and 2 other causes"},
		{"no reason", unknown(""), audit.Error, "not checked: no reason was given (1 rule)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := printed(t, "text", Options{Quiet: true, FailOn: tt.failOn}, tt.r)
			if tt.want == "" && got != "" || !strings.Contains(strings.Join(strings.Fields(got), " "), tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func withoutUnknown(r audit.Report) audit.Report {
	r.Rules = slices.DeleteFunc(slices.Clone(r.Rules), func(x audit.RuleResult) bool { return x.Outcome == audit.Unknown })
	return r
}
