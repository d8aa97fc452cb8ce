package authres

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/trace"
)

// brief is method=value(domain) for each result.
func brief(list []Result) string {
	var out []string
	for _, r := range list {
		s := r.Method + "=" + r.Value
		if d := r.Domain(); d != "" {
			s += "(" + d + ")"
		}
		if r.Reason != "" {
			s += "{" + r.Reason + "}"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// TestProviders: the shapes of large receivers, written by hand.
func TestProviders(t *testing.T) {
	tests := []struct{ name, in, id, want string }{
		{"RFC 8601, Appendix B.3", "example.com; spf=pass smtp.mailfrom=example.net", "example.com", "spf=pass(example.net)"},
		{"RFC 8601, Appendix B.2", "example.org 1; none", "example.org", ""},
		{"RFC 8601, Appendix B.5", "example.com; dkim=pass (good signature) header.d=example.com;\r\n auth=pass (cram-md5) smtp.auth=sender@example.com", "example.com", "dkim=pass(example.com) auth=pass"},
		{"RFC 8601, Appendix B.7", "foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n policy (A dot can go here) . (like that) expired\r\n (this surprised me) = (as I wasn't expecting it) 1362471462", "foo.example.net", "dkim=fail"},
		{"Gmail", "mx.google.com;\r\n dkim=pass header.i=@example.org header.s=s1 header.b=AbC/d+e=;\r\n spf=pass (google.com: domain of a@example.org designates 192.0.2.1 as permitted sender) smtp.mailfrom=a@example.org;\r\n dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.org",
			"mx.google.com", "dkim=pass(example.org) spf=pass(example.org) dmarc=pass(example.org)"},
		{"Gmail with a gateway", "mx.google.com; gateway.spf=pass smtp.mailfrom=a@example.org", "mx.google.com", "gateway.spf=pass"},
		{"Outlook", "spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=example.org; dkim=pass (signature was verified)\r\n header.d=example.org;dmarc=pass action=none header.from=example.org;compauth=pass reason=100",
			"", "spf=pass(example.org) dkim=pass(example.org) dmarc=pass(example.org) compauth=pass{100}"},
		{"Outlook with the domain of the recipient", "spf=fail (sender IP is 192.0.2.1) smtp.mailfrom=example.org; contoso.example; dkim=none (message not signed) header.d=none;contoso.example; dmarc=fail action=oreject header.from=example.org;compauth=fail reason=000",
			"", "spf=fail(example.org) dkim=none dmarc=fail(example.org) compauth=fail{000}"},
		{"Outlook in ARC", "mx.microsoft.com 1; spf=none smtp.mailfrom=example.org smtp.rcpttodomain=example.net smtp.helo=mx.example.org; dmarc=none header.from=;", "mx.microsoft.com", "spf=none(example.org) dmarc=none"},
		{"Yahoo", "atlas1.free.mail.bf1.yahoo.com; dkim=dkim_pass header.i=@example.org header.s=@sel; spf=pass smtp.mailfrom=support=example.org@bounce.example.net; dmarc=success(p=REJECT) header.from=example.org",
			"atlas1.free.mail.bf1.yahoo.com", "dkim=pass(example.org) spf=pass(bounce.example.net) dmarc=pass(example.org)"},
		{"iCloud", "bimi.icloud.com; bimi=skipped reason=\"insufficient dmarc\"", "bimi.icloud.com", "bimi=skipped{insufficient dmarc}"},
		{"Fastmail", "mx5.messagingengine.com;\r\n arc=none (no signatures found);\r\n dkim=pass (2048-bit rsa key sha256) header.d=example.org\r\n header.i=@example.org header.b=AbCd header.a=rsa-sha256 header.s=s1;\r\n dkim2=none;\r\n dmarc=pass policy.published-domain-policy=reject\r\n policy.applied-disposition=none header.from=example.org;\r\n iprev=pass smtp.remote-ip=192.0.2.1 (mx.example.org);\r\n x-ptr=pass smtp.helo=mx.example.org policy.ptr=mx.example.org",
			"mx5.messagingengine.com", "arc=none dkim=pass(example.org) dkim2=none dmarc=pass(example.org) iprev=pass x-ptr=pass"},
		{"Proton", `mail.protonmail.ch; dkim=pass (2048-bit key) header.d=example.org header.b="Ab/C+d="`, "mail.protonmail.ch", "dkim=pass(example.org)"},
		{"rspamd", `mx.example.net;` + "\r\n\t" + `dkim=pass header.d=example.org header.s=s1 header.b="a/b+c=";` + "\r\n\t" + `dmarc=pass (policy=reject) header.from=example.org;` + "\r\n\t" + `spf=pass (mx.example.net: domain of a@example.org designates 192.0.2.1 as permitted sender) smtp.mailfrom=a@example.org`,
			"mx.example.net", "dkim=pass(example.org) dmarc=pass(example.org) spf=pass(example.org)"},
		{"no space behind the semicolon", "a.example;spf=pass;dkim=fail", "a.example", "spf=pass dkim=fail"},
		{"best guess", "a.example; spf=bestguesspass smtp.mailfrom=example.org; spf=hardfail smtp.helo=h.example", "a.example", "spf=none(example.org) spf=fail(h.example)"},
		{"no semicolon behind the identity", "a.example dkim=pass header.d=example.org", "a.example", "dkim=pass(example.org)"},
		{"empty value before a property", "a.example; dmarc=none header.from= header.d=x.example", "a.example", "dmarc=none(x.example)"},
		{"quoted identity", `"a b"; spf=pass`, "a b", "spf=pass"},
		{"quoted local-part", `a.example; spf=pass smtp.mailfrom="j d"@example.org`, "a.example", "spf=pass(example.org)"},
		{"version of a method", "a.example 1; dkim/1=pass header.d=example.org", "a.example", "dkim=pass(example.org)"},
		{"no results", "a.example", "a.example", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if r.ServID != tt.id || brief(r.Results) != tt.want {
				t.Errorf("%q: %s\nwant %q: %s", r.ServID, brief(r.Results), tt.id, tt.want)
			}
			if !strings.Contains(tt.in, tt.id) {
				t.Error("test")
			}
		})
	}
}

// TestForgery: text that a sender controls stands in comments and quoted strings, and
// never becomes a result.
func TestForgery(t *testing.T) {
	tests := []struct{ in, want string }{
		{"a.example; spf=fail (policy; dkim=pass header.d=bank.example) smtp.mailfrom=x@evil.example", "spf=fail(evil.example)"},
		{"a.example; spf=fail (outer (inner; dkim=pass) ; dmarc=pass header.from=bank.example) smtp.mailfrom=evil.example", "spf=fail(evil.example)"},
		{`a.example; spf=fail (quoted \) ; dkim=pass header.d=bank.example) smtp.mailfrom=evil.example`, "spf=fail(evil.example)"},
		{`a.example; spf=fail reason="x; dkim=pass header.d=bank.example"`, "spf=fail{x; dkim=pass header.d=bank.example}"},
		{`a.example; spf=fail reason="x\"; dkim=pass header.d=bank.example"`, `spf=fail{x"; dkim=pass header.d=bank.example}`},
		{`a.example; spf=fail smtp.mailfrom="x; dkim=pass header.d=bank.example"@evil.example`, "spf=fail(evil.example)"},
		{"a.example; spf=fail smtp.mailfrom=dkim=pass@evil.example", "spf=fail(evil.example)"},
		{"a.example (; dkim=pass header.d=bank.example); spf=fail", "spf=fail"},
		// Nested up to the limit.
		{"a.example; spf=fail " + strings.Repeat("(", 16) + "; dkim=pass" + strings.Repeat(")", 16), "spf=fail"},
	}
	for _, tt := range tests {
		r, err := Parse(tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if got := brief(r.Results); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		in     string
		reason error
	}{
		{"a.example; spf=fail (never ends; dkim=pass header.d=bank.example", ErrOpen},
		{`a.example; spf=fail reason="never ends; dkim=pass`, ErrOpen},
		{"a.example; spf=fail " + strings.Repeat("(", 17) + strings.Repeat(")", 17) + "; dkim=pass", ErrNesting},
		{"a.example; " + strings.Repeat("spf=fail;", MaxLength), ErrTooLong},
		{"", ErrSyntax},
		{";;;", ErrSyntax},
		{"\x1b[2J(", ErrOpen},
	}
	for _, tt := range tests {
		r, err := Parse(tt.in)
		var pe *ParseError
		if !errors.Is(err, tt.reason) || !errors.As(err, &pe) {
			t.Errorf("%.40q: %v", tt.in, err)
			continue
		}
		if len(r.Results) != 0 {
			t.Errorf("%.40q: results of a field that was refused", tt.in)
		}
		if len(pe.Error()) > 300 || strings.ContainsRune(pe.Error(), 0x1b) {
			t.Errorf("error %q", pe.Error())
		}
	}
}

func TestLimits(t *testing.T) {
	r, err := Parse("a.example" + strings.Repeat(";a=b", 1000))
	if err != nil || len(r.Results) != MaxResults || r.Notes[len(r.Notes)-1] != TooMany {
		t.Errorf("%d results, %v, %v", len(r.Results), r.Notes, err)
	}
	r, err = Parse("a.example; dkim=pass" + strings.Repeat(" a.b=c", 1000))
	if err != nil || len(r.Results[0].Props) != maxProps {
		t.Errorf("%d properties, %v", len(r.Results[0].Props), err)
	}
}

func TestARCValue(t *testing.T) {
	tests := []struct {
		in       string
		instance int
		id       string
	}{
		{"i=1; mx.google.com; spf=pass", 1, "mx.google.com"},
		{" i = 2 ;mx.microsoft.com 1; spf=pass", 2, "mx.microsoft.com"},
		{"(c) i=50; a.example; none", 50, "a.example"},
		{"i=51; a.example; none", 0, "a.example"},
		{"i=01; a.example; none", 1, "a.example"},
		{"i=x; a.example; none", 0, "a.example"},
		{"a.example; none", 0, "a.example"},
	}
	for _, tt := range tests {
		i, r, err := ParseARC(tt.in)
		if err != nil || i != tt.instance || r.ServID != tt.id {
			t.Errorf("%q: %d %q %v", tt.in, i, r.ServID, err)
		}
	}
}

const received = "Received: from mx.example.org (mx.example.org [192.0.2.1])\n by mx.example.net with ESMTPS id 1\n for <b@example.net>; Thu, 1 Feb 2024 10:00:00 +0000\n"

// TestTrust: RFC 8601, Section 5, and where receivers put their fields.
func TestTrust(t *testing.T) {
	gmail := strings.ReplaceAll(received, "mx.example.net", "mx.google.com")
	inside := "Received: from mx.example.net (localhost [127.0.0.1]) by store.example.net with LMTP; Thu, 1 Feb 2024 10:00:01 +0000\n"
	outlook := strings.ReplaceAll(received, "mx.example.net", "AM1.mail.protection.outlook.com")
	tests := []struct {
		name, header string
		ids          []string
		want         string
	}{
		{"above", "Authentication-Results: mx.example.net; spf=pass\n" + received, nil, "above-border"},
		{"domain of the receiver", "Authentication-Results: auth.example.net; spf=pass\n" + received, nil, "above-border"},
		{"other identity above", "Authentication-Results: mx.other.example; spf=pass\n" + received, nil, "other-identity"},
		{"below", received + "Authentication-Results: mx.example.net; spf=pass\n", nil, "unproven"},
		{"below, identity given", received + "Received-SPF: pass\nAuthentication-Results: mx.example.net; spf=pass\n", []string{"MX.example.net"}, "below-border"},
		{"below, the second one", received + "Authentication-Results: mx.example.net; spf=fail\nAuthentication-Results: mx.example.net; spf=pass\n", []string{"mx.example.net"}, "below-border unproven"},
		{"below an unreadable one", received + "Authentication-Results: mx.example.net; spf=fail (\nAuthentication-Results: mx.example.net; spf=pass\n", []string{"mx.example.net"}, "unreadable unproven"},
		{"below another field", received + "Subject: x\nAuthentication-Results: mx.example.net; spf=pass\n", []string{"mx.example.net"}, "unproven"},
		{"above, another identity given", "Authentication-Results: mx.example.net; spf=pass\n" + received, []string{"other.example"}, "other-identity"},
		{"Gmail", gmail + "Received-SPF: pass\nAuthentication-Results: mx.google.com; spf=fail\nAuthentication-Results: mx.google.com; spf=pass\n", nil, "below-border unproven"},
		{"behind an inner hop", inside + "Authentication-Results: mx.example.net; spf=pass\n" + received, nil, "above-border"},
		{"forged by an inner hop of the sender", received + "Authentication-Results: mx.example.net; spf=pass\n" + inside, nil, "unproven"},
		{"forged chain", received + "Authentication-Results: mx.example.net; dkim=pass\nReceived: from x (mx.example.net [192.0.2.9]) by mx.example.net; Thu, 1 Feb 2024 09:00:00 +0000\n", nil, "unproven"},
		{"Outlook", "Authentication-Results: spf=pass smtp.mailfrom=example.org\n" + outlook, nil, "above-border"},
		{"Outlook's form at another receiver", "Authentication-Results: spf=pass smtp.mailfrom=example.org\n" + received, nil, "no-identity"},
		{"no Received", "Authentication-Results: mx.example.net; spf=pass\n", nil, "no-border"},
		{"look-alike", "Authentication-Results: mx.example.net.evil.example; spf=pass\n" + received, nil, "other-identity"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := message.ParseHeader([]byte(tt.header), message.Options{})
			r := Read(&h, Options{ServIDs: tt.ids})
			var got []string
			for _, f := range r.Fields {
				got = append(got, string(f.Why))
				if f.Trusted != (f.Why == AboveBorder || f.Why == BelowBorder) {
					t.Errorf("%s trusted %v", f.Why, f.Trusted)
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("%s, want %s", s, tt.want)
			}
			if n := len(r.Trusted()) + len(r.Claimed()); n+strings.Count(tt.want, "unreadable") != len(r.Fields) {
				t.Errorf("%d results", n)
			}
		})
	}
}

func TestGivenTrace(t *testing.T) {
	h := message.ParseHeader([]byte("Authentication-Results: a.example; spf=pass\n"+received), message.Options{})
	p := trace.Path{Border: -1}
	if r := Read(&h, Options{Trace: &p, ServIDs: []string{"a.example"}}); r.Fields[0].Why != NoBorder {
		t.Errorf("%s", r.Fields[0].Why)
	}
}

func TestARCSets(t *testing.T) {
	set := func(i int) string {
		return fmt.Sprintf("ARC-Seal: i=%d; a=rsa-sha256; d=Lists.example.org; s=s%d; cv=none; t=1; b=x\nARC-Message-Signature: i=%d; d=lists.example.org; h=from:to;\n b=y\nARC-Authentication-Results: i=%d; lists.example.org; dkim=pass header.d=example.org\n", i, i, i, i)
	}
	tests := []struct{ name, header, want string }{
		{"two", set(2) + set(1), "2 lists.example.org dkim=pass(example.org) [] | 1 lists.example.org dkim=pass(example.org) []"},
		{"missing", "ARC-Seal: i=1; d=a.example; b=x\n", "1 a.example  [missing-field]"},
		{"twice", set(1) + "ARC-Seal: i=1; d=evil.example; b=x\n", "1 lists.example.org dkim=pass(example.org) [duplicate-field]"},
		{"above the limit", "ARC-Seal: i=51; d=a.example; b=x\n", "0 a.example  [missing-field above-limit]"},
	}
	for _, tt := range tests {
		h := message.ParseHeader([]byte(tt.header), message.Options{})
		var got []string
		for _, s := range Read(&h, Options{}).ARC {
			got = append(got, fmt.Sprintf("%d %s %s %v", s.Instance, s.Seal.Domain, brief(s.Results.Results), s.Problems))
		}
		if s := strings.Join(got, " | "); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, s, tt.want)
		}
	}
	var many strings.Builder
	for i := range 500 {
		many.WriteString(set(i))
	}
	h := message.ParseHeader([]byte(many.String()), message.Options{MaxFields: -1, MaxHeader: -1})
	if n := len(Read(&h, Options{}).ARC); n > MaxSets+1 {
		t.Errorf("%d sets", n)
	}
}

func TestManyFields(t *testing.T) {
	h := message.ParseHeader([]byte(strings.Repeat("Authentication-Results: a.example; spf=pass\n", 300)), message.Options{})
	if r := Read(&h, Options{}); len(r.Fields) != MaxFields || r.Dropped != 200 {
		t.Errorf("%d fields, %d dropped", len(r.Fields), r.Dropped)
	}
}

// same compares what String keeps.
func same(a, b Results) bool {
	strip := func(r Results) string {
		r.Loose, r.Notes = nil, nil
		s := fmt.Sprintf("%q %q %v", r.ServID, r.Version, r.None || len(r.Results) == 0)
		for _, x := range r.Results {
			s += fmt.Sprintf("; %q %q %q %q %q", x.Method, x.Version, x.Value, x.Reason, x.Props)
		}
		return s
	}
	return strip(a) == strip(b)
}

// FuzzParse: what parses, prints, and parses to the same; and no text in a comment
// becomes a result.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"example.com 1; spf=pass smtp.mailfrom=example.net reason=x; dkim=fail (c) header.d=a",
		"spf=pass; x.example; dkim=none header.d=none;x", `"a b"; spf="p;a" reason="\"" a.b="c d"`, "a; none", ";;=;", "a; =b; c=; d=e f= g.h=", "a; dkim/1=pass", "i=1; a; none",
		"foo (c) 1 (b); dkim (x) / 1 (y) = (z) fail policy (a) . (b) expired (c) = (d) 1", "a; spf=fail ((; dkim=pass))", "(", `"`, "a; b=\"x\"@y z.=1 .z=2 ..=3",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ParseARC(s)
		r, err := Parse(s)
		if err != nil {
			return
		}
		printed := r.String()
		again, err := Parse(printed)
		if len(printed) > MaxLength {
			return
		}
		if err != nil {
			if len(r.Results) == 0 && !r.None {
				return
			}
			t.Fatalf("%q printed %q: %v", s, printed, err)
		}
		if !same(r, again) {
			t.Fatalf("%q\n%#v\nprinted %q\n%#v", s, r, printed, again)
		}
		if strings.ContainsAny(printed, "\r\n") {
			t.Fatalf("%q prints a line end", s)
		}
		// A comment in front of the first result changes nothing.
		if i := strings.IndexByte(printed, ';'); i > 0 && !strings.Contains(printed[:i], `"`) {
			hidden := printed[:i] + "(x; dkim=pass header.d=bank.example)" + printed[i:]
			if h, err := Parse(hidden); err == nil && !same(h, again) {
				t.Fatalf("%q is read from a comment", hidden)
			}
		}
	})
}
