package message

import (
	"fmt"
	"strings"
	"testing"
)

func show(list []Address) string {
	var out []string
	for _, a := range list {
		s := fmt.Sprintf("%s|%s|%s", a.Name, a.Local, a.Domain)
		if a.Group != "" {
			s += "|" + a.Group
		}
		out = append(out, s)
	}
	return strings.Join(out, " ; ")
}

func TestParseAddresses(t *testing.T) {
	tests := []struct {
		in, want string
		clean    bool
	}{
		{"a@example.org", "|a|example.org", true},
		{"<a@example.org>", "|a|example.org", true},
		{"Jane Doe <jane@example.org>", "Jane Doe|jane|example.org", true},
		{`"Doe, Jane" <jane@example.org>, b@example.net`, "Doe, Jane|jane|example.org ; |b|example.net", true},
		{"jane@example.org (Jane Doe)", "Jane Doe|jane|example.org", true},
		// RFC 2047, Section 5: an encoded comma separates nothing.
		{"=?utf-8?Q?Doe=2C_Jane?= <jane@example.org>", "Doe, Jane|jane|example.org", true},
		// RFC 5322, Section 3.4: groups.
		{"undisclosed-recipients:;", "", true},
		{"Friends: a@example.org, B <b@example.org>;, c@example.org", "|a|example.org|Friends ; B|b|example.org|Friends ; |c|example.org", true},
		// Quoted local-parts.
		{`"john doe"@example.org`, "|john doe|example.org", true},
		{`<"a@b"@example.org>`, "|a@b|example.org", true},
		{`<"a\"b"@example.org>`, `|a"b|example.org`, true},
		// RFC 6532: UTF-8.
		{"Jörg <jörg@exämple.org>", "Jörg|jörg|exämple.org", true},
		{"user@[192.0.2.1]", "|user|[192.0.2.1]", true},
		{"user@[IPv6:2001:db8::1]", "|user|[IPv6:2001:db8::1]", true},
		// RFC 5322, Section 4.4: route and white space of old.
		{"<@relay.example,@other.example:a@example.org>", "|a|example.org", true},
		{"a . b @ example . org", "|a.b|example.org", true},
		// What people write.
		{"alice@example.com <bob@example.net>", "alice@example.com|bob|example.net", true},
		{"Doe, Jane <jane@example.org>", "Doe, Jane|jane|example.org", false},
		{`"Jane <jane@example.org>`, `Jane|jane|example.org`, false},
		{"Jane <jane@example.org", "Jane|jane|example.org", false},
		{"<a@example.org><b@example.net>", "|a|example.org ; |b|example.net", false},
		{"a@example.org b@example.net", "|a@example.org b|example.net", false},
		{"root", "|root|", false},
		{"root, a@example.org", "|root| ; |a|example.org", false},
		{"", "", true},
		{",,,", "", true},
		{"<>", "||", true},
		{"a@b@c.example", "|a@b|c.example", false},
		{"a..b@example.org", "|a..b|example.org", false},
		{"a@exam ple", "|a|exam ple", false},
		{"=?utf-8?Q?a=40example.org?=", "|=?utf-8?Q?a=40example.org?=|", false},
	}
	for _, tt := range tests {
		got := ParseAddresses(tt.in)
		if s := show(got.List); s != tt.want {
			t.Errorf("%q: %s, want %s", tt.in, s, tt.want)
		}
		if (len(got.Problems) == 0) != tt.clean {
			t.Errorf("%q: problems %v", tt.in, got.Problems)
		}
	}
}

func TestAddressString(t *testing.T) {
	for _, s := range []string{"a@example.org", `"john doe"@example.org`, `"a\"b\\c"@example.org`, "jörg@example.org", "a@[192.0.2.1]", `""@example.org`} {
		a, _ := ParseAddress(s)
		if a.String() != s {
			t.Errorf("%s: printed %s", s, a.String())
		}
	}
	if _, ok := ParseAddress("a@example.org, b@example.org"); ok {
		t.Error("two addresses are one")
	}
}

// TestAuthor: RFC 5322, Section 3.6.2: one field, and perhaps several addresses.
func TestAuthor(t *testing.T) {
	tests := []struct {
		header  string
		fields  int
		domains string
	}{
		{"From: a@Example.ORG\n", 1, "example.org"},
		{"From: a@example.org, b@example.net, c@example.org\n", 1, "example.org example.net"},
		{"From: a@example.org\nFrom: b@example.net\n", 2, "example.org example.net"},
		{"From: bank.example <a@evil.example>\n", 1, "evil.example"},
		{"From: \"service@bank.example\" <a@evil.example>\n", 1, "evil.example"},
		{"From: <a@bank.example>, <b@evil.example>\n", 1, "bank.example evil.example"},
		{"From: a@bank.example\r\n\tb@evil.example\n", 1, "evil.example"},
		{"From: Friends:;\n", 1, ""},
		{"From: a@bücher.example\n", 1, "xn--bcher-kva.example"},
		{"From: a@[192.0.2.1]\n", 1, ""},
		{"To: a@example.org\n", 0, ""},
		{"From: a@example.org\x00.evil.example\n", 1, ""},
	}
	for _, tt := range tests {
		a := Parse([]byte(tt.header+"\nx"), Options{}).Author()
		var names []string
		for _, d := range a.Domains {
			names = append(names, d.String())
		}
		if got := strings.Join(names, " "); got != tt.domains || a.Fields != tt.fields {
			t.Errorf("%q: %q in %d fields", tt.header, got, a.Fields)
		}
	}
}

// TestInjection: text that would become another command or field is no address.
func TestInjection(t *testing.T) {
	for _, s := range []string{
		"a@b.example>\r\nRCPT TO:<x@y.example>", "a@b.example> BODY=8BITMIME", "x@y.example> NOTIFY=SUCCESS", "\"a\r\nb\"@c.example", "a@b.example\x00", "a\x00@b.example",
		"a@b.example\r\nBcc: x@y.example", "a\tb@c.example", "<a@b.example", "a@b.example, x@y.example", "@b.example", "a@", "", strings.Repeat("a", 65) + "@b.example",
	} {
		if a, ok := ParseAddress(s); ok {
			t.Errorf("%q is an address: %+v", s, a)
		}
	}
	for _, s := range []string{"a@b.example", `"a b"@c.example`, "A <a@b.example>", "ä@ö.example"} {
		if _, ok := ParseAddress(s); !ok {
			t.Errorf("%q is no address", s)
		}
	}
}

// TestHostileText: what a terminal would obey stays as it is in values, and is quoted
// in problems.
func TestHostileText(t *testing.T) {
	for _, s := range []string{"\x1b[2J\x1b[1;32mPASS", "\x1b]52;c;ZXZpbA==\x07", "\x9b31m", "\u202Epxe", "=HYPERLINK(\"http://x\")", "</script><img src=x onerror=y>", "OK | x=1;;"} {
		m := Parse([]byte("Subject: "+s+"\r\n"+s+"\r\n\r\n"), Options{})
		if got := m.Header.Fields[0].Value; got != strings.TrimSpace(s) {
			t.Errorf("%q became %q", s, got)
		}
		for _, p := range m.Header.Problems {
			if strings.ContainsAny(p.String(), "\x1b\x07\u202e") || strings.Contains(p.String(), "\x9b") {
				t.Errorf("problem %q", p.String())
			}
		}
	}
}
