package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func TestRun(t *testing.T) {
	world := func(policy string) resolve.Resolver {
		z, err := zonetest.Parse(`
example.org.         MX  10 mail.example.org.
mail.example.org.    A   192.0.2.25
example.org.         TXT "v=spf1 ip4:192.0.2.25 -all"
_dmarc.example.org.  TXT "v=DMARC1; p=`+policy+`"
`, zonetest.Options{World: true})
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	file := filepath.Join(t.TempDir(), "baseline.json")
	// The runs of one file, one after the other.
	for _, test := range []struct {
		name     string
		resolver resolve.Resolver
		want     string // empty: nothing is said
	}{
		{"the first run", world("reject"), ""},
		{"nothing has changed", world("reject"), ""},
		{"the policy is weaker", world("none"), "reject became none"},
		{"each change is told once", world("none"), ""},
		{"no answer is no change", resolve.Offline, "unknown: dmarc"},
		{"what was unknown is still known", world("none"), ""},
	} {
		var out bytes.Buffer
		if err := run(context.Background(), &out, []string{"example.org", file}, test.resolver); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if test.want == "" && out.Len() > 0 || !strings.Contains(out.String(), test.want) {
			t.Errorf("%s: %q, want %q", test.name, out.String(), test.want)
		}
	}
	for _, args := range [][]string{{"example.org"}, {"no domain", file}, {"other.example", file}} {
		if err := run(context.Background(), &bytes.Buffer{}, args, world("none")); err == nil {
			t.Errorf("run(%q) is no error", args)
		}
	}
}
