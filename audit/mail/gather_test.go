package mail_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// TestDifferences tries every cause that a difference can have.
func TestDifferences(t *testing.T) {
	claim := func(v string) string { return "Authentication-Results: mx.example.net; " + v + "\n" }
	keys := zone + record("example.org", "s1")
	good := signed(t, letter, "example.org", dkim.SignOptions{})
	late := mail.Options{Now: func() time.Time { return arrival.Add(90 * 24 * time.Hour) }}
	other := strings.ReplaceAll(record("example.org", "s1"), record("example.org", "s1")[strings.Index(record("example.org", "s1"), "p="):], record("example.com", "s1")[strings.Index(record("example.com", "s1"), "p="):])
	for _, tt := range []struct {
		name, text, zone string
		opt              mail.Options
		method           string
		ours             string
		cause            mail.Cause // empty: no difference
		says             string     // in the explanation
	}{
		{name: "all agree", text: claim("dkim=pass header.d=example.org header.s=s1") + direct + good, zone: keys, method: "dkim", ours: "pass"},
		{name: "nothing is claimed", text: direct + good, zone: keys, method: "dkim", ours: "pass"},
		{name: "key withdrawn", text: claim("dkim=pass header.d=example.org") + direct + good, zone: zone, opt: late, method: "dkim", ours: "permerror", cause: mail.KeyGone, says: "90 days"},
		{name: "key replaced", text: claim("dkim=pass header.d=example.org") + direct + good, zone: zone + other, opt: late, method: "dkim", ours: "fail", cause: mail.KeyReplaced},
		{name: "subject tagged since", text: claim("dkim=pass header.d=example.org") + direct + strings.Replace(good, "Subject: Hello", "Subject: [x] Hello", 1), zone: keys, method: "dkim", ours: "fail", cause: mail.AlteredSince, says: "Subject"},
		{name: "footer since", text: claim("dkim=pass header.d=example.org") + direct + good + "-- \nscanned\n", zone: keys, method: "dkim", ours: "fail", cause: mail.FooterSince},
		{name: "signature removed", text: claim("dkim=pass header.d=example.org") + direct + letter, zone: keys, method: "dkim", ours: "none", cause: mail.AlteredSince, says: "taken out"},
		{name: "receiver's DNS", text: claim("dkim=temperror header.d=example.org") + direct + good, zone: keys, method: "dkim", ours: "pass", cause: mail.ReceiverDNS},
		{name: "Ed25519", text: claim("dkim=neutral header.d=example.org") + direct + good, zone: keys, method: "dkim", ours: "pass", cause: mail.ReceiverPolicy, says: "Ed25519"},
		{name: "expired there", text: claim("dkim=fail (signature expired) header.d=example.org") + direct + good, zone: keys, method: "dkim", ours: "pass", cause: mail.Clock},
		{name: "another selector is another signature", text: claim("dkim=fail header.d=example.org header.s=s2; dkim=pass header.d=example.org header.s=s1") + direct + good, zone: keys, method: "dkim", ours: "pass"},

		{name: "SPF agrees", text: claim("spf=pass smtp.mailfrom=news@example.org") + direct + letter, zone: zone, method: "spf", ours: "pass"},
		{name: "SPF record changed", text: claim("spf=softfail smtp.mailfrom=news@example.org") + direct + letter, zone: zone, opt: late, method: "spf", ours: "pass", cause: mail.RecordChanged},
		{name: "no time for a change", text: claim("spf=softfail smtp.mailfrom=news@example.org") + direct + letter, zone: zone, method: "spf", ours: "pass", cause: mail.Unexplained},
		{name: "SPF of HELO", text: claim("spf=none smtp.helo=mail.example.org") + direct + letter, zone: zone, method: "spf", ours: "pass", cause: mail.OtherDomain},
		{name: "another client", text: claim("spf=fail (domain of news@example.org does not designate 203.0.113.9 as permitted sender) smtp.mailfrom=news@example.org") + direct + letter, zone: zone, method: "spf", ours: "pass", cause: mail.OtherClient, says: "203.0.113.9"},
		{name: "guess", text: claim("spf=bestguesspass smtp.mailfrom=news@example.org") + direct + letter, zone: zone, method: "spf", ours: "pass", cause: mail.Guessed},

		{name: "DMARC follows DKIM", text: claim("spf=fail smtp.mailfrom=news@example.org; dkim=pass header.d=example.org; dmarc=pass header.from=example.org") + direct + strings.Replace(good, "Hello Ann", "Hullo Ann", 1),
			zone: strings.ReplaceAll(keys, "ip4:192.0.2.25", "ip4:192.0.2.99"), method: "dmarc", ours: "fail", cause: mail.Follows},
		{name: "DMARC overruled", text: claim("dmarc=pass (p=REJECT arc=pass) header.from=example.org") + direct + letter, zone: strings.ReplaceAll(zone, "ip4:192.0.2.25", "ip4:192.0.2.99"), method: "dmarc", ours: "fail", cause: mail.Override},
		{name: "DMARC of another domain", text: claim("dmarc=fail header.from=example.com") + direct + letter, zone: zone, method: "dmarc", ours: "pass", cause: mail.OtherDomain},
		{name: "forged claim", text: direct + claim("dmarc=fail header.from=example.org") + letter, zone: zone, method: "dmarc", ours: "pass"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := gather(t, tt.text, tt.zone, tt.opt)
			c := check(t, f, tt.method)
			if c.Ours != tt.ours {
				t.Fatalf("ours = %s (%s), want %s", c.Ours, c.Why, tt.ours)
			}
			switch d := c.Difference; {
			case d == nil && tt.cause == "":
			case d == nil || d.Cause != tt.cause || !strings.Contains(d.Text, tt.says):
				t.Errorf("difference = %+v, want %q with %q; claims %+v", d, tt.cause, tt.says, c.Claims)
			}
		})
	}
}

