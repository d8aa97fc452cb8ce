package mtasts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func TestLookup(t *testing.T) {
	zone := zonetest.MustParse(`
$ORIGIN example.org.
@               3600 IN SOA ns hostmaster 1 2 3 4 5
_mta-sts        3600 IN TXT "v=STSv1; i" "d=1;"
_mta-sts        3600 IN TXT "google-site-verification=x"
_mta-sts.two    3600 IN TXT "v=STSv1; id=1"
_mta-sts.two    3600 IN TXT "v=STSv1; id=2"
_mta-sts.bad    3600 IN TXT "v=STSv1; id=2024-01-01"
_mta-sts.mixed  3600 IN TXT "v=STSv1; id=bad!"
_mta-sts.mixed  3600 IN TXT "v=STSv1; id=2"
_mta-sts.other  3600 IN TXT "v=STSv1 ; id=1"
_mta-sts.alias  3600 IN CNAME _mta-sts
`)
	failing := resolve.Func(func(_ context.Context, q resolve.Question) (resolve.Answer, error) {
		return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrTimeout, Question: q}
	})
	tests := []struct {
		section, domain string
		r               resolve.Resolver
		state           resolve.State
		found           int
		id              string
		err             error
	}{
		{"3.1", "example.org", zone, resolve.Present, 2, "1", nil},
		{"8.2", "alias.example.org", zone, resolve.Present, 2, "1", nil},
		{"3.1", "two.example.org", zone, resolve.Absent, 2, "", nil},
		{"3.1", "mixed.example.org", zone, resolve.Absent, 2, "", nil},
		{"3.1", "bad.example.org", zone, resolve.Absent, 1, "", ErrRecord},
		{"3.1", "other.example.org", zone, resolve.Absent, 1, "", nil},
		{"3.4", "sub.example.org", zone, resolve.Absent, 0, "", resolve.ErrNXDomain},
		{"", "example.org", failing, resolve.Unavailable, 0, "", resolve.ErrTimeout},
		{"", strings.Repeat(strings.Repeat("a", 61)+".", 4) + "b", zone, resolve.Absent, 0, "", nil},
		{"", ".", zone, resolve.Absent, 0, "", nil},
	}
	for _, tt := range tests {
		d := Lookup(t.Context(), tt.r, resolve.MustName(tt.domain))
		if d.State != tt.state || len(d.Found) != tt.found || d.Record.ID != tt.id || d.Why == "" {
			t.Errorf("%s (Section %s): %s, %d records, id %q: %s", tt.domain, tt.section, d.State, len(d.Found), d.Record.ID, d.Why)
		}
		if tt.err != nil && !errors.Is(d.Err, tt.err) {
			t.Errorf("%s: error %v, want %v", tt.domain, d.Err, tt.err)
		}
	}
}

func TestServerConfig(t *testing.T) {
	for _, s := range Servers() {
		text, err := ServerConfig(s, testDomain)
		if err != nil || !strings.Contains(text, "mta-sts.example.org") || !strings.Contains(text, "/.well-known/mta-sts.txt") || !strings.Contains(text, "text/plain") {
			t.Errorf("%s: %v\n%s", s, err, text)
		}
		if strings.Contains(text, "HOST") && s != Apache || strings.Contains(text, "PATH") || strings.Contains(text, "ROOT/") {
			t.Errorf("%s keeps a blank to fill in:\n%s", s, text)
		}
		for _, bad := range []string{"a;b.example", "a{b.example", ".", "a\nb.example", "a$b.example"} {
			if text, err := ServerConfig(s, resolve.MustName(bad)); !errors.Is(err, ErrEdit) {
				t.Errorf("%s for %q: %q, %v", s, bad, text, err)
			}
		}
	}
	if _, err := ServerConfig("lighttpd", testDomain); !errors.Is(err, ErrEdit) {
		t.Errorf("unknown server: %v", err)
	}
}

func TestParseErrorWords(t *testing.T) {
	_, err := Parse("v=STSv1; id=a-b")
	_, err2 := ParsePolicy("version: STSv1\nmode: \x1b[31m\n")
	for _, e := range []error{err, err2} {
		if s := fmt.Sprint(e); strings.ContainsAny(s, "\x1b\n") || !strings.HasPrefix(s, "mtasts: invalid ") {
			t.Errorf("%q", s)
		}
	}
}
