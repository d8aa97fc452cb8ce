package dmarc

import (
	"errors"
	"strings"
	"testing"
)

func TestSet(t *testing.T) {
	tests := []struct{ text, name, value, want string }{
		{"v=DMARC1; p=none", "p", "reject", "v=DMARC1; p=reject"},
		{"v=DMARC1;p = nonee  ;rua=mailto:a@example.com;", "p", "none", "v=DMARC1;p = none  ;rua=mailto:a@example.com;"},
		{"v=DMARC1; p=none", "sp", "reject", "v=DMARC1; p=none; sp=reject"},
		{"v=DMARC1; p=none;", "sp", "reject", "v=DMARC1; p=none; sp=reject;"},
		{"v=DMARC1;p=none;", "sp", "reject", "v=DMARC1;p=none;sp=reject;"},
		{"v=DMARC1; p=none ; ", "sp", "reject", "v=DMARC1; p=none; sp=reject ; "},
		{"v=DMARC1; p=none  ", "sp", "reject", "v=DMARC1; p=none; sp=reject  "},
		{"V=DMARC1; p=none; v=DMARC1", "v", "DMARC1", "v=DMARC1; p=none"},
		{"v=DMARC1; rua=mailto:a@example.com", "p", "none", "v=DMARC1; p=none; rua=mailto:a@example.com"},
		{"v=DMARC1", "p", "none", "v=DMARC1; p=none"},
		{"v=DMARC1;", "p", "none", "v=DMARC1; p=none;"},
		{"v=DMARC1; p=none; p=reject; x=y", "p", "quarantine", "v=DMARC1; p=quarantine; x=y"},
		{"v=DMARC1; p=none; rua=a@b.example; zz=1;  rua=c@d.example", "rua", "mailto:a@b.example", "v=DMARC1; p=none; rua=mailto:a@b.example; zz=1"},
		{"v=DMARC1; p=none; rua=", "rua", "mailto:a@b.example", "v=DMARC1; p=none; rua=mailto:a@b.example"},
		{"v=DMARC1; junk; p=none", "t", "y", "v=DMARC1; junk; p=none; t=y"},
		{"V=DMARC1; p=none", "t", "y", "V=DMARC1; p=none; t=y"},
	}
	for _, tt := range tests {
		r, _ := Parse(tt.text)
		got, err := r.Set(tt.name, tt.value)
		if err != nil || got.String() != tt.want {
			t.Errorf("%q set %s=%s: got %q, %v; want %q", tt.text, tt.name, tt.value, got, err, tt.want)
		}
	}
}

func TestSetRefuses(t *testing.T) {
	tests := []struct{ text, name, value string }{
		{"v=dmarc1; p=none", "p", "none"},
		{"v=DMARC1; p=none", "p", "nonee"},
		{"v=DMARC1; p=none", "P", "none"},
		{"v=DMARC1; p=none", "", "none"},
		{"v=DMARC1; p=none", "a b", "none"},
		{"v=DMARC1; p=none", "sp", ""},
		{"v=DMARC1; p=none", "sp", "none; p=none"},
		{"v=DMARC1; p=none", "sp", " none"},
		{"v=DMARC1; p=none", "rua", "a@example.com"},
		{"v=DMARC1; p=none", "rua", "mailto:a@example.com,mailto:b"},
		{"v=DMARC1; p=none", "adkim", "strict"},
		{"v=DMARC1; p=none", "x", "caf\u00e9"},
		{"v=DMARC1; p=none", "v", "DMARC2"},
		{"v=DMARC1; p=none", "x", strings.Repeat("x", maxRecord)},
	}
	for _, tt := range tests {
		r, _ := Parse(tt.text)
		got, err := r.Set(tt.name, tt.value)
		if !errors.Is(err, ErrEdit) || got.String() != tt.text {
			t.Errorf("%q set %s=%.40q: got %.80q, %v", tt.text, tt.name, tt.value, got, err)
		}
	}
}

func TestRemove(t *testing.T) {
	tests := []struct{ text, name, want string }{
		{"v=DMARC1; p=none; pct=100;  fo=1;", "pct", "v=DMARC1; p=none;  fo=1;"},
		{"v=DMARC1; p=none; pct=100", "pct", "v=DMARC1; p=none"},
		{"v=DMARC1; p=none; pct=100;", "pct", "v=DMARC1; p=none;"},
		{"v=DMARC1; rf=a; p=none; rf=b", "rf", "v=DMARC1; p=none"},
		{"v=DMARC1; p=none; junk; more", "", "v=DMARC1; p=none"},
		{"v=DMARC1; p=none", "v", "v=DMARC1; p=none"},
		{"v=DMARC1; p=none", "x", "v=DMARC1; p=none"},
	}
	for _, tt := range tests {
		r, _ := Parse(tt.text)
		if got := r.Remove(tt.name); got.String() != tt.want {
			t.Errorf("%q remove %q: got %q, want %q", tt.text, tt.name, got, tt.want)
		}
	}
}

func TestNew(t *testing.T) {
	r, err := New(Fields{P: Reject, SP: Quarantine, NP: Reject, StrictDKIM: true, StrictSPF: true, Testing: true, PSD: "n", FO: "1",
		RUA: []string{"a@example.com", "mailto:b@example.net"}, RUF: []string{"x!y,z%@example.com"}})
	const want = "v=DMARC1; p=reject; sp=quarantine; np=reject; adkim=s; aspf=s; t=y; psd=n; fo=1; rua=mailto:a@example.com,mailto:b@example.net; ruf=mailto:x%21y%2Cz%25@example.com"
	if err != nil || r.String() != want || len(r.Problems) != 0 {
		t.Errorf("got %q, %v, %q", r, err, r.Problems)
	}
	if r.RUF[0].Address != "x!y,z%@example.com" {
		t.Errorf("got address %q", r.RUF[0].Address)
	}
	for _, f := range []Fields{{}, {P: "nonee"}, {P: None, SP: "x"}, {P: None, RUA: []string{"nobody"}}, {P: None, PSD: "maybe"}, {P: None, RUA: []string{""}}} {
		if r, err := New(f); !errors.Is(err, ErrEdit) || r.String() != "" {
			t.Errorf("%+v: got %q, %v", f, r, err)
		}
	}
}

func FuzzSet(f *testing.F) {
	f.Add("v=DMARC1; p=none; rua=mailto:a@example.com;", "sp", "reject")
	f.Add("v=DMARC1;;p=none;p=;", "p", "reject")
	f.Add("V = DMARC1 ; ; x", "p", "none")
	f.Fuzz(func(t *testing.T, text, name, value string) {
		r, err := Parse(text)
		if err != nil {
			return
		}
		got, err := r.Set(name, value)
		if err != nil {
			if got.String() != text {
				t.Fatalf("%q: an error changed the record to %q", text, got)
			}
			return
		}
		tag, found := got.Tag(name)
		if name != "v" && (!found || tag.Value != value) && len(r.Tags) < maxTags {
			t.Fatalf("%q set %q=%q: got %q", text, name, value, got)
		}
		again, err := got.Set(name, value)
		if err != nil || again.String() != got.String() {
			t.Fatalf("%q set %q=%q twice: %q, then %q, %v", text, name, value, got, again, err)
		}
		for _, o := range r.Tags {
			if o.Name != name && !strings.Contains(got.String(), strings.TrimRight(o.Raw, wsp)) {
				t.Fatalf("%q set %q=%q lost %q: %q", text, name, value, o.Raw, got)
			}
		}
	})
}
