package render

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		text string
		n    int
		want []string
	}{
		{"", 10, nil},
		{"a b c", 3, []string{"a b", "c"}},
		{"abcdefgh", 3, []string{"abc", "def", "gh"}},
		{"a abcdefgh b", 3, []string{"a", "abc", "def", "gh", "b"}},
		{"日本語", 4, []string{"日本", "語"}},
		{"e\u0301e\u0301 x", 4, []string{"e\u0301e\u0301 x"}},
		{"日", 1, []string{"日"}},
	} {
		if got := wrap(tt.text, tt.n); !slices.Equal(got, tt.want) {
			t.Errorf("wrap(%q, %d) = %q, want %q", tt.text, tt.n, got, tt.want)
		}
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("a bc 日本語 def", 5)
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = max(n%100, 2)
		lines := wrap(s, n)
		for _, l := range lines {
			if cells(l) > n {
				t.Errorf("%q takes %d of %d columns", l, cells(l), n)
			}
		}
		if got, want := strings.ReplaceAll(strings.Join(lines, ""), " ", ""), strings.Join(strings.Fields(s), ""); got != want {
			t.Errorf("%q became %q", want, got)
		}
	})
}

func TestTerms(t *testing.T) {
	gone, come, ok := terms(`"v=spf1 a include:x mx -all"`, `"v=spf1 a ip4:192.0.2.1 mx ~all"`)
	if !ok || !slices.Equal(gone, []string{"include:x", "-all"}) || !slices.Equal(come, []string{"ip4:192.0.2.1", "~all"}) {
		t.Errorf("%q %q %v", gone, come, ok)
	}
	if _, _, ok := terms(`"abc"`, `"xyz"`); ok {
		t.Error("nothing in common is no diff")
	}
	if _, _, ok := terms(strings.Repeat("a ", maxTerms+1), "a"); ok {
		t.Error("the comparison has no bound")
	}
}

func TestJoined(t *testing.T) {
	for _, tt := range []struct {
		data, want string
		ok         bool
	}{
		{`"abc"`, "abc", false},
		{`"ab" "cd"`, "abcd", true},
		{`"a\"b" "c\\d"`, `a"bc\d`, true},
		{`"a\200" "b"`, "", false},
		{`"a" "b`, "ab", false},
		{`"a" "b\`, "", false},
	} {
		if got, ok := joined(resolve.TypeTXT, tt.data); got != tt.want || ok != tt.ok {
			t.Errorf("joined(%s) = %q, %v", tt.data, got, ok)
		}
	}
}

func TestEditOf(t *testing.T) {
	e := editOf(&fix.Change{Old: []string{"a", "b", "b"}, New: []string{"b", "c"}})
	if want := (edit{gone: []string{"a", "b"}, come: []string{"c"}, stay: 1}); !reflect.DeepEqual(e, want) {
		t.Errorf("%+v", e)
	}
}

func TestAnswer(t *testing.T) {
	for _, tt := range []struct {
		e    audit.Evidence
		want string
	}{
		{audit.Evidence{State: resolve.Absent, RCode: "NOERROR", Server: server, Transport: resolve.UDP}, "no such record, NOERROR from 192.0.2.53:53 (udp)"},
		{audit.Evidence{Name: example, Type: resolve.TypeTXT, Server: server, Error: "example.org TXT: no answer in time (192.0.2.53:53)"},
			"UNKNOWN, no answer in time (192.0.2.53:53)"},
		{audit.Evidence{Server: server, RCode: "SERVFAIL"}, "UNKNOWN, SERVFAIL from 192.0.2.53:53"},
		{audit.Evidence{State: resolve.Present, Records: []string{"x"}, Server: "example.zone", Transport: resolve.File}, "1 record from example.zone (file)"},
	} {
		if got := answer(&tt.e); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestInternationalName(t *testing.T) {
	r := healthy()
	r.Domain = resolve.MustName("xn--bcher-kva.example")
	if got := printed(t, "text", Options{}, r); !strings.Contains(got, "\n  reads    b\u00fccher.example\n") {
		t.Error(got)
	}
}

// TestSameRule: findings of one rule have its title and remedy once.
func TestSameRule(t *testing.T) {
	r := sick()
	again := r.Findings[1]
	again.Message, again.Fix = "14 lookups for another name", &audit.Fix{Text: again.Fix.Text}
	r.Findings = []audit.Finding{r.Findings[1], again}
	got := printed(t, "text", Options{}, r)
	for text, n := range map[string]int{r.Findings[0].Title: 1, again.Fix.Text: 1, "Section 4.6.4": 1, "13 lookups": 1, "14 lookups": 1, "TXT, as shown with SPF006": 1} {
		if strings.Count(got, text) != n {
			t.Errorf("%q not %d times in\n%s", text, n, got)
		}
	}
}
