package mtasts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// words tells problems as "effect kind field>suggestion".
func words(problems []Problem) []string {
	var out []string
	for _, p := range problems {
		s := strings.TrimRight(fmt.Sprintf("%s %s %s", p.Effect, p.Kind, p.Field), " ")
		if p.Suggestion != "" {
			s += ">" + p.Suggestion
		}
		out = append(out, s)
	}
	return out
}

func TestParse(t *testing.T) {
	tests := []struct {
		section, text string
		reason        error
		want          []string
	}{
		{"3.1", "v=STSv1; id=20160831085700Z;", nil, nil},
		{"3.1", "v=STSv1;id=1", nil, nil},
		{"3.1", "v=STSv1;\tid=1 ; ", nil, nil},
		{"3.1", "v=STSv1; note=x.y_z; id=1", nil, []string{"harmless unknown note"}},
		{"3.2", "v=STSv1; id=1; id=2", nil, []string{"harmless duplicate id"}},
		{"3.1", "v=STSv1; id=1 ", nil, []string{"at-risk space id"}},
		{"3.1", "v=STSv1; id=1;;", nil, []string{"at-risk junk"}},
		{"3.1", "v=STSv1; ID=7; id=1", nil, []string{"harmless case ID>id=7"}},

		{"3.1", "v=STSv1;", ErrRecord, []string{"ignored missing id"}},
		{"3.1", "v=STSv1; ID=7", ErrRecord, []string{"harmless case ID>id=7", "ignored missing id>id=7"}},
		{"3.1", "v=STSv1; id=", ErrRecord, []string{"ignored invalid id"}},
		{"3.1", "v=STSv1; id=2024-01-02T10:00", ErrRecord, []string{"ignored invalid id>20240102T1000"}},
		{"3.1", "v=STSv1; id=" + strings.Repeat("1", 33), ErrRecord, []string{"ignored invalid id>" + strings.Repeat("1", 32)}},
		{"3.1", "v=STSv1; id = 1", ErrRecord, []string{"ignored space id>id=1"}},
		{"3.1", "v=STSv1; id:1", ErrRecord, []string{"ignored junk>id=1", "ignored missing id"}},
		{"3.1", "v=STSv1; hello; id=1", ErrRecord, []string{"ignored junk"}},
		{"3.1", "v=STSv1; a=b=c; id=1", ErrRecord, []string{"ignored invalid a"}},
		{"3.1", "v=STSv1; -a=b; id=1", ErrRecord, []string{"ignored invalid -a"}},
		{"3.1", "v=STSv1; id=1\x00", ErrRecord, []string{"ignored bad-character id", "ignored invalid id>1"}},
		{"3.1", "v=STSv1; id=1; mx=a b", ErrRecord, []string{"ignored invalid mx"}},

		{"3.1", "", ErrNotSTS, []string{"ignored missing v", "ignored missing id"}},
		{"3.1", "v=spf1 -all", ErrNotSTS, []string{"ignored missing v", "ignored missing id"}},
		{"erratum 6285", "v=STSv1 ; id=1", ErrNotSTS, []string{"ignored space v>v=STSv1; id=1"}},
		{"3.1", "v = STSv1; id=1", ErrNotSTS, []string{"ignored space v>v=STSv1; id=1"}},
		{"3.1", "v=stsv1; id=1", ErrNotSTS, []string{"ignored case v>v=STSv1; id=1"}},
		{"3.1", "V=STSv1; id=1", ErrNotSTS, []string{"ignored case v>v=STSv1; id=1", "harmless case V>v=STSv1"}},
		{"3.1", "v=STSv2; id=1", ErrNotSTS, []string{"ignored invalid v"}},
		{"3.1", "v=STSv1", ErrNotSTS, []string{"ignored junk v>v=STSv1;", "ignored missing id"}},
		{"3.1", "v=STSv1 id=1", ErrNotSTS, []string{"ignored invalid v>v=STSv1; id=1", "ignored missing id"}},
		{"3.1", " v=STSv1; id=1", ErrNotSTS, []string{"ignored space v>v=STSv1; id=1"}},
		{"3.1", `"v=STSv1; id=1"`, ErrNotSTS, []string{"ignored quoted v>v=STSv1; id=1", "ignored invalid \"v", "ignored invalid id>1"}},
		{"3.1", "id=1; v=STSv1", ErrNotSTS, []string{"ignored not-first v>v=STSv1; id=1"}},
	}
	for _, tt := range tests {
		r, err := Parse(tt.text)
		if r.String() != tt.text {
			t.Errorf("%q prints as %q", tt.text, r)
		}
		got := words(r.Problems)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q (Section %s)\n got %q\nwant %q", tt.text, tt.section, got, tt.want)
		}
		if !errors.Is(err, tt.reason) || (err == nil) != (tt.reason == nil) {
			t.Errorf("%q: got error %v, want %v", tt.text, err, tt.reason)
		}
		if e, ok := errors.AsType[*ParseError](err); err != nil && (!ok || e.Effect != Ignored) {
			t.Errorf("%q: error %#v", tt.text, err)
		}
	}
}

