package token_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/probe/token"
)

const tok = "aaaaaaaaaaaaaaaaaaaaaaaaaa"

func TestNew(t *testing.T) {
	key := []byte("key")
	a, b := token.New(nil), token.New(key)
	for _, s := range []string{a, b, tok} {
		if !token.Valid(s) {
			t.Errorf("%q is not valid", s)
		}
	}
	if a == token.New(nil) || b == token.New(key) {
		t.Error("a token came twice")
	}
	if !token.Made(key, b) || token.Made(key, a) || token.Made([]byte("other"), b) || token.Made(nil, b) {
		t.Error("Made does not tell whose token it is")
	}
	// The last character has two bits too many: only one spelling is a token.
	for _, s := range []string{"", tok[1:], tok + "a", strings.ToUpper(tok), tok[:25] + "b", tok[:25] + "1", tok[:25] + "\n"} {
		if token.Valid(s) {
			t.Errorf("%q is valid", s)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, c := range []struct{ in, tagged, found string }{
		{"a@example.org", "a+t-" + tok + "@example.org", ""},
		{"a+list@example.org", "a+list@example.org", ""},
		{`"a b"@example.org`, `"a b"@example.org`, ""},
		{"@example.org", "@example.org", ""},
		{"none", "none", ""},
		{"T-" + strings.ToUpper(tok) + "@example.org", "T-" + strings.ToUpper(tok) + "+t-" + tok + "@example.org", tok},
		{"a+b+t-" + tok + "@example.org", "a+b+t-" + tok + "@example.org", tok},
		{"at-" + tok + "@example.org", "at-" + tok + "+t-" + tok + "@example.org", ""},
	} {
		if got := token.Tag(c.in, tok); got != c.tagged {
			t.Errorf("Tag(%q) = %q, want %q", c.in, got, c.tagged)
		}
		if got := token.InAddress(c.in); got != c.found {
			t.Errorf("InAddress(%q) = %q, want %q", c.in, got, c.found)
		}
	}
}

func TestInHeader(t *testing.T) {
	for in, want := range map[string]string{
		"X-Mailcheck-Probe: " + tok:                                   tok,
		"X-Mailcheck-Probe: junk\r\nx-mailcheck-probe: " + tok:        tok,
		"Message-ID: <mailcheck." + tok + "@example.org>":             tok,
		"Delivered-To: me+t-" + tok + "@example.org":                  tok,
		"To: \"t-" + tok + "@example.org\" <me@example.org>":          "",
		"Subject: mailcheck probe " + tok:                             "",
		"Message-ID: <mailcheck." + tok + ">":                         "",
		"From: a@example.org\r\n\r\nX-Mailcheck-Probe: " + tok + "\r": "",
	} {
		h := message.ParseHeader([]byte(in+"\r\n\r\n"), message.Options{})
		if got := token.InHeader(&h); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add("<mailcheck." + tok + "@x>")
	f.Add("a+t-" + tok + "@x")
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{token.InMessageID(s), token.InAddress(s)} {
			if got != "" && !token.Valid(got) {
				t.Errorf("%q: found %q", s, got)
			}
		}
	})
}

func Example() {
	t := token.New(nil)
	to := token.Tag("monitor@example.org", t)
	fmt.Println(token.InAddress(to) == t)
	// Output: true
}
