package mtasts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const good = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n"

func TestParsePolicy(t *testing.T) {
	base := "version: STSv1\nmode: enforce\nmax_age: 604800\n"
	full := base + "mx: a.example\n"
	tests := []struct {
		section, text string
		ok            bool
		want          []string
	}{
		{"3.2", good, true, nil},
		{"erratum 6253", strings.ReplaceAll(good, "\r\n", "\n"), true, nil},
		{"3.2", strings.TrimSuffix(good, "\r\n"), true, nil},
		{"3.2", "mx: a.example\nmax_age:86400  \nmode:\ttesting\nversion:STSv1", true, nil},
		{"3.2", "version: STSv1\nmode: none\nmax_age: 0\n", true, nil},
		{"3.2", full + "note: gr\u00fc\u00dfe; a=b\n", true, []string{"harmless unknown note"}},
		{"3.2", full + "mode: none\nmax_age: x\n", true, []string{"harmless duplicate mode", "harmless duplicate max_age"}},
		{"3.2", full + "\n", true, []string{"at-risk junk"}},
		{"3.2", full + " mx: b.example\n", true, []string{"at-risk space mx>mx: b.example"}},
		{"3.2", full + "mx : b.example\n", true, []string{"at-risk space mx>mx: b.example"}},
		{"3.2", full + "mode = enforce\n", true, []string{"at-risk junk>mode: enforce"}},
		{"3.2", full + "# a comment\n", true, []string{"at-risk junk"}},
		{"3.2", full + "x: a\x01b\n", true, []string{"at-risk bad-character x", "harmless unknown x"}},
		{"4.1", full + "mx: B.Example\n", true, nil},
		{"4.1", full + "mx: b.example.\n", true, []string{"at-risk invalid mx>mx: b.example"}},
		{"3.2", full + "mx: b\u00fccher.example\n", true, []string{"at-risk invalid mx>mx: xn--bcher-kva.example"}},
		{"3.2", full + "mx: mx_1.example\n", true, []string{"at-risk invalid mx"}},
		{"3.2", strings.Replace(full, "604800", "31557601", 1), true, []string{"at-risk invalid max_age>max_age: 31557600"}},
		{"3.2", strings.Replace(full, "604800", "9999999999", 1), true, []string{"at-risk invalid max_age>max_age: 31557600"}},

		{"3.2", "", false, []string{"ignored missing version", "ignored missing mode", "ignored missing max_age", "ignored missing mx"}},
		{"3.2", base, false, []string{"ignored missing mx"}},
		{"3.2", strings.Replace(full, "STSv1", "stsv1", 1), false, []string{"ignored invalid version>version: STSv1"}},
		{"3.2", strings.Replace(full, "STSv1", "2", 1), false, []string{"ignored invalid version"}},
		{"3.2", strings.Replace(full, "version", "Version", 1), false, []string{"harmless case Version>version: STSv1", "ignored missing version>version: STSv1"}},
		{"3.2", strings.Replace(full, "enforce", "Enforce", 1), false, []string{"ignored invalid mode>mode: enforce"}},
		{"3.2", strings.Replace(full, "enforce", "report", 1), false, []string{"ignored invalid mode>mode: testing"}},
		{"3.2", strings.Replace(full, "604800", "1 week", 1), false, []string{"ignored invalid max_age"}},
		{"3.2", strings.Replace(full, "604800", "604800s", 1), false, []string{"ignored invalid max_age>max_age: 604800"}},
		{"3.2", strings.Replace(full, "604800", "-1", 1), false, []string{"ignored invalid max_age"}},
		{"3.2", strings.Replace(full, "604800", "12345678901", 1), false, []string{"ignored invalid max_age"}},
		{"3.2", strings.Replace(full, "max_age", "max-age", 1), false, []string{"harmless unknown max-age>max_age: 604800", "ignored missing max_age>max_age: 604800"}},
		{"3.2", full + "mx: b.example, c.example\n", false, []string{"ignored list mx>mx: b.example\nmx: c.example"}},
		{"4.1", full + "mx: .b.example\n", false, []string{"ignored invalid mx>mx: *.b.example"}},
		{"4.1", full + "mx: *\n", false, []string{"ignored invalid mx"}},
		{"4.1", full + "mx: *.*.example\n", false, []string{"ignored invalid mx"}},
		{"4.1", full + "mx: mx*.example\n", false, []string{"ignored invalid mx"}},
		{"3.2", full + "mx: 192.0.2.1\n", false, []string{"ignored invalid mx"}},
		{"3.2", full + "mx: [192.0.2.1]\n", false, []string{"ignored invalid mx"}},
		{"3.2", full + "mx: \"b.example\"\n", false, []string{"ignored invalid mx>mx: b.example"}},
		{"3.2", full + "mx:\n", false, []string{"ignored invalid mx"}},
		{"3.2", "\ufeff" + full, false, []string{"ignored document"}},
		{"3.2", strings.ReplaceAll(full, "\n", "\r"), false, []string{"ignored bad-character"}},
		{"3.2", "\n<!DOCTYPE html><html>", false, []string{"ignored document"}},
	}
	for _, tt := range tests {
		p, err := ParsePolicy(tt.text)
		if p.String() != tt.text {
			t.Errorf("%q prints as %q", tt.text, p)
		}
		if got := words(p.Problems); !slices.Equal(got, tt.want) {
			t.Errorf("%q (Section %s)\n got %q\nwant %q", tt.text, tt.section, got, tt.want)
		}
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrPolicy) {
			t.Errorf("%q: error %v", tt.text, err)
		}
	}
}