// TestComment wants a result inside a comment to be none.
func TestComment(t *testing.T) {
	f := gather(t, "Authentication-Results: mx.example.net; spf=fail (x; dkim=pass header.d=example.org) smtp.mailfrom=a@b.example\n"+direct+letter, zone, mail.Options{})
	if c := check(t, f, "dkim"); len(c.Claims) != 0 {
		t.Errorf("claims = %+v", c.Claims)
	}
}

func TestForwarding(t *testing.T) {
	keys := zone + record("example.org", "s1")
	good := signed(t, letter, "example.org", dkim.SignOptions{})
	below := "Received: from mail.example.org (mail.example.org [192.0.2.25])\n\tby fwd.example (Postfix) with ESMTPS id 2; Sun, 01 Nov 2026 12:00:01 +0000\n"
	over := "Received: from fwd.example (fwd.example [198.51.100.7])\n\tby mx.example.net with ESMTPS id 3; Sun, 01 Nov 2026 12:00:02 +0000\n"
	for _, tt := range []struct {
		name, text string
		kind       mail.ForwardKind
		origin     string
		spf, dmarc string
	}{
		{"direct", direct + good, mail.Direct, "", "pass", "pass"},
		{"sender kept", "Return-Path: <news@example.org>\n" + over + below + good, mail.Forwarded, "192.0.2.25", "fail", "pass"},
		{"rewritten", "Return-Path: <SRS0=ab=cd=example.org=news@fwd.example>\n" + over + below + good, mail.Forwarded, "192.0.2.25", "pass", "pass"},
		{"sender kept, text changed", "Return-Path: <news@example.org>\n" + over + below + good + "-- \nfooter\n", mail.Forwarded, "192.0.2.25", "fail", "fail"},
		{"list", "Return-Path: <list-bounces@fwd.example>\n" + over + "List-Id: <l.fwd.example>\nList-Post: <mailto:l@fwd.example>\n" + good, mail.List, "", "pass", "pass"},
		{"forged", "Return-Path: <news@example.org>\n" + over + letter, mail.Direct, "", "fail", "fail"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := gather(t, tt.text, keys, mail.Options{})
			origin := ""
			if f.Forwarding.Origin != nil {
				origin = f.Forwarding.Origin.IP.String()
			}
			if f.Forwarding.Kind != tt.kind || origin != tt.origin {
				t.Errorf("forwarding = %+v, origin %q", f.Forwarding, origin)
			}
			if s, d := check(t, f, "spf").Ours, check(t, f, "dmarc").Ours; s != tt.spf || d != tt.dmarc {
				t.Errorf("SPF %s, DMARC %s, want %s and %s", s, d, tt.spf, tt.dmarc)
			}
		})
	}
}

