package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const mail = "From: Someone <someone@example.org>\r\nTo: you@example.net\r\nSubject: hello\r\n" +
	"Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n"

// signed signs the mail with a new key, and makes the zone with its record.
func signed(t *testing.T) (string, resolve.Resolver) {
	t.Helper()
	key, err := keys.Generate(keys.Options{Type: dkim.KeyEd25519})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := key.Record()
	if err != nil {
		t.Fatal(err)
	}
	zone := zonetest.MustParse(`
_dmarc.example.org.         TXT "v=DMARC1; p=reject"
s1._domainkey.example.org.  TXT ` + resolve.SplitTXT(rec.String()).String())
	var field bytes.Buffer
	if _, err := dkim.Sign(context.Background(), &field, strings.NewReader(mail), dkim.SignOptions{
		Domain: resolve.MustName("example.org"), Selector: "s1", Key: key.Signer(),
	}); err != nil {
		t.Fatal(err)
	}
	return field.String(), zone
}

func TestRun(t *testing.T) {
	whole, zone := signed(t)
	for _, test := range []struct {
		name, mail string
		args       []string
		resolver   resolve.Resolver
		want       []string
	}{
		{"signed", whole, nil, zone, []string{"dkim=pass", "dmarc=pass from=example.org disposition=none"}},
		{"changed on the way", strings.Replace(whole, "Hello\r\n", "Hallo\r\n", 1), nil, zone, []string{"dkim=fail", "dmarc=fail", "disposition=reject"}},
		{"SPF passes for a stranger", mail, []string{"stranger.example", "pass"}, zone, []string{"dmarc=fail"}},
		{"SPF passes for the author", mail, []string{"example.org", "pass"}, zone, []string{"dmarc=pass"}},
		{"no answer is not a fail", whole, nil, resolve.Offline, []string{"dkim=temperror", "dmarc=temperror"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := run(context.Background(), &out, strings.NewReader(test.mail), test.args, test.resolver); err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in %q", want, out.String())
				}
			}
		})
	}
	if err := run(context.Background(), &bytes.Buffer{}, strings.NewReader("\r\n"), nil, zone); err == nil {
		t.Error("a mail without author is no error")
	}
}
