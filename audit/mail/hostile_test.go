package mail_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// hostile are mails that cost a careless reader its time, its memory or its word.
func hostile() map[string]string {
	many := func(n int, line string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, line+"\n", i)
		}
		return b.String()
	}
	return map[string]string{
		"empty":              "",
		"signatures":         direct + many(1000, "DKIM-Signature: v=1; a=rsa-sha256; d=d%d.example; s=s; c=relaxed/relaxed; h=from; bh=AAAA; b=AAAA") + letter,
		"hops":               many(10000, "Received: from a [192.0.2.%[1]d] by b; Sun, 01 Nov 2026 12:00:00 +0000") + letter,
		"results":            many(1000, "Authentication-Results: mx.example.net; dkim=pass header.d=d%d.example; spf=pass smtp.mailfrom=a@b.example") + direct + letter,
		"results in one":     "Authentication-Results: mx.example.net" + strings.Repeat("; dkim=pass header.d=a.example", 5000) + "\n" + direct + letter,
		"comments":           "Authentication-Results: mx.example.net; dkim=pass " + strings.Repeat("(", 5000) + "\n" + direct + letter,
		"sets":               direct + many(200, "ARC-Seal: i=%d; a=rsa-sha256; d=a.example; s=s; cv=pass; b=AAAA") + letter,
		"authors":            direct + strings.Replace(letter, "news@example.org>", "news@example.org>, "+strings.TrimSuffix(strings.ReplaceAll(many(2000, "a@d%d.example, "), "\n", ""), ", "), 1),
		"reply-to":           direct + "Reply-To: " + strings.ReplaceAll(many(2000, "a@d%d.example, "), "\n", "") + "a@b.example\n" + letter,
		"unsubscribe":        direct + "List-Unsubscribe: " + strings.Repeat("<https://a.example/>, ", 5000) + "\n" + letter,
		"parts":              direct + strings.Replace(letter, "Date:", "Content-Type: multipart/mixed; boundary=b\nDate:", 1) + strings.Repeat("--b\n\nx\n", 5000),
		"open tags":          direct + strings.Replace(letter, "Date:", "Content-Type: text/html\nDate:", 1) + strings.Repeat("<div><a href='https://x.example/'>", 20000),
		"one line":           direct + letter + strings.Repeat("a", 2<<20),
		"terminal codes":     "Authentication-Results: mx.example.net; dkim=fail (\x1b[2J\x9b31m) header.d=example.org\n" + direct + strings.Replace(letter, "Subject: Hello", "Subject: \x1b]0;t\x07\u202e", 1),
		"address as a name":  "Return-Path: <a@[192.0.2.1]>\n" + strings.TrimPrefix(direct, "Return-Path: <news@example.org>\n") + letter,
		"SPF macro sender":   "Return-Path: <\"%{i}.%{l}.@\"@example.org>\n" + direct + letter,
		"a domain of labels": direct + strings.Replace(letter, "example.org>", strings.Repeat("a.", 200)+"example.org>", 1),
	}
}

// TestHostile wants an answer in bounded time and of bounded size.
func TestHostile(t *testing.T) {
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			f := gather(t, text, zone, mail.Options{})
			doc, err := json.Marshal(f.Summary())
			if err != nil {
				t.Fatal(err)
			}
			if d := time.Since(start); d > 4*time.Second {
				t.Errorf("took %v", d)
			}
			if f.Queries() > 400 {
				t.Errorf("%d questions", f.Queries())
			}
			if len(doc) > 1<<20 {
				t.Errorf("a summary of %d octets", len(doc))
			}
		})
	}
}

// TestCut wants a mail above the limit to be judged by nothing that its body decides.
func TestCut(t *testing.T) {
	text := signed(t, letter, "example.org", dkimDefaults)
	data := []byte(crlf(direct + text))
	m := message.Parse(data, message.Options{MaxBytes: int64(len(data)) - 3})
	f := mail.Gather(context.Background(), resolve.Offline, m, mail.Options{})
	if c := check(t, f, "dkim"); c.Ours != mail.Unchecked || f.VerifyErr == nil {
		t.Errorf("DKIM of a cut mail: %s (%s)", c.Ours, c.Why)
	}
}

// TestCanceled wants what was not asked to be unknown.
func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m := message.Parse([]byte(crlf(direct+signed(t, letter, "example.org", dkimDefaults))), message.Options{})
	f := mail.Gather(ctx, resolve.Offline, m, mail.Options{})
	for _, c := range f.Checks {
		if c.Ours == "fail" || c.Ours == "pass" {
			t.Errorf("%s = %s (%s) though nothing was asked", c.Method, c.Ours, c.Why)
		}
	}
}

func FuzzGather(f *testing.F) {
	for _, text := range hostile() {
		if len(text) < 1<<14 {
			f.Add(crlf(text), "192.0.2.1")
		}
	}
	f.Add(crlf("Authentication-Results: mx.example.net; spf=pass; dkim=fail header.d=example.org; dmarc=pass\n"+direct+letter), "")
	f.Add(crlf("Return-Path: <SRS0=a=b=c=d@e.example>\nARC-Seal: i=1; cv=none\n"+direct+letter), "::1")
	f.Fuzz(func(t *testing.T, text, helo string) {
		m := message.Parse([]byte(text), message.Options{})
		x := mail.Gather(context.Background(), resolve.Offline, m, mail.Options{Helo: helo, Now: func() time.Time { return arrival }})
		if len(x.Checks) < 4 {
			t.Fatalf("checks: %+v", x.Checks)
		}
		for _, c := range x.Checks {
			// Offline nothing can pass: the records of nobody are known.
			if c.Ours == "pass" {
				t.Fatalf("%s passes offline: %+v", c.Method, c)
			}
			if d := c.Difference; d != nil && (d.Cause == "" || d.Text == "") {
				t.Fatalf("a difference without a cause: %+v", c)
			}
		}
		if _, err := json.Marshal(x.Summary()); err != nil {
			t.Fatal(err)
		}
	})
}