// TestUnknown wants what is not known to be unknown, and never a failure.
func TestUnknown(t *testing.T) {
	keys := zone + record("example.org", "s1")
	for _, tt := range []struct {
		name, text string
		opt        mail.Options
		spf, dmarc string
	}{
		{"no trace", letter, mail.Options{}, "unknown", "unknown"},
		{"no trace, but signed", signed(t, letter, "example.org", dkim.SignOptions{}), mail.Options{}, "unknown", "pass"},
		{"told", letter, mail.Options{IP: netip.MustParseAddr("192.0.2.25"), Helo: "mail.example.org", MailFrom: "news@example.org"}, "pass", "pass"},
		{"told without a sender", letter, mail.Options{IP: netip.MustParseAddr("192.0.2.25")}, "unknown", "unknown"},
		{"told otherwise", direct + letter, mail.Options{IP: netip.MustParseAddr("203.0.113.1")}, "fail", "fail"},
		{"told the null sender", letter, mail.Options{IP: netip.MustParseAddr("192.0.2.25"), Helo: "mail.example.org", MailFrom: "<>"}, "none", "fail"},
		{"another receiver", direct + letter, mail.Options{Hosts: []string{"mx.other.example"}}, "unknown", "unknown"},
		{"handed in by a user", "Received: from laptop (unknown [10.0.0.7]) (Authenticated sender: news)\n\tby mail.example.org (Postfix) with ESMTPSA id 1; Sun, 01 Nov 2026 12:00:02 +0000\n" + letter, mail.Options{}, "unknown", "fail"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := gather(t, tt.text, keys, tt.opt)
			if s, d := check(t, f, "spf"), check(t, f, "dmarc"); s.Ours != tt.spf || d.Ours != tt.dmarc {
				t.Errorf("SPF %s (%s), DMARC %s (%s); want %s and %s", s.Ours, s.Why, d.Ours, d.Why, tt.spf, tt.dmarc)
			}
		})
	}
}

// TestTime judges signatures at the time of arrival: RFC 6376, Section 3.5, x=.
func TestTime(t *testing.T) {
	keys := zone + record("example.org", "s1")
	text := signed(t, letter, "example.org", dkim.SignOptions{Expires: time.Hour})
	late := mail.Options{Now: func() time.Time { return arrival.Add(365 * 24 * time.Hour) }}
	if c := check(t, gather(t, direct+text, keys, late), "dkim"); c.Ours != "pass" {
		t.Errorf("a signature that was good on arrival: %s (%s)", c.Ours, c.Why)
	}
	if c := check(t, gather(t, text, keys, late), "dkim"); c.Ours != "permerror" {
		t.Errorf("without a time of arrival: %s (%s)", c.Ours, c.Why)
	}
	// A Received field from the future gives no time.
	f := gather(t, strings.ReplaceAll(direct, "2026", "2036")+text, keys, mail.Options{})
	if !f.Arrived.IsZero() {
		t.Errorf("arrived = %v", f.Arrived)
	}
}

// TestCoverage is RFC 8058, Section 4.
func TestCoverage(t *testing.T) {
	fields := "List-Unsubscribe: <https://www.example.org/u?1>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
	for _, tt := range []struct {
		name, domain string
		headers      []string
		change       bool
		signature    int
		aligned      bool
	}{
		{"both", "example.org", nil, false, 0, true},
		{"another domain", "fwd.example", nil, false, 0, false},
		{"one", "example.org", []string{"From", "List-Unsubscribe"}, false, -1, false},
		{"broken", "example.org", nil, true, -1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := signed(t, fields+letter, tt.domain, dkim.SignOptions{Headers: tt.headers, Oversign: []string{}})
			if tt.change {
				text = strings.Replace(text, "Ann.", "Bob.", 1)
			}
			f := gather(t, direct+text, zone+record(tt.domain, "s1"), mail.Options{})
			if f.OneClick.Signature != tt.signature || f.OneClick.Aligned != tt.aligned {
				t.Errorf("one-click = %+v", f.OneClick)
			}
		})
	}
}

func TestMailboxes(t *testing.T) {
	text := strings.Replace(direct+letter, "To: ann", "Reply-To: a@gone.example, b@null.example\nTo: ann", 1)
	f := gather(t, text, zone+"null.example. 60 IN MX 0 .\n", mail.Options{})
	got := map[string]string{}
	for _, b := range f.Mailboxes {
		got[b.Domain.String()] = b.State.String() + " " + b.How
	}
	want := map[string]string{"example.org": "present mx", "gone.example": "absent nxdomain", "null.example": "absent null-mx"}
	for d, w := range want {
		if got[d] != w {
			t.Errorf("%s: %q, want %q", d, got[d], w)
		}
	}
	if len(f.Mailboxes) != 3 || len(f.Mailboxes[0].Fields) != 2 {
		t.Errorf("mailboxes = %+v", f.Mailboxes)
	}
}

// TestEvidence keeps the answers.
func TestEvidence(t *testing.T) {
	f := gather(t, direct+letter, zone, mail.Options{})
	if o, ok := f.Seen(resolve.Question{Name: resolve.MustName("example.org"), Type: resolve.TypeTXT}); !ok || len(o.Answer.TXT()) != 1 {
		t.Errorf("the SPF record was not kept: %+v", o)
	}
	if f.Queries() == 0 {
		t.Error("no question was counted")
	}
}
