package mail_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// A mail that was forwarded: SPF is about the forwarder, and the field by which the
// forwarder took the mail shows where it came from.
func ExampleGather() {
	m := message.Parse([]byte("Authentication-Results: mx.example.net; spf=fail smtp.mailfrom=news@example.org\r\n"+
		"Return-Path: <news@example.org>\r\n"+
		"Received: from fwd.example (fwd.example [198.51.100.7]) by mx.example.net with ESMTPS id 2; Sun, 01 Nov 2026 12:00:02 +0000\r\n"+
		"Received: from mail.example.org (mail.example.org [192.0.2.25]) by fwd.example with ESMTPS id 1; Sun, 01 Nov 2026 12:00:01 +0000\r\n"+
		"From: news@example.org\r\nDate: Sun, 01 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n"), message.Options{})
	zone := zonetest.MustParse(`
example.org. 60 IN TXT "v=spf1 ip4:192.0.2.25 -all"
example.org. 60 IN MX 0 mail.example.org.
_dmarc.example.org. 60 IN TXT "v=DMARC1; p=reject"
`)
	f := mail.Gather(context.Background(), zone, m, mail.Options{Now: func() time.Time { return time.Date(2026, 11, 1, 13, 0, 0, 0, time.UTC) }})
	for _, c := range f.Checks {
		fmt.Println(c.Method, c.Ours, len(c.Claims))
	}
	fmt.Println(f.Forwarding.Kind, "by", f.Forwarding.By, "from", f.Forwarding.Origin.IP)
	// Output:
	// spf fail 1
	// dkim none 0
	// arc none 0
	// dmarc fail 0
	// forwarder by fwd.example from 192.0.2.25
}