func TestPolicyFields(t *testing.T) {
	p, err := ParsePolicy(good)
	if err != nil || p.Mode != Enforce || p.MaxAge != 7*24*time.Hour || fmt.Sprint(p.MX) != "[mail.example.com *.example.net]" {
		t.Errorf("%v, %+v", err, p)
	}
	p, _ = ParsePolicy("version: STSv1\r\nmode: none\r\nmax_age: 1\r\nmx: a.b.example, c\r\n")
	if q := p.Problems[0]; q.Line != 4 || p.text[q.Offset:q.Offset+3] != "a.b" {
		t.Errorf("the problem is at line %d, offset %d", q.Line, q.Offset)
	}
	long := good + strings.Repeat("x: "+strings.Repeat("y", 97)+"\n", maxPolicy/100)
	if p, err := ParsePolicy(long); err == nil || len(p.String()) != maxPolicy || p.Problems[0].Kind != TooLong {
		t.Errorf("a policy of %d octets: %v", len(long), err)
	}
}

func TestMatch(t *testing.T) {
	// RFC 8461, Section 4.1.
	tests := []struct {
		pattern, host string
		want          bool
	}{
		{"mail.example.com", "mail.example.com", true},
		{"Mail.Example.com", "MAIL.example.COM.", true},
		{"mail.example.com", "xmail.example.com", false},
		{"mail.example.com", "mail.example.com.evil.example", false},
		{"example.com", "mail.example.com", false},
		{"*.example.com", "mail.example.com", true},
		{"*.example.com", "example.com", false},
		{"*.example.com", "a.b.example.com", false},
		{"*.example.com", "mailexample.com", false},
		{"*.example.com", "mail.example.com.evil.example", false},
		{"*.b\u00fccher.example", "mx.xn--bcher-kva.example", true},
		{"*.com", "example.com", true},
	}
	for _, tt := range tests {
		p, err := ParsePattern(tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(resolve.MustName(tt.host)); got != tt.want {
			t.Errorf("%s against %s: %t", tt.pattern, tt.host, got)
		}
		var again Pattern
		if err := again.UnmarshalText([]byte(p.String())); err != nil || again != p {
			t.Errorf("%s reads as %s: %v", p, again, err)
		}
	}
	if (Pattern{}).Match(resolve.MustName("a.example")) || (Pattern{Wildcard: true}).Match(resolve.MustName("a")) {
		t.Error("no pattern matches")
	}
}

func names(list ...string) []resolve.Name {
	var out []resolve.Name
	for _, s := range list {
		out = append(out, resolve.MustName(s))
	}
	return out
}

func TestCheck(t *testing.T) {
	p, _ := ParsePolicy(good)
	testing_, _ := p.Set("mode", "testing")
	none, _ := p.Set("mode", "none")
	tests := []struct {
		name      string
		policy    Policy
		hosts     []resolve.Name
		uncovered string
		lost, all bool
		unused    int
	}{
		{"all covered", p, names("mail.example.com", "b.example.net"), "[]", false, false, 0},
		{"a backup is not", p, names("mail.example.com", "backup.example.org"), "[backup.example.org]", true, false, 1},
		{"none is", p, names("a.b.example.net", "example.net"), "[a.b.example.net example.net]", true, true, 2},
		{"testing", testing_, names("x.example"), "[x.example]", false, true, 2},
		{"mode none", none, names("x.example"), "[x.example]", false, true, 2},
		{"null MX", p, names("."), "[]", false, false, 2},
		{"no host", p, nil, "[]", false, false, 2},
	}
	for _, tt := range tests {
		c := Check(tt.policy, tt.hosts)
		if fmt.Sprint(c.Uncovered) != tt.uncovered || c.Lost != tt.lost || c.All != tt.all || len(c.Unused) != tt.unused || c.Why == "" {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
}

func TestDrift(t *testing.T) {
	p, _ := ParsePolicy(good)
	same, _ := ParsePolicy("mx: *.example.net\nmx: mail.example.com\nmode: enforce\nmax_age: 604800\nversion: STSv1\nx: y")
	other, _ := p.AddMX(Pattern{Name: resolve.MustName("c.example")})
	broken, _ := ParsePolicy("version: STSv1")
	if p.Hash() != same.Hash() || p.Hash() == other.Hash() || broken.Hash() == (Policy{}).Hash() {
		t.Error("the hash goes by something else than the meaning")
	}
	before := Version{"1", p.Hash()}
	for want, now := range map[Drift]Version{
		Same: {"1", same.Hash()}, Renewed: {"2", p.Hash()}, Stale: {"1", other.Hash()}, Updated: {"2", other.Hash()},
	} {
		if got := DriftOf(before, now); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestNewPolicy(t *testing.T) {
	p, err := NewPolicy(PolicyOptions{Hosts: names("mail.example.com", ".", "mail.example.com"), Patterns: []Pattern{{resolve.MustName("example.net"), true}}})
	if want := "version: STSv1\r\nmode: testing\r\nmax_age: 86400\r\nmx: mail.example.com\r\nmx: *.example.net\r\n"; err != nil || p.String() != want {
		t.Errorf("%q, %v", p, err)
	}
	if p, err = NewPolicy(PolicyOptions{Mode: None}); err != nil || len(p.MX) != 0 {
		t.Errorf("%q, %v", p, err)
	}
	for _, opt := range []PolicyOptions{
		{Mode: Enforce}, {Mode: "report", Hosts: names("a.example")}, {Hosts: names("a.example"), MaxAge: 400 * 24 * time.Hour},
		{Hosts: names("a.example"), MaxAge: -time.Second}, {Hosts: names("a_b.example")}, {Patterns: []Pattern{{}}}, {Hosts: names("a.example\nmode: none")},
	} {
		if p, err := NewPolicy(opt); !errors.Is(err, ErrEdit) {
			t.Errorf("%+v gives %q, %v", opt, p, err)
		}
	}
}

func TestPolicyEdit(t *testing.T) {
	const text = "version: STSv1\nmx: a.example\nmode:  testing \n\nmx: b.example\nmax_age: 60"
	p, _ := ParsePolicy(text)
	check := func(got Policy, err error) func(want string) {
		return func(want string) {
			t.Helper()
			if err != nil || got.String() != want {
				t.Errorf("got %q, %v\nwant %q", got, err, want)
			}
		}
	}
	c := Pattern{resolve.MustName("c.example"), true}
	check(p.Set("mode", "enforce"))(strings.Replace(text, "mode:  testing ", "mode: enforce", 1))
	check(p.Set("x", "1"))(text + "\nx: 1\n")
	check(p.AddMX(c))(strings.Replace(text, "mx: b.example", "mx: b.example\nmx: *.c.example", 1))
	check(p.AddMX(Pattern{Name: resolve.MustName("a.example")}))(text)
	check(p.RemoveMX(Pattern{Name: resolve.MustName("a.example")}))(strings.Replace(text, "mx: a.example\n", "", 1))
	for _, kv := range [][2]string{{"mode", "on"}, {"mx", "a"}, {"a b", "c"}, {"x", "a\nmode: none"}, {"x", ""}, {"version", "2"}} {
		if got, err := p.Set(kv[0], kv[1]); !errors.Is(err, ErrEdit) || got.String() != text {
			t.Errorf("Set%q gives %q, %v", kv, got, err)
		}
	}
	one, _ := ParsePolicy("version: STSv1\nmode: enforce\nmax_age: 60\nmx: a.example\n")
	if _, err := one.RemoveMX(one.MX[0]); !errors.Is(err, ErrEdit) {
		t.Errorf("the last mx goes: %v", err)
	}
	if _, err := p.AddMX(Pattern{}); !errors.Is(err, ErrEdit) {
		t.Errorf("an empty pattern is added: %v", err)
	}
	empty, err := Policy{}.Set("version", "STSv1")
	if err == nil {
		t.Errorf("got %q", empty)
	}
}

func FuzzParsePolicy(f *testing.F) {
	for _, s := range []string{
		good, strings.ReplaceAll(good, "\r\n", "\n"), "\ufeffversion:STSv1", "mx: *.a, b;\tc\r\r\n\n:", "mode : Enforce\rmax_age: 1e9", "<html>", "mx: \"x\"\nmx: *\nmx: .\nmx: xn--a", "max_age: 00000000099", "mx:00a\"examMle.coe.", "mx:0 \f0  0\r0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePolicy(text)
		if len(text) <= maxPolicy && p.String() != text {
			t.Fatalf("%q prints as %q", text, p)
		}
		again, _ := ParsePolicy(p.String())
		if len(text) <= maxPolicy && fmt.Sprint(again) != fmt.Sprint(p) {
			t.Fatalf("%q reads differently again", text)
		}
		if err == nil && (p.Mode == "" || p.Mode != None && len(p.MX) == 0 || p.MaxAge < 0 || p.MaxAge > maxAgeLimit*time.Second) {
			t.Fatalf("%q: %+v", text, p)
		}
		checkProblems(t, text, p.Problems)
		for _, l := range p.Lines {
			if text[l.Offset:l.Offset+len(l.Raw)] != l.Raw || l.Number < 1 {
				t.Fatalf("%q: wrong offsets of %+v", text, l)
			}
		}
		for _, m := range p.MX {
			if re, err := ParsePattern(m.String()); err != nil || re != m {
				t.Fatalf("%q: pattern %s reads as %s, %v", text, m, re, err)
			}
		}
		if added, err := p.AddMX(Pattern{Name: resolve.MustName("fuzz.example")}); err == nil && !slices.Contains(added.MX, Pattern{Name: resolve.MustName("fuzz.example")}) {
			t.Fatalf("%q: AddMX gives %q", text, added)
		}
		p.Hash()
	})
}
