package mailrules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
)

// zone is what the sender of the scenarios publishes; the keys of signatures come on
// top.
const zone = `
example.org. 3600 IN MX 10 mail.example.org.
mail.example.org. 3600 IN A 192.0.2.25
25.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.
example.org. 3600 IN TXT "v=spf1 ip4:192.0.2.25 -all"
_dmarc.example.org. 3600 IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.org"
`

// hop is how the receiver of the scenarios took the mail.
const hop = `Return-Path: <news@example.org>
Received: from mail.example.org (mail.example.org [192.0.2.25])
	(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
	by mx.example.net (Postfix) with ESMTPS id 4Tq1
	for <ann@example.net>; Sun, 01 Nov 2026 12:00:02 +0000 (UTC)
`

// head is the header that the sender of the scenarios writes, body its text.
const head = `From: Example Shop <news@example.org>
To: Ann <ann@example.net>
Subject: Your order
Date: Sun, 01 Nov 2026 12:00:00 +0000
Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
`

const body = `
Hello Ann,
your order is on its way.
`

// plain is a mail that nothing is wrong with.
const plain = hop + head + body

// signed is the one signature that most scenarios have.
var signed = []string{"example.org s1"}

// good is the scenario of the plain mail.
func good() audit.Scenario { return audit.Scenario{Zone: zone, Mail: plain, Signers: signed} }

// mailed is the plain mail with replacements in it, given as pairs of old and new.
func mailed(pairs ...string) audit.Scenario {
	s := good()
	s.Mail = strings.NewReplacer(pairs...).Replace(plain)
	return s
}

// zoned is the plain mail in a world with replacements.
func zoned(pairs ...string) audit.Scenario {
	s := good()
	s.Zone = strings.NewReplacer(pairs...).Replace(zone)
	return s
}

// unsigned takes the signatures from a scenario, whose mail no signer would take.
func unsigned(s audit.Scenario) audit.Scenario {
	s.Signers = nil
	return s
}

// added is the plain mail with more header fields, a line each.
func added(fields string) audit.Scenario {
	return mailed("MIME-Version", strings.TrimSpace(fields)+"\nMIME-Version")
}

// html is the plain mail with another part, of HTML.
func html(text string) audit.Scenario {
	s := good()
	s.Mail = hop + strings.Replace(head, "text/plain; charset=utf-8", `multipart/alternative; boundary="b"`, 1) +
		"\n--b\nContent-Type: text/plain; charset=utf-8\n\nHello Ann, your order is on its way.\n" +
		"--b\nContent-Type: text/html; charset=utf-8\n\n<!DOCTYPE html><html><body>\n" + text + "\n</body></html>\n--b--\n"
	return s
}
