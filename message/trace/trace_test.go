package trace

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/message"
)

func hop(h Hop) string {
	peer := "-"
	if h.Peer.IsValid() {
		peer = h.Peer.String()
		if h.PeerPort > 0 {
			peer += fmt.Sprintf("#%d", h.PeerPort)
		}
		if h.Claimed {
			peer += "?"
		}
	}
	name := h.PeerName
	if h.Unresolved {
		name = "!"
	}
	return strings.Join([]string{peer, "helo=" + h.Helo, "name=" + name, "by=" + h.By, h.Software}, " ")
}

// TestShapes: the forms of mail systems, written by hand.
func TestShapes(t *testing.T) {
	const date = "; Thu, 1 Feb 2024 10:00:00 +0000"
	tests := []struct{ name, in, want string }{
		{"Postfix", "from mail.example.org (mail.example.org [192.0.2.1])\r\n\tby mx.example.net (Postfix) with ESMTP id 4X\r\n\tfor <b@example.net>; Thu,  1 Feb 2024 10:00:00 +0000 (UTC)",
			"192.0.2.1 helo=mail.example.org name=mail.example.org by=mx.example.net postfix"},
		{"Postfix, no name", "from mail.example.org (unknown [192.0.2.1]) by mx.example.net (Postfix) with ESMTP id 4X" + date, "192.0.2.1 helo=mail.example.org name=! by=mx.example.net postfix"},
		{"Postfix, IPv6", "from a (b.example.org [IPv6:2001:db8::1]) by c (Postfix) with ESMTPS id 1" + date, "2001:db8::1 helo=a name=b.example.org by=c postfix"},
		// Anchor: the literal in the place of HELO is the peer's word.
		{"Postfix, HELO a literal", "from [198.51.100.9] (b.example.org [192.0.2.1]) by c (Postfix) with ESMTP id 1" + date, "192.0.2.1 helo=[198.51.100.9] name=b.example.org by=c postfix"},
		{"HELO a literal, peer without name", "from [198.51.100.9] ([192.0.2.1]) by c with ESMTP id 1" + date, "192.0.2.1 helo=[198.51.100.9] name= by=c "},
		{"HELO with a parenthesis", "from x(y.example (b.example.org [192.0.2.1]) by c with ESMTP id 1" + date, "- helo=x name= by= "},
		{"HELO with a literal in parentheses", "from x([198.51.100.9]) (b.example.org [192.0.2.1]) by c with ESMTP id 1" + date, "192.0.2.1 helo=x name=b.example.org by=c "},
		{"HELO that opens a comment", "from x([198.51.100.9 (b.example.org [192.0.2.1]) by c with ESMTP id 1" + date, "- helo=x name= by= "},
		{"Exim, HELO with parentheses", "from [192.0.2.1] (helo=x([198.51.100.9])) by c with esmtp (Exim 4.96) id 1" + date, "192.0.2.1 helo=x([198.51.100.9] name= by=c exim"},
		{"Exim", "from mail.example.org ([192.0.2.1] helo=mx.example.org)\n\tby c.example.net with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384\n\t(Exim 4.96)\n\t(envelope-from <a@example.org>)\n\tid 1ZC1sl-0006b4-TU" + date,
			"192.0.2.1 helo=mx.example.org name=mail.example.org by=c.example.net exim"},
		{"Exim with port", "from [192.0.2.1] (port=4711 helo=mx.example.org) by c.example.net with esmtp (Exim 4.96) id 1" + date, "192.0.2.1 helo=mx.example.org name= by=c.example.net exim"},
		{"Exim, HELO a literal", "from [192.0.2.1] (helo=[198.51.100.9]) by c.example.net with esmtp (Exim 4.96) id 1" + date, "192.0.2.1 helo=[198.51.100.9] name= by=c.example.net exim"},
		{"Exim, HELO that imitates", "from ca.example.org ([192.0.2.1] helo=[198.51.100.9]) by c.example.net with esmtpa (Exim 4.76) id 1" + date, "192.0.2.1 helo=[198.51.100.9] name=ca.example.org by=c.example.net exim"},
		{"Exchange", "from mail.example.org (192.0.2.1) by AM1.mail.protection.outlook.com\r\n (10.0.0.1) with Microsoft SMTP Server (version=TLS1_2,\r\n cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.1.1 via Frontend Transport; Thu, 1 Feb 2024 10:00:00 +0000",
			"192.0.2.1 helo=mail.example.org name= by=am1.mail.protection.outlook.com exchange"},
		{"Exchange, IPv6", "from A.eurprd01.prod.outlook.com (2603:10a6:1:2::3) by B.eurprd01.prod.outlook.com (2603:10a6:4::5) with HTTPS" + date, "2603:10a6:1:2::3 helo=A.eurprd01.prod.outlook.com name= by=b.eurprd01.prod.outlook.com "},
		{"Gmail", "from mail.example.org (mail.example.org. [192.0.2.1])\r\n        by mx.google.com with ESMTPS id x-20020a\r\n        for <b@example.net>\r\n        (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);\r\n        Thu, 01 Feb 2024 02:00:00 -0800 (PST)",
			"192.0.2.1 helo=mail.example.org name=mail.example.org by=mx.google.com gmail"},
		{"Gmail inside", "by 2002:a05:6358:1234:b0:176:abcd with SMTP id x; Thu, 1 Feb 2024 02:00:00 -0800 (PST)", "- helo= name= by=2002:a05:6358:1234:b0:176:abcd gmail"},
		{"qmail", "from unknown (HELO mx.example.org) (192.0.2.1)\n  by mx.example.net with SMTP; 1 Feb 2024 10:00:00 -0000", "192.0.2.1 helo=mx.example.org name=! by=mx.example.net qmail"},
		{"qmail with name", "from mail.example.org (HELO [198.51.100.9]) (192.0.2.1) by mx.example.net with SMTP; 1 Feb 2024 10:00:00 -0000", "192.0.2.1 helo=[198.51.100.9] name=mail.example.org by=mx.example.net qmail"},
		{"qmail with user", "from unknown (HELO x) (a@example.org@[192.0.2.1]) (envelope-sender <a@example.org>) by 0 (magicmail) with SMTP for <b@example.net>; 1 Feb 2024 10:00:00 -0000", "192.0.2.1 helo=x name=! by=0 qmail"},
		{"qmail inside", "(qmail 42 invoked from network); 1 Feb 2024 10:00:00 -0000", "- helo= name= by= qmail"},
		{"sendmail", "from mx.example.org (mail.example.org [192.0.2.1] (may be forged)) by mx.example.net (8.15.2/8.15.2) with ESMTPS id 411 (version=TLSv1.2 cipher=X bits=256 verify=NO) for <b@example.net>" + date,
			"192.0.2.1 helo=mx.example.org name=mail.example.org by=mx.example.net sendmail"},
		{"amavis", "from mail.example.org ([192.0.2.1]) by localhost (mx.example.net [127.0.0.1]) (amavisd-new, port 10024) with ESMTP id x for <b@example.net>" + date, "192.0.2.1 helo=mail.example.org name= by=localhost amavis"},
		{"EHLO in a comment", "from mx.example.org (EHLO helo.example.org) ([192.0.2.1]) by c with SMTP" + date, "192.0.2.1 helo=helo.example.org name=mx.example.org by=c "},
		{"address behind the name", "from mail.example.org [192.0.2.1] by c with SMTP" + date, "192.0.2.1 helo=mail.example.org name= by=c "},
		{"by first", "by mx.example.net with ESMTP id 1 from mail.example.org ([192.0.2.1])" + date, "192.0.2.1 helo=mail.example.org name= by=mx.example.net "},
		{"only the peer's word", "from [192.0.2.1] by mx.example.net with ESMTP id 1" + date, "192.0.2.1? helo=[192.0.2.1] name= by=mx.example.net "},
		{"mapped", "from a ([::ffff:192.0.2.1]) by c with ESMTP" + date, "192.0.2.1 helo=a name= by=c "},
		{"port", "from a (b.example.org [192.0.2.1]:4711) by c with ESMTP" + date, "192.0.2.1#4711 helo=a name=b.example.org by=c "},
		{"verified", "from a ([192.0.2.1] verified) by c (CommuniGate Pro SMTP 3.4) with ESMTP id 1" + date, "192.0.2.1 helo=a name= by=c "},
		{"not a field of the trace", "apparently", "- helo= name= by= "},
		{"nothing", "", "- helo= name= by= "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := hop(Parse(tt.in)); got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestClauses(t *testing.T) {
	h := Parse("from a (b [192.0.2.1]) by c (Postfix) via TCP with UTF8SMTPSA id 4X for <x@example.net> (envelope-from <s@example.org>); Thu, 1 Feb 2024 10:00:00 +0000")
	if h.Via != "TCP" || h.With != "UTF8SMTPSA" || h.ID != "4X" || strings.Join(h.For, " ") != "x@example.net" || h.EnvelopeFrom != "s@example.org" {
		t.Errorf("%+v", h)
	}
	if p := h.Protocol; !p.TLS || !p.Auth || !p.UTF8 || p.Name != "UTF8SMTP" {
		t.Errorf("%+v", p)
	}
	h = Parse("from a by c with SMTP (envelope-from <>); Thu, 1 Feb 2024 10:00:00 +0000")
	if !h.NullSender || h.EnvelopeFrom != "" {
		t.Errorf("%+v", h)
	}
	if h = Parse("from x (b [192.0.2.1]) (Authenticated sender: joe@example.org) by c with ESMTP"); h.User != "joe@example.org" {
		t.Errorf("user %q", h.User)
	}
}

// TestTLS: the forms, and that silence proves nothing.
func TestTLS(t *testing.T) {
	tests := []struct{ in, want string }{
		{"from a (b [192.0.2.1]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)) by c with ESMTPS", "true comment 1.3 TLS_AES_256_GCM_SHA384 256 "},
		{"from a (b [192.0.2.1]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256) (No client certificate requested) by c with ESMTPS", "true comment 1.3 TLS_AES_256_GCM_SHA384 256 no"},
		{"from a (b [192.0.2.1]) by c with ESMTPS (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256)", "true comment 1.3 TLS_AES_256_GCM_SHA384 256 "},
		{"from a (192.0.2.1) by c with Microsoft SMTP Server (version=TLS1_2,\r\n cipher=TLS_ECDHE_RSA) id 15", "true comment 1.2 TLS_ECDHE_RSA 0 "},
		{"from a (b [192.0.2.1]) by c with esmtps (TLS1.3) tls TLS_AES_128_GCM_SHA256 (Exim 4.96)", "true comment 1.3 TLS_AES_128_GCM_SHA256 0 "},
		{"from a (b [192.0.2.1]) by c with esmtps (TLSv1.2:ECDHE-RSA-AES256-GCM-SHA384:256) (Exim 4.89)", "true comment 1.2 ECDHE-RSA-AES256-GCM-SHA384 256 "},
		{"from a (b [192.0.2.1]) by c (Haraka/3.0) with ESMTPS id 1 (version= cipher= verify=)", "true protocol   0 "},
		{"from a (b [192.0.2.1]) by c (Haraka/3.1) with ESMTPS id 1 tls TLS_AES_256_GCM_SHA384", "true word  TLS_AES_256_GCM_SHA384 0 "},
		{"from a (b [192.0.2.1]) (using TLSv1.3 with cipher TLS13_AES_256_GCM_SHA384) by c (Stalwart SMTP) with ESMTPS", "true comment 1.3 TLS13_AES_256_GCM_SHA384 0 "},
		{"from a (b [192.0.2.1]) by c with ESMTPS id 1 (version=TLSv1.2 cipher=X bits=256 verify=OK)", "true comment 1.2 X 256 yes"},
		{"from a (b [192.0.2.1]) by c with ESMTPSA id 1", "true protocol   0 "},
		{"from a (b [192.0.2.1]) by c with UTF8SMTPS id 1", "true protocol   0 "},
		{"from a (b [192.0.2.1]) by c with ESMTP id 1", "false    0 "},
		{"from a (b [192.0.2.1]) by c with HTTPS id 1", "true protocol   0 "},
		// The peer's words in the place of its name are no evidence.
		{"from TLSv1.3 (b [192.0.2.1]) by c with ESMTP", "false    0 "},
		{"from a (b [192.0.2.1] helo=TLSv1.3) by c with ESMTP", "false    0 "},
		{"from x (HELO TLSv1.3) (192.0.2.1) by c with SMTP", "false    0 "},
	}
	for _, tt := range tests {
		x := Parse(tt.in + "; Thu, 1 Feb 2024 10:00:00 +0000").TLS
		got := fmt.Sprintf("%v %s %s %s %d %s", x.Used, x.Evidence, x.Version, x.Cipher, x.Bits, x.Verified)
		if got != tt.want {
			t.Errorf("%s:\n%q, want %q", tt.in, got, tt.want)
		}
	}
}

// TestDate: RFC 5321, Section 4.4: behind the last semicolon outside comments.
func TestDate(t *testing.T) {
	want := time.Date(2024, 2, 1, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		in, problem string
	}{
		{"by a; Thu, 1 Feb 2024 10:00:00 +0000", ""},
		{"by a; Thu,  1 Feb 2024 02:00:00 -0800 (PST)", ""},
		{"by a (x; y) id \"a;b\"; Thu, 1 Feb 2024 10:00:00 GMT", ""},
		{"by a; something; Thu, 1 Feb 2024 10:00:00 +0000", ""},
		{"by a; Thu, 1 Feb 2024 10:00:00 +0000 (envelope-from <a@example.org>)", ""},
		{"by a; Thu, 1 Feb 2024 10:00:00 +0000 (UTC) (x; y)", ""},
		{"by a; 1 Feb 2024 10:00:00 -0000", ""},
		{"by a; 1 Feb 24 10:00:00 +0000", ""},
		{"by a; Thu, 1 Feb 2024 02:00:00 PST", ""},
		{"by a; Thu, 1 Feb 2024 10:00:00", ""},
		{"by a", NoDate},
		{"by a;", NoDate},
		{"by a; soon", BadDate},
	}
	for _, tt := range tests {
		h := Parse(tt.in)
		if got := strings.Join(h.Problems, " "); got != tt.problem {
			t.Errorf("%s: problems %q, want %q", tt.in, got, tt.problem)
		}
		if tt.problem == "" && !h.Date.Equal(want) {
			t.Errorf("%s: %v", tt.in, h.Date)
		}
	}
	if h := Parse("by a; Thu, 1 Feb 2024 10:00:00 +0000 (envelope-from <a@example.org>)"); h.EnvelopeFrom != "a@example.org" {
		t.Errorf("comment behind the date: %q", h.EnvelopeFrom)
	}
}

func header(t *testing.T, s string) *message.Header {
	t.Helper()
	h := message.ParseHeader([]byte(s), message.Options{})
	return &h
}

func field(from, by, rest, clock string) string {
	return "Received: from " + from + " by " + by + " " + rest + "; Thu, 1 Feb 2024 " + clock + " +0000\n"
}

func TestTiming(t *testing.T) {
	p := Read(header(t,
		field("d (d [192.0.2.4])", "e.example", "with ESMTP", "10:20:00")+
			field("c (c [192.0.2.3])", "d.example", "with ESMTP", "10:00:07")+
			"Received: from x by y with ESMTP; no date\n"+
			field("b (b [192.0.2.2])", "c.example", "with ESMTP", "10:00:10")+
			field("a (a [192.0.2.1])", "b.example", "with ESMTP", "10:30:00")), Options{})
	want := []string{"delay 19m53s", "skew -3s", " 0s", "backwards -29m50s", " 0s"}
	for i, w := range want {
		if got := fmt.Sprintf("%s %v", p.Hops[i].Timing, p.Hops[i].Delay); got != w {
			t.Errorf("hop %d: %q, want %q", i, got, w)
		}
	}
	if p.Slowest != 0 || p.Total != -10*time.Minute {
		t.Errorf("slowest %d, total %v", p.Slowest, p.Total)
	}
}

// TestBorder: which fields are the receiver's, and who handed the mail over.
func TestBorder(t *testing.T) {
	out := field("mail.example.org (mail.example.org [192.0.2.1])", "mx.example.net", "with ESMTPS id 1", "10:00:00")
	older := field("pc (pc.example.org [198.51.100.7])", "mail.example.org", "with ESMTPSA id 2", "09:59:00")
	tests := []struct {
		name, header string
		opt          Options
		border       int
		why, client  string
	}{
		{"one hop", out, Options{}, 0, WhyTopmost, "192.0.2.1 mail.example.org"},
		{"two hops", out + older, Options{}, 0, WhyTopmost, "192.0.2.1 mail.example.org"},
		{"LMTP inside", field("mx.example.net (mx.example.net [10.0.0.1])", "store.example.net", "with LMTP", "10:00:01") + out + older, Options{}, 1, WhyInside, "192.0.2.1 mail.example.org"},
		{"local delivery", "Received: by store.example.net (Dovecot) with LMTP id 1; Thu, 1 Feb 2024 10:00:01 +0000\n" + out + older, Options{}, 1, WhyInside, "192.0.2.1 mail.example.org"},
		{"public addresses inside, named", field("mx.example.net (mx.example.net [203.0.113.5])", "store.example.net", "with ESMTP", "10:00:01") + out + older, Options{}, 1, WhyInside, "192.0.2.1 mail.example.org"},
		// Only a name that the receiver found counts, never that of HELO.
		{"HELO that imitates", field("mx.example.net (evil.example [203.0.113.5])", "mx.example.net", "with ESMTP", "10:00:01") + out, Options{}, 0, WhyTopmost, "203.0.113.5 mx.example.net"},
		{"forged chain below", field("x (unknown [203.0.113.5])", "mx.example.net", "with ESMTP", "10:00:01") + out, Options{}, 0, WhyTopmost, "203.0.113.5 x"},
		{"given", out + older, Options{Border: 2}, 1, WhyGiven, "198.51.100.7 pc"},
		{"hosts", field("mx.example.net (mx.example.net [203.0.113.5])", "store.example.net", "with ESMTP", "10:00:01") + out + older, Options{Hosts: []string{"example.net"}}, 1, WhyHosts, "192.0.2.1 mail.example.org"},
		{"hosts of somebody else", out, Options{Hosts: []string{"example.com"}}, -1, WhyNoTrust, "invalid IP "},
		{"hosts, look-alike", strings.ReplaceAll(out, "mx.example.net", "mx.evilexample.net"), Options{Hosts: []string{"example.net"}}, -1, WhyNoTrust, "invalid IP "},
		{"nets", field("a (a.example [203.0.113.5])", "store.example.net", "with ESMTP", "10:00:01") + out + older, Options{Nets: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}, 1, WhyInside, "192.0.2.1 mail.example.org"},
		{"Exchange Online", field("A.prod.outlook.com (2603:10a6:1::3)", "B.prod.outlook.com", "with HTTPS", "10:00:01") + strings.ReplaceAll(out, "mx.example.net", "C.mail.protection.outlook.com") + older, Options{}, 1, WhyInside, "192.0.2.1 mail.example.org"},
		{"Gmail", "Received: by 2002:a05:6358::1 with SMTP id x; Thu, 1 Feb 2024 02:00:00 -0800\n" + strings.ReplaceAll(out, "mx.example.net", "mx.google.com") + older, Options{}, 1, WhyInside, "192.0.2.1 mail.example.org"},
		{"Gmail of old", "Received: by 10.1.2.3 with SMTP id x; Thu, 1 Feb 2024 02:00:00 -0800\n" + strings.ReplaceAll(out, "mx.example.net", "mx.google.com"), Options{}, 1, WhyInside, "192.0.2.1 mail.example.org"},
		{"qmail", "Received: (qmail 42 invoked from network); 1 Feb 2024 10:00:01 -0000\n" + out, Options{}, 1, WhyInside, "192.0.2.1 mail.example.org"},
		{"submission ends it", field("pc (pc.example.net [10.0.0.9])", "mx.example.net", "with ESMTPSA", "10:00:01") + out, Options{}, 0, WhyTopmost, "10.0.0.9 pc"},
		{"a border that hides the peer", "Received: by mx.example.net with ESMTP id 1; Thu, 1 Feb 2024 10:00:01 +0000\n" + out, Options{}, 0, WhyTopmost, "invalid IP "},
		{"LMTP with a login", field("a.internal (a.internal [10.0.0.1])", "store.example.net", "with LMTPA", "10:00:01") + out, Options{}, 1, WhyInside, "192.0.2.1 mail.example.org"},
		{"content filter", field("localhost (localhost [127.0.0.1])", "mx.example.net", "with ESMTPA", "10:00:01") + out, Options{}, 1, WhyInside, "192.0.2.1 mail.example.org"},
		{"only inside", field("a (a [127.0.0.1])", "b", "with ESMTP", "10:00:01"), Options{}, 0, WhyNoPeer, "127.0.0.1 a"},
		{"none", "Subject: x\n", Options{}, -1, "", "invalid IP "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Read(header(t, tt.header), tt.opt)
			client := p.Client.IP.String() + " " + p.Client.Helo
			if p.Border != tt.border || p.BorderWhy != tt.why || client != tt.client {
				t.Errorf("%d %s %q, want %d %s %q", p.Border, p.BorderWhy, client, tt.border, tt.why, tt.client)
			}
			if f := p.BorderField(); (f < 0) != (tt.border < 0) {
				t.Errorf("field %d", f)
			}
		})
	}
}

func TestMailFrom(t *testing.T) {
	out := field("mail.example.org (mail.example.org [192.0.2.1])", "mx.example.net", "with ESMTPS id 1", "10:00:00")
	exim := field("mail.example.org ([192.0.2.1])", "mx.example.net", "with esmtp (envelope-from <s@example.org>)", "10:00:00")
	tests := []struct{ name, header, want string }{
		{"Return-Path", "Return-Path: <s@example.org>\n" + out, "s@example.org return-path true"},
		{"null", "Return-Path: <>\n" + out, "<> return-path true"},
		{"below the border", out + "Return-Path: <s@example.org>\n", "s@example.org return-path false"},
		{"the topmost", "Return-Path: <s@example.org>\n" + out + "Return-Path: <t@example.org>\n", "s@example.org return-path true"},
		{"comment", exim, "s@example.org received true"},
		{"comment before a field below", exim + "Return-Path: <t@example.org>\n", "s@example.org received true"},
		{"Received-SPF", "Received-SPF: pass (x) client-ip=192.0.2.1; envelope-from=\"s@example.org\"; helo=x\n" + out, "s@example.org received-spf true"},
		{"nothing", out, "  false"},
		{"quoted", "Return-Path: <\"a b\"@example.org>\n" + out, `"a b"@example.org return-path true`},
	}
	for _, tt := range tests {
		m := Read(header(t, tt.header), Options{}).MailFrom
		a := m.Address
		if m.Null {
			a = "<>"
		}
		if got := fmt.Sprintf("%s %s %v", a, m.Source, m.Trusted); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestFlood(t *testing.T) {
	start := time.Now()
	h := message.ParseHeader([]byte(strings.Repeat(field("a (b [192.0.2.1])", "c", "with ESMTP", "10:00:00"), 10_000)), message.Options{MaxHeader: -1, MaxFields: -1})
	p := Read(&h, Options{})
	if len(p.Hops) != MaxHops || p.Dropped != 10_000-MaxHops {
		t.Errorf("%d hops, %d dropped", len(p.Hops), p.Dropped)
	}
	for _, s := range []string{strings.Repeat("(", 1<<20), strings.Repeat("from ", 1<<18), strings.Repeat("[1.2.3.4] ", 1<<17), strings.Repeat("(tls ", 1<<17), strings.Repeat(";", 1<<20), strings.Repeat(`"\`, 1<<19)} {
		if got := Parse(s); len(got.Raw) > MaxField {
			t.Errorf("%.10q: %d octets kept", s, len(got.Raw))
		}
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

// FuzzParse: whatever comes, nothing panics, and what is printed of addresses and
// dates is sane.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"from a (b [192.0.2.1]) by c (Postfix) with ESMTPS id 1 for <d@e>; Thu, 1 Feb 2024 10:00:00 +0000 (UTC)",
		"from [1.2.3.4] (helo=x) by y; x", "(qmail 1 invoked by uid 2); 1 Jan 2020 00:00:00 -0000", "by a from b (c [IPv6:::1]:25)",
		"from x (HELO y) (z@[1.2.3.4]) by 0 with SMTP tls X (version=TLS1_3 cipher=X bits=1/2 verify=OK)", "from", "(((", `"`, ";;;", "from a (envelope-from <>) by",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h := Parse(s)
		if h.Peer.IsValid() && (h.Peer.Zone() != "" || h.Peer.Is4In6()) {
			t.Fatalf("peer %v", h.Peer)
		}
		if h.PeerPort < 0 || h.PeerPort > 65535 {
			t.Fatalf("port %d", h.PeerPort)
		}
		if !h.Date.IsZero() && (h.Date.Year() < 1969 || h.Date.Year() > 2201) {
			t.Fatalf("date %v", h.Date)
		}
		hd := message.ParseHeader([]byte("Received: "+s+"\r\nReceived: "+s+"\r\n"), message.Options{})
		p := Read(&hd, Options{})
		if p.Border >= len(p.Hops) {
			t.Fatalf("border %d", p.Border)
		}
	})
}
