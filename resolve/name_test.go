package resolve

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestParseName(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, tt := range []struct{ in, want string }{
		{"example.org", "example.org"},
		{"Example.ORG.", "example.org"},
		{" example.org\n", "example.org"},
		{".", "."},
		{"_dmarc.example.org", "_dmarc.example.org"},
		{"bücher.example", "xn--bcher-kva.example"},
		{"BÜCHER。example", "xn--bcher-kva.example"}, // the ideographic full stop separates labels (UTS #46)
		{"faß.example", "xn--fa-hia.example"},       // non-transitional: sharp s is kept
		{"exam\u200bple.org", "example.org"},        // a zero-width space is mapped away
		{"xn--bcher-kva.example", "xn--bcher-kva.example"},
		{long + ".example", long + ".example"},
	} {
		got, err := ParseName(tt.in)
		if err != nil || got.String() != tt.want {
			t.Errorf("ParseName(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestParseNameErrors(t *testing.T) {
	for _, tt := range []struct{ in, reason, hint string }{
		{"", "empty", ""},
		{"https://www.example.org/x?y", "URL", "www.example.org"},
		{"https://user@example.org:8443/", "URL", "example.org"},
		{"postmaster@example.org", "mail address", "example.org"},
		{"Joe <joe@example.org>", "mail address", "example.org"},
		{"example.org/24", "path", "example.org"},
		{"example.org:25", "port", "example.org"},
		{"*.example.org", "wildcard", "example.org"},
		{"192.0.2.1", "IP address", ""},
		{"2001:db8::1", "IP address", ""},
		{"[192.0.2.1]", "IP address", ""},
		{"exa mple.org", "character ' '", ""},
		{"exam\x1b[2Jple.org", "character", ""},
		{"exam\x00ple.org", "character", ""},
		{"ex\u0085ample.org", "control character", ""},
		{"ex\xffample.org", "invalid UTF-8", ""},
		{"a..b", "empty label", ""},
		{".example.org", "empty label", ""},
		{"example.org..", "empty label", ""},
		{strings.Repeat("a", 64) + ".example", "label of 64", ""},
		{strings.Repeat("a.", 150) + "example", "limit is 253", ""},
	} {
		_, err := ParseName(tt.in)
		e, ok := errors.AsType[*NameError](err)
		if !ok {
			t.Errorf("ParseName(%q) = %v, want *NameError", tt.in, err)
			continue
		}
		if !strings.Contains(e.Error(), tt.reason) || !strings.Contains(e.Hint, tt.hint) {
			t.Errorf("ParseName(%q): %v (hint %q); want %q and hint %q", tt.in, e, e.Hint, tt.reason, tt.hint)
		}
		for _, c := range e.Error() {
			if c < ' ' || c == 0x7f {
				t.Errorf("ParseName(%q): control character in the error", tt.in)
			}
		}
	}
}

func TestNameLengthOnTheWire(t *testing.T) {
	// RFC 1035, Section 2.3.4: 255 octets on the wire, so 253 in text.
	ok := strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("b", 61)
	if n, err := NameFromText(ok); err != nil || len(n.String()) != 253 {
		t.Errorf("253 octets: %v, %v", len(n.String()), err)
	}
	if _, err := NameFromText(ok + "b"); err == nil {
		t.Error("254 octets: no error")
	}
	if _, err := NameFromMaster(`\097` + ok[1:] + "b"); err == nil {
		t.Error("254 octets with an escape: no error")
	}
	n := MustName(ok)
	if _, err := n.Below("x"); err == nil {
		t.Error("Below a name of 253 octets: no error")
	}
}

func TestNameFromMaster(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"Example.ORG.", "example.org"},
		{`a\.b.example.`, `a\.b.example`},
		{`a\046b.example.`, `a\.b.example`},
		{`\065.example.`, `a.example`}, // \065 is "A": names compare without case
		{`a\ b.example`, `a\032b.example`},
		{`x\@y.example.`, `x\@y.example`},
		{`end\.`, `end\.`},
		{`end\\.`, `end\\`},
		{`end\\\.`, `end\\\.`},
	} {
		got, err := NameFromMaster(tt.in)
		if err != nil || got.String() != tt.want {
			t.Errorf("NameFromMaster(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{`a\`, `a\25`, `a\256.b`, `a..b`, ``, `a\2x4`} {
		if n, err := NameFromMaster(in); err == nil {
			t.Errorf("NameFromMaster(%q) = %q, want an error", in, n)
		}
	}
}

func TestNameTree(t *testing.T) {
	n := MustName("a.b.example.org")
	if n.NumLabels() != 4 || n.Parent().String() != "b.example.org" || n.First() != "a" || n.Suffix(2).String() != "example.org" {
		t.Errorf("%v: %d labels, parent %v, first %q, suffix %v", n, n.NumLabels(), n.Parent(), n.First(), n.Suffix(2))
	}
	if p := MustName("org").Parent(); !p.IsRoot() || Root.Parent() != (Name{}) || Root.NumLabels() != 0 {
		t.Errorf("parent of a TLD = %q, of the root = %q", p, Root.Parent())
	}
	dotted, _ := NameFromMaster(`a\.b.example.org`)
	if dotted.NumLabels() != 3 || dotted.Parent().String() != "example.org" || dotted.First() != `a\.b` {
		t.Errorf("%v: %d labels, parent %v", dotted, dotted.NumLabels(), dotted.Parent())
	}
	for _, tt := range []struct {
		name, parent string
		want         bool
	}{
		{"example.org", "example.org", true}, {"a.example.org", "example.org", true}, {"aexample.org", "example.org", false},
		{"org", "example.org", false}, {"example.org", ".", true}, {".", ".", true}, {`a\.example.org`, "example.org", false},
	} {
		a, _ := NameFromMaster(tt.name)
		b, _ := NameFromMaster(tt.parent)
		if got := a.Within(b); got != tt.want {
			t.Errorf("%q within %q = %v", tt.name, tt.parent, got)
		}
	}
	if d, err := n.Below("_dmarc"); err != nil || d.String() != "_dmarc.a.b.example.org" {
		t.Errorf("Below = %v, %v", d, err)
	}
	if d, err := Root.Below("org"); err != nil || d.String() != "org" {
		t.Errorf("Below the root = %v, %v", d, err)
	}
	if _, err := (Name{}).Below("a"); err == nil {
		t.Error("Below no name: no error")
	}
	if got := MustName("xn--bcher-kva.example").Unicode(); got != "bücher.example" {
		t.Errorf("Unicode = %q", got)
	}
}

func TestNameJSON(t *testing.T) {
	in := map[string]Name{"a": MustName("example.org"), "b": {}, "c": Root}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]Name
	if err := json.Unmarshal(b, &out); err != nil || out["a"] != in["a"] || out["b"] != in["b"] || out["c"] != in["c"] {
		t.Errorf("%s → %v, %v", b, out, err)
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"example.org", `a\.b\000.x`, "bücher.example", "*.x", "a@b", strings.Repeat("x.", 130), `\\.`, `x\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string) (Name, error){ParseName, NameFromText, NameFromMaster} {
			n, err := parse(s)
			if err != nil {
				if _, ok := errors.AsType[*NameError](err); !ok {
					t.Fatalf("%q: error of type %T", s, err)
				}
				continue
			}
			back, err := NameFromMaster(n.FQDN())
			if err != nil || back != n {
				t.Fatalf("%q → %q → %q, %v", s, n, back, err)
			}
			for p := n; !p.IsZero(); p = p.Parent() {
				if !n.Within(p) {
					t.Fatalf("%q is not within its parent %q", n, p)
				}
			}
		}
	})
}
