package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var zone = zonetest.MustParse(`
example.org.         TXT "v=spf1 ip4:192.0.2.0/24 include:_spf.example.net -all"
_spf.example.net.    TXT "v=spf1 ip4:198.51.100.7 -all"
broken.example.      TXT "v=spf1 ipv4:192.0.2.1 -all"
`)

func TestRun(t *testing.T) {
	for _, test := range []struct {
		name     string
		args     string
		resolver resolve.Resolver
		want     []string
	}{
		{"pass", "192.0.2.1 mail.example.org a@example.org", zone, []string{"250 2.1.0 OK\n", "spf=pass", `by "ip4:192.0.2.0/24"`}},
		{"pass by an include", "198.51.100.7 mail.example.org a@example.org", zone, []string{"250 2.1.0 OK\n", `by "include:_spf.example.net"`}},
		{"fail", "203.0.113.1 mail.example.org a@example.org", zone, []string{"550 5.7.23", "spf=fail", `by "-all"`}},
		{"a broken record is no fail", "192.0.2.1 mail.broken.example a@broken.example", zone, []string{"250 2.1.0 OK, SPF", "spf=permerror", "because"}},
		{"a silent name server is no fail", "192.0.2.1 mail.example.org a@example.org", resolve.Offline, []string{"451 4.4.3", "spf=temperror", "because"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := run(context.Background(), &out, strings.Fields(test.args), test.resolver); err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in %q", want, out.String())
				}
			}
		})
	}
	for _, args := range []string{"", "mail.example.org helo a@example.org"} {
		if err := run(context.Background(), &bytes.Buffer{}, strings.Fields(args), zone); err == nil {
			t.Errorf("run(%q) is no error", args)
		}
	}
}
