package dmarc

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestAdvance(t *testing.T) {
	const rua = "; rua=mailto:d@example.org"
	tests := []struct {
		section, text string
		opt           StageOptions
		from, to      string
		want          string
		words         string // somewhere in the reasons or notes
	}{
		// RFC 9989, Sections 5.1 and 4.7 (t), Appendix A.6 (pct).
		{"4.7", "v=DMARC1; p=none" + rua, StageOptions{}, "none", "quarantine; t=y", "v=DMARC1; p=quarantine" + rua + "; t=y; np=reject", "t=y"},
		{"4.7", "v=DMARC1; p=none; np=none" + rua, StageOptions{}, "none", "quarantine; t=y", "v=DMARC1; p=quarantine; np=none" + rua + "; t=y", "np=none"},
		{"4.7", "v=DMARC1;p=none;rua=mailto:d@example.org;", StageOptions{KeepNP: true}, "none", "quarantine; t=y", "v=DMARC1;p=quarantine;rua=mailto:d@example.org;t=y;", ""},
		{"4.7", "v=DMARC1; p=none; t=y" + rua, StageOptions{KeepNP: true}, "none", "quarantine; t=y", "v=DMARC1; p=quarantine; t=y" + rua, ""},
		{"4.7", "v=DMARC1; p=none; sp=reject" + rua, StageOptions{}, "none", "quarantine; t=y", "v=DMARC1; p=quarantine; sp=reject" + rua + "; t=y", "lowers sp"},
		{"4.7", "v=DMARC1; p=quarantine; t=y; np=reject" + rua, StageOptions{}, "quarantine; t=y", "quarantine", "v=DMARC1; p=quarantine; np=reject" + rua, ""},
		{"7.4", "v=DMARC1; p=quarantine; np=reject" + rua, StageOptions{}, "quarantine", "reject", "v=DMARC1; p=reject; np=reject" + rua, "7489"},
		{"7.4", "v=DMARC1; p=quarantine" + rua, StageOptions{}, "quarantine", "reject", "v=DMARC1; p=reject" + rua, ""},
		{"7.4", "v=DMARC1; p=quarantine; sp=none" + rua, StageOptions{}, "quarantine", "reject", "v=DMARC1; p=reject; sp=none" + rua + "; np=reject", "sp=none holds"},
		{"4.7", "v=DMARC1; p=reject; t=y" + rua, StageOptions{}, "reject; t=y", "reject", "v=DMARC1; p=reject" + rua, ""},
		{"4.7", "v=DMARC1; p=reject" + rua, StageOptions{}, "reject", "reject", "v=DMARC1; p=reject" + rua, "the end"},
		{"4.7", "v=DMARC1; p=reject", StageOptions{}, "reject", "reject", "v=DMARC1; p=reject", "the end"},
		{"4.7", "v=DMARC1; p=reject; sp=quarantine", StageOptions{Blind: true}, "reject", "reject", "v=DMARC1; p=reject; sp=quarantine; np=reject", ""},
		{"App. A.6", "v=DMARC1; p=none; pct=20" + rua, StageOptions{KeepNP: true}, "none", "quarantine; t=y; pct=20", "v=DMARC1; p=quarantine; pct=20" + rua + "; t=y", "pct stays"},
		{"App. A.6", "v=DMARC1; p=quarantine; pct=20" + rua, StageOptions{KeepNP: true}, "quarantine; pct=20", "quarantine", "v=DMARC1; p=quarantine" + rua, "now the others do too"},
		{"App. A.6", "v=DMARC1; p=quarantine; pct=0; t=y" + rua, StageOptions{KeepNP: true}, "quarantine; t=y; pct=0", "quarantine; pct=0", "v=DMARC1; p=quarantine; pct=0" + rua, ""},
		{"App. A.6", "v=DMARC1; p=reject; pct=50" + rua, StageOptions{}, "reject; pct=50", "reject", "v=DMARC1; p=reject" + rua, ""},
		{"5.1", "v=DMARC1; p=none", StageOptions{Blind: true, KeepNP: true}, "none", "quarantine; t=y", "v=DMARC1; p=quarantine; t=y", ""},

		{"5.1", "v=DMARC1; p=reject; np=reject", StageOptions{Back: true}, "reject", "quarantine", "v=DMARC1; p=quarantine; np=reject", ""},
		{"5.1", "v=DMARC1; p=quarantine", StageOptions{Back: true}, "quarantine", "quarantine; t=y", "v=DMARC1; p=quarantine; t=y", ""},
		{"5.1", "v=DMARC1; p=quarantine; t=y", StageOptions{Back: true}, "quarantine; t=y", "none", "v=DMARC1; p=none", ""},
		{"5.1", "v=DMARC1; p=quarantine; t=y; sp=quarantine", StageOptions{Back: true}, "quarantine; t=y", "none", "v=DMARC1; p=none; t=y; sp=quarantine", ""},
		{"5.1", "v=DMARC1; p=reject; t=y", StageOptions{Back: true}, "reject; t=y", "quarantine; t=y", "v=DMARC1; p=quarantine; t=y", ""},
		{"5.1", "v=DMARC1; p=none", StageOptions{Back: true}, "none", "none", "v=DMARC1; p=none", "the start"},
	}
	for _, tt := range tests {
		r, err := Parse(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.Advance(tt.opt)
		if err != nil || m.From != tt.from || m.To != tt.to || m.Record.String() != tt.want {
			t.Errorf("%s (Section %s)\n got %q, %q to %q, %v\nwant %q, %q to %q", tt.text, tt.section, m.Record, m.From, m.To, err, tt.want, tt.from, tt.to)
		}
		if words := strings.Join(slices.Concat(m.Why, m.Before, m.Notes), "\n"); !strings.Contains(words, tt.words) || words == "" {
			t.Errorf("%s: nothing about %q in\n%s", tt.text, tt.words, words)
		}
		for _, e := range m.Edits {
			if e.Why == "" || e.Tag == "" {
				t.Errorf("%s: edit %+v", tt.text, e)
			}
		}
	}
}

func TestAdvanceRefuses(t *testing.T) {
	for text, noReports := range map[string]bool{
		"v=DMARC1; p=none":                              true,
		"v=DMARC1; p=quarantine; rua=nobody":            true,
		"v=DMARC1; rua=mailto:d@example.org":            false,
		"v=DMARC1; p=rejct; rua=mailto:d@example.org":   false,
		"v=DMARC1; p=reject; sp=x":                      false,
		"v=DMARC1; p=none; p=reject; rua=mailto:a@b.cd": false,
		"v=spf1 -all": false,
		"":            false,
	} {
		r, _ := Parse(text)
		m, err := r.Advance(StageOptions{})
		var e *StageError
		if !errors.Is(err, ErrStage) || !errors.As(err, &e) || e.NoReports != noReports || len(m.Edits) != 0 || m.Record.String() != text {
			t.Errorf("%q: %v, %+v", text, err, m)
		}
	}
}

// TestAdvanceGently walks every way up and down: it ends, and no step takes a
// generation of receivers more than one level further for the domain.
func TestAdvanceGently(t *testing.T) {
	var texts []string
	for _, p := range []string{"none", "quarantine", "reject"} {
		for _, sp := range []string{"", "; sp=none", "; sp=quarantine", "; sp=reject"} {
			for _, rest := range []string{"", "; t=y", "; pct=0", "; pct=30", "; t=y; pct=0", "; np=quarantine; t=y", "; np=none"} {
				texts = append(texts, "v=DMARC1; p="+p+sp+rest)
			}
		}
	}
	for _, text := range texts {
		for _, back := range []bool{false, true} {
			r, _ := Parse(text)
			for steps := 0; ; steps++ {
				m, err := r.Advance(StageOptions{Back: back, Blind: true})
				if err != nil || steps > 8 {
					t.Fatalf("%s: step %d: %v", text, steps, err)
				}
				if len(m.Edits) == 0 {
					break
				}
				for _, e := range []struct{ was, is Effect }{{r.Effect(), m.Record.Effect()}, {r.EffectRFC7489(), m.Record.EffectRFC7489()}} {
					d := e.is.P.Strength() - e.was.P.Strength()
					if back {
						d = -d
					}
					if d < 0 || d > 1 {
						t.Errorf("%s to %s: from %s to %s", r, m.Record, e.was.P, e.is.P)
					}
					if back && e.is.SP.Strength() > e.was.SP.Strength() {
						t.Errorf("%s to %s: a step back takes subdomains to %s", r, m.Record, e.is.SP)
					}
				}
				r = m.Record
			}
			want := "reject"
			if back {
				want = "none"
			}
			if r.Stage() != want {
				t.Errorf("%s ends at %s: %s", text, r.Stage(), r)
			}
		}
	}
}

func TestPark(t *testing.T) {
	for text, want := range map[string]string{
		"v=DMARC1; p=reject":                                     "v=DMARC1; p=reject",
		"v=DMARC1; p=reject; sp=reject; np=reject":               "v=DMARC1; p=reject; sp=reject; np=reject",
		"v=DMARC1; p=none; rua=mailto:d@example.org":             "v=DMARC1; p=reject; rua=mailto:d@example.org",
		"v=DMARC1; p=quarantine; sp=none; np=none; t=y; pct=10;": "v=DMARC1; p=reject; sp=reject; np=reject;",
		"v=DMARC1; sp=quarentine":                                "v=DMARC1; p=reject; sp=reject",
	} {
		r, _ := Parse(text)
		for _, e := range r.Park() {
			var err error
			if r, err = r.apply(e); err != nil {
				t.Fatal(err)
			}
		}
		e, old := r.Effect(), r.EffectRFC7489()
		if r.String() != want || e.P != Reject || e.SP != Reject || e.NP != Reject || old.P != Reject || old.SP != Reject {
			t.Errorf("%s parks as %s, want %s", text, r, want)
		}
	}
}

func TestCautions(t *testing.T) {
	for text, want := range map[string]string{
		"v=DMARC1; p=reject; rua=mailto:a@example.org":          "",
		"v=DMARC1; p=none; np=reject; rua=mailto:a@example.org": "",
		"v=DMARC1; p=reject":                                       "without rua",
		"v=DMARC1; p=quarantine":                                   "without rua",
		"v=DMARC1; p=none; ruf=mailto:a@example.org":               "shows nothing",
		"v=DMARC1; p=reject; sp=none; rua=mailto:a@example.org":    "sp=none",
		"v=DMARC1; p=reject; np=none; rua=mailto:a@example.org":    "np=none",
		"v=DMARC1; p=quarantine; t=y; rua=mailto:a@example.org":    "protects nothing",
		"v=DMARC1; p=reject; t=y; rua=mailto:a@example.org":        "counts as quarantine",
		"v=DMARC1; p=reject; psd=y; rua=mailto:a@example.org":      "registries",
		"v=DMARC1; p=none; rua=mailto:a@example.org,https://b.org": "mailto",
		"v=DMARC1; p=x": "p is not valid",
	} {
		r, _ := Parse(text)
		got := strings.Join(r.Cautions(), "; ")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestNewRefusesNonsense(t *testing.T) {
	for _, f := range []Fields{
		{P: None, FO: "1"},
		{P: None, Testing: true},
		{P: None, PSD: "y", RUF: []string{"a@example.org"}},
	} {
		if _, err := New(f); !errors.Is(err, ErrEdit) {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if r, err := New(Fields{P: None, NP: Reject, Testing: true}); err != nil {
		t.Errorf("%q: %v", r, err)
	}
}

func TestConsequence(t *testing.T) {
	// Every kind of problem has words for both generations.
	tests := []struct{ text, kind, now, old string }{
		{"v=dmarc1; p=none", "version-case", "ignore the whole", "ignore the whole"},
		{"v=DMARC1; rua=mailto:a@example.org", "policy-missing", "acts as p=none", "p was required"},
		{"v=DMARC1; p=reject; sp=x", "policy-invalid", "no DMARC is done", "no DMARC is done"},
		{"v=DMARC1; p=reject; np=x; rua=mailto:a@example.org", "policy-invalid", "acts as p=none", "do not know np"},
		{"v=DMARC1; sp=none; p=none", "policy-not-second", "read it", "may ignore the record"},
		{"v=DMARC1; p=none; adkim=x", "option-invalid", "adkim=r", "adkim=r"},
		{"v=DMARC1; p=none; t=x", "option-invalid", "t=n", "do not know t"},
		{"v=DMARC1; p=none; pct=x", "option-invalid", "ignore pct", "pct=100"},
		{"v=DMARC1; p=none; rua=", "empty-value", "default", "default"},
		{"v=DMARC1; p=", "empty-value", "p is not valid", "p is not valid"},
		{"v=DMARC1; p=none; p=reject", "duplicate-tag", "differ", "differ"},
		{"v=DMARC1; P=none", "tag-case", "case-sensitive", "case-sensitive"},
		{"v=DMARC1; p=none; x=1", "unknown-tag", "ignore the tag", "ignore the tag"},
		{"v=DMARC1; p=reject; pct=20", "removed-tag", "for all mail", "20%"},
		{"v=DMARC1; p=reject; pct=0", "removed-tag", "for all mail", "one level less to all"},
		{"v=DMARC1; p=reject; pct=100", "removed-tag", "ignore the tag", "as without"},
		{"v=DMARC1; p=reject; ri=1", "removed-tag", "once a day", "interval"},
		{"v=DMARC1; p=reject; rf=afrf", "removed-tag", "ignore the tag", "format"},
		{"v=DMARC1; p=none; junk", "junk", "skip", "skip"},
		{"v=DMARC1; p=none; rua=mailto:a\x00@example.org", "bad-character", "drop the tag", "drop the tag"},
		{"v=DMARC1; p=none; rua=nobody", "uri-invalid", "no reports", "no reports"},
		{"v=DMARC1; p=none; rua=https://example.org/", "uri-scheme", "only mailto", "only mailto"},
		{"v=DMARC1; p=none; rua=mailto:a@example.org!1m", "uri-size", "ignore the size", "larger"},
		{strings.Repeat("x", 70000), "too-long", "limits", "limits"},
	}
	for _, tt := range tests {
		r, _ := Parse(tt.text)
		i := slices.IndexFunc(r.Problems, func(p Problem) bool { return string(p.Kind) == tt.kind })
		if i < 0 {
			t.Errorf("%.60s has no %s: %q", tt.text, tt.kind, kinds(r))
			continue
		}
		now, old := r.Consequence(r.Problems[i])
		if !strings.Contains(now, tt.now) || !strings.Contains(old, tt.old) {
			t.Errorf("%.60s: %q and %q", tt.text, now, old)
		}
	}
}

func FuzzAdvance(f *testing.F) {
	f.Add("v=DMARC1; p=none; rua=mailto:a@example.org", false)
	f.Add("v=DMARC1;p=quarantine;t=y;;x;pct=0", true)
	f.Add("v=DMARC1; p=reject; sp=none; T=y; t=Y", false)
	f.Fuzz(func(t *testing.T, text string, back bool) {
		r, _ := Parse(text)
		m, err := r.Advance(StageOptions{Back: back, Blind: true})
		if err != nil {
			if !errors.Is(err, ErrStage) || m.Record.String() != r.String() {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if (len(m.Edits) == 0) != (m.Record.String() == r.String()) || m.From == "" || m.To == "" {
			t.Fatalf("%q: %s to %s with %d edits: %q", text, m.From, m.To, len(m.Edits), m.Record)
		}
		for _, p := range m.Record.Problems {
			if !r.Has(p.Kind) {
				t.Fatalf("%q: the step to %q brought %s", text, m.Record, p)
			}
		}
		_ = fmt.Sprint(m.Record.Cautions())
	})
}
