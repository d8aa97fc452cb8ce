package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func TestRun(t *testing.T) {
	zone, err := zonetest.Parse(`
example.org.        MX  10 mail.example.org.
mail.example.org.   A   192.0.2.25
mail.example.org.   TXT "v=spf1 a -all"
example.org.        TXT "v=spf1 ip4:192.0.2.25 ~all"
`, zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(context.Background(), &out, []string{"example.org", "dmarc@example.org"}, zone); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"now   ", `_dmarc.example.org. 3600 IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.org"`, "later ", "DMARC then: \"the record of example.org applies"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	for name, args := range map[string][]string{"usage": {"example.org"}, "name": {"no domain", "a@example.org"}, "no such domain": {"none.example", "a@example.org"}} {
		if err := run(context.Background(), &out, args, zone); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := run(context.Background(), &out, []string{"example.org", "a@example.org"}, resolve.Offline); err == nil || !strings.Contains(err.Error(), "does not tell enough") {
		t.Errorf("nothing is known, and the error is %v", err)
	}
}