func TestParseFields(t *testing.T) {
	const text = "v=STSv1;  id=20240102A ;x=1"
	r, err := Parse(text)
	if err != nil || r.ID != "20240102A" || len(r.Fields) != 3 {
		t.Fatalf("%v, %+v", err, r)
	}
	for _, f := range r.Fields {
		if !strings.HasPrefix(text[f.Offset:], f.Name+"="+f.Value) {
			t.Errorf("offset %d is not at %s", f.Offset, f.Name)
		}
	}
	r, _ = Parse("v=STSv1; id=2024-01")
	if p := r.Problems[0]; p.Offset != 16 {
		t.Errorf("the hyphen is not at offset %d", p.Offset)
	}
	var again Record
	if err := again.UnmarshalText([]byte(text)); err != nil || again.ID != "20240102A" {
		t.Errorf("%v, %+v", err, again)
	}
	if f, found := again.Field("x"); !found || f.Value != "1" {
		t.Errorf("field x is %+v", f)
	}
}

func TestRecordEdit(t *testing.T) {
	at := time.Date(2026, 11, 23, 7, 8, 9, 0, time.FixedZone("", 3600))
	if got := NewRecord(at).String(); got != "v=STSv1; id=20261123060809" {
		t.Errorf("new record is %s", got)
	}
	tests := []struct{ text, name, value, want string }{
		{"v=STSv1; id=1;", "id", "2", "v=STSv1; id=2;"},
		{"v=STSv1;id=1 ;x=y", "id", "2", "v=STSv1;id=2 ;x=y"},
		{"v=STSv1; id = 1", "id", "2", "v=STSv1; id=2"},
		{"v=STSv1; id=1; x=1; id=3;", "id", "2", "v=STSv1; id=2; x=1;"},
		{"v=STSv1;", "id", "2", "v=STSv1; id=2;"},
		{"v=STSv1; id=1", "x", "y", "v=STSv1; id=1; x=y"},
		{"v=STSv1; id=1", "v", "STSv1", "v=STSv1; id=1"},
		{"v=STSv1; id=1", "v", "STSv2", ""},
		{"v=STSv1; id=1", "id", "2024-01", ""},
		{"v=STSv1; id=1", "x", "a;b", ""},
		{"v=STSv1; id=1", "x y", "a", ""},
		{"v=spf1 -all", "id", "1", ""},
	}
	for _, tt := range tests {
		r, _ := Parse(tt.text)
		got, err := r.Set(tt.name, tt.value)
		if tt.want == "" {
			if !errors.Is(err, ErrEdit) || got.String() != tt.text {
				t.Errorf("%s: Set(%s, %s) gives %s, %v", tt.text, tt.name, tt.value, got, err)
			}
			continue
		}
		if err != nil || got.String() != tt.want {
			t.Errorf("%s: Set(%s, %s) gives %s, %v", tt.text, tt.name, tt.value, got, err)
		}
	}
	for text, want := range map[string]string{
		"v=STSv1; id=1; x=1; y=2; x=3": "v=STSv1; id=1; y=2",
		"v=STSv1; x=1":                 "v=STSv1;",
		"v=STSv1; id=1":                "v=STSv1; id=1",
	} {
		r, _ := Parse(text)
		if got := r.Remove("x").String(); got != want {
			t.Errorf("%s without x is %s, want %s", text, got, want)
		}
	}
	r, _ := Parse("v=STSv1; what; id=1")
	if got := r.Remove("").String(); got != "v=STSv1; id=1" {
		t.Errorf("without junk: %s", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"v=STSv1; id=1", "v=STSv1;;id = 1 ;x==;", " v=STSv1 ; ID=1", "\"v=STSv1; id=1\"", "id=1;v=STSv1", "v=STSv1;v", "v=STSv1", ";=;", "v=STSv1; id=\x80\xff", "v= STSv1;", "v=sts", "id\x80\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if len(text) <= maxRecord && r.String() != text {
			t.Fatalf("%q prints as %q", text, r)
		}
		again, _ := Parse(r.String())
		if len(text) <= maxRecord && fmt.Sprint(again) != fmt.Sprint(r) {
			t.Fatalf("%q reads differently again", text)
		}
		if (err == nil) != (worst(r.Problems) == nil) || err == nil && (r.ID == "" || !strings.HasPrefix(text, recordStart)) {
			t.Fatalf("%q: error %v, id %q", text, err, r.ID)
		}
		checkProblems(t, text, r.Problems)
		for _, fl := range r.Fields {
			if text[fl.start:fl.start+len(fl.Raw)] != fl.Raw || !strings.HasPrefix(text[fl.Offset:], fl.label()) || !strings.HasPrefix(text[fl.valueOffset():], fl.Value) {
				t.Fatalf("%q: wrong offsets of %+v", text, fl)
			}
		}
		if set, err := r.Set("id", "fuzz1"); err == nil && set.ID != "fuzz1" {
			t.Fatalf("%q: Set gives %q", text, set)
		}
		for _, fl := range r.Fields[min(1, len(r.Fields)):] {
			if _, found := r.Remove(fl.Name).Field(fl.Name); found && fl.Name != r.Fields[0].Name && fl.Name != "" {
				t.Fatalf("%q: Remove leaves %q", text, fl.Name)
			}
		}
	})
}

// checkProblems holds for every reading: places inside the text, safe words.
func checkProblems(t *testing.T, text string, problems []Problem) {
	t.Helper()
	if len(problems) > maxProblems+8 {
		t.Fatalf("%d problems", len(problems))
	}
	for _, p := range problems {
		if p.Offset < 0 || p.Offset > len(text) || p.Message == "" || p.Kind == "" || p.Effect == "" {
			t.Fatalf("%q: problem %+v", text, p)
		}
		for _, c := range p.String() {
			if c < ' ' || c > '~' {
				t.Fatalf("%q: unsafe message %q", text, p)
			}
		}
	}
}

// A text does not become valid by having too many faults.
func TestTooManyFaults(t *testing.T) {
	text := "v=STSv1; " + strings.Repeat("x=;", maxProblems+50) + "id=not valid"
	if r, err := Parse(text); err == nil {
		t.Errorf("it was read, with %d problems", len(r.Problems))
	}
	policy := "version: STSv1\n" + strings.Repeat("odd line\n", maxProblems+50) + "mode: nonsense\nmx: a.example\nmax_age: 1\n"
	if p, err := ParsePolicy(policy); err == nil {
		t.Errorf("it was read, with %d problems", len(p.Problems))
	}
}
