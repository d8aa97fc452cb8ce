package config

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const sample = `
version: 1
selectors: [common]
domains:
  - example.net
  - name: Example.ORG.
    selectors: [s1]
    addresses: [192.0.2.1, "2001:db8::1"]
suppressions:
  - rule: DMARC012
    domain: example.org
    reason: waiting for the vendor
    expires: 2027-01-31
`

func TestParse(t *testing.T) {
	c, err := Parse("mailcheck.yaml", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	sel, addrs := c.For(resolve.MustName("example.org"))
	if !slices.Equal(sel, []string{"common", "s1"}) || !slices.Equal(addrs, []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}) {
		t.Errorf("For(example.org) = %v, %v", sel, addrs)
	}
	if sel, _ := c.For(resolve.MustName("example.com")); !slices.Equal(sel, []string{"common"}) {
		t.Errorf("For(example.com) = %v", sel)
	}
	if len(c.Suppressions) != 1 || c.Suppressions[0].Expires.Day() != 31 {
		t.Errorf("suppressions = %+v", c.Suppressions)
	}
}

func TestSources(t *testing.T) {
	c, err := Parse("f.yaml", []byte("forwarders: [Example University]\ndomains:\n  - name: example.org\n    ours: [192.0.2.0/24, sendgrid]\n    forgers: [ 203.0.113.7 ]\n"))
	if err != nil {
		t.Fatal(err)
	}
	d := c.Domains[0].Sources
	if !slices.Equal(c.Sources.Forwarders, []string{"Example University"}) || !slices.Equal(d.Ours, []string{"192.0.2.0/24", "sendgrid"}) || !slices.Equal(d.Forgers, []string{"203.0.113.7"}) || d.Forwarders != nil {
		t.Errorf("%+v, %+v", c.Sources, d)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		line       int
		want       string
	}{
		{"unknown key", "version: 1\nselector: [a]\n", 2, "selector"},
		{"unknown key in a domain", "domains:\n  - name: example.org\n    selecter: [a]\n", 3, "selecter"},
		{"unknown key in a suppression", "suppressions:\n  - rule: SPF001\n    why: x\n", 3, "why"},
		{"no reason", "suppressions:\n  - rule: SPF001\n", 2, "needs a reason"},
		{"no rule", "suppressions:\n  - reason: x\n", 2, "needs a rule"},
		{"bad date", "suppressions:\n  - rule: SPF001\n    reason: x\n    expires: 31.1.2027\n", 2, "not a date"},
		{"bad domain", "domains:\n  - http://example.org\n", 2, "URL"},
		{"empty source", "domains:\n  - name: example.org\n    ours: [\" \"]\n", 2, "ours: an entry is empty"},
		{"bad network", "domains:\n  - name: example.org\n    forgers: [192.0.2.0/33]\n", 2, "not a network"},
		{"two things", "domains:\n  - name: example.org\n    ours: [SendGrid]\n    forgers: [sendgrid]\n", 2, "is in ours and in forgers"},
		{"two things for all", "forwarders: [192.0.2.1]\nforgers: [192.0.2.1]\n", 0, "is in forwarders and in forgers"},
		{"a source that is no list", "domains:\n  - name: example.org\n    ours: 192.0.2.1\n", 3, "cannot unmarshal"},
		{"misspelt source", "domains:\n  - name: example.org\n    forger: [192.0.2.1]\n", 3, "forger"},
		{"bad address", "domains:\n  - name: example.org\n    addresses: [192.0.2.300]\n", 2, "not an IP address"},
		{"not yaml", "domains: [\n", 0, ""},
		{"version", "version: 2\n", 0, "version 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(tt.text))
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("err = %v, want *Error", err)
			}
			if tt.line != 0 && e.Line != tt.line || !strings.Contains(e.Error(), tt.want) {
				t.Errorf("got line %d: %v; want line %d and %q", e.Line, e, tt.line, tt.want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	t.Chdir(t.TempDir())
	if c, err := Load(""); err != nil || c.Path != "" {
		t.Errorf("no file: %+v, %v", c, err)
	}
	if _, err := Load("missing.yaml"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("named file missing: %v", err)
	}
	if err := os.WriteFile(Name, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := Load(""); err != nil || len(c.Domains) != 2 {
		t.Errorf("Load = %+v, %v", c, err)
	}
	big := filepath.Join(t.TempDir(), "big.yaml")
	if err := os.WriteFile(big, make([]byte, MaxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(big); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("big file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, err := Parse("f", text)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Errorf("error of type %T", err)
			}
		}
	})
}
