package mail_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const zone = `
example.org. 3600 IN MX 10 mail.example.org.
mail.example.org. 3600 IN A 192.0.2.25
25.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.
example.org. 3600 IN TXT "v=spf1 ip4:192.0.2.25 -all"
_dmarc.example.org. 3600 IN TXT "v=DMARC1; p=reject"
fwd.example. 3600 IN TXT "v=spf1 ip4:198.51.100.7 -all"
`

const (
	direct = "Return-Path: <news@example.org>\n" +
		"Received: from mail.example.org (mail.example.org [192.0.2.25])\n\tby mx.example.net (Postfix) with ESMTPS id 1\n\tfor <ann@example.net>; Sun, 01 Nov 2026 12:00:02 +0000\n"
	letter = "From: Example <news@example.org>\nTo: ann@example.net\nSubject: Hello\nDate: Sun, 01 Nov 2026 12:00:00 +0000\nMessage-ID: <1@example.org>\n\nHello Ann.\n"
)

var dkimDefaults = dkim.SignOptions{}

var arrival = time.Date(2026, 11, 1, 12, 0, 2, 0, time.UTC)

// keyOf is the key of a domain and selector: a name is all that makes it.
func keyOf(domain, selector string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(selector + "." + domain))
	return ed25519.NewKeyFromSeed(seed[:])
}

func record(domain, selector string) string {
	pub := keyOf(domain, selector).Public().(ed25519.PublicKey)
	return fmt.Sprintf("%s._domainkey.%s. 3600 IN TXT \"v=DKIM1; k=ed25519; p=%s\"\n", selector, domain, base64.StdEncoding.EncodeToString(pub))
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// signed is a mail with a signature, on lines that end in LF.
func signed(t testing.TB, text, domain string, opt dkim.SignOptions) string {
	t.Helper()
	opt.Domain, opt.Selector, opt.Key = resolve.MustName(domain), "s1", keyOf(domain, "s1")
	if opt.Now == nil {
		opt.Now = func() time.Time { return arrival.Add(-2 * time.Second) }
	}
	var b bytes.Buffer
	if _, err := dkim.Sign(context.Background(), &b, strings.NewReader(crlf(text)), opt); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(b.String(), "\r\n", "\n")
}

func gather(t testing.TB, text, zone string, opt mail.Options) *mail.Facts {
	t.Helper()
	z, err := zonetest.Parse(zone, zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	if opt.Now == nil {
		opt.Now = func() time.Time { return arrival.Add(5 * time.Second) }
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return mail.Gather(ctx, z, message.Parse([]byte(crlf(text)), message.Options{}), opt)
}

func check(t testing.TB, f *mail.Facts, method string) mail.Check {
	t.Helper()
	for _, c := range f.Checks {
		if c.Method == method {
			return c
		}
	}
	t.Fatalf("no check of %s", method)
	return mail.Check{}
}
