package tlsrpt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func TestParseRecord(t *testing.T) {
	// All of RFC 8460, Section 3.
	const m = "rua=mailto:a@example.org"
	tests := []struct {
		text   string
		reason error
		want   []string
	}{
		{"v=TLSRPTv1; " + m, nil, nil},
		{"v=TLSRPTv1;" + m + ";", nil, nil},
		{"v=TLSRPTv1;\trua=mailto:a@example.org , https://r.example.net/v1 ; ", nil, nil},
		{"v=TLSRPTv1; rua=MAILTO:a%2Cb@Example.org?subject=x", nil, nil},
		{"v=TLSRPTv1; x=1; " + m, nil, []string{"harmless unknown x"}},
		{"v=TLSRPTv1; " + m + "; rua=mailto:b@example.org", nil, []string{"at-risk duplicate rua"}},
		{"v=TLSRPTv1; rua = mailto:a@example.org", nil, []string{"at-risk space rua>" + m}},
		{"v=TLSRPTv1; " + m + " ", nil, []string{"at-risk space rua"}},
		{"v=TLSRPTv1;; " + m, nil, []string{"at-risk junk"}},
		{"v=TLSRPTv1; " + m + ",b@example.org", nil, []string{"at-risk uri-invalid rua>mailto:b@example.org"}},
		{"v=TLSRPTv1; " + m + ",", nil, []string{"at-risk uri-invalid rua"}},
		{"v=TLSRPTv1; " + m + "!10m,mailto:b@example.org", nil, []string{"at-risk uri-invalid rua>mailto:a@example.org"}},
		{"v=TLSRPTv1; " + m + ",http://r.example.org/x", nil, []string{"at-risk uri-scheme rua>https://r.example.org/x"}},
		{"v=TLSRPTv1; " + m + ",ftp://r.example.org/x", nil, []string{"at-risk uri-scheme rua"}},
		{"v=TLSRPTv1; " + m + ",https:", nil, []string{"at-risk uri-invalid rua"}},
		{"v=TLSRPTv1; " + m + ",https://u@r.example.org/", nil, []string{"at-risk uri-invalid rua"}},
		{"v=TLSRPTv1; " + m + "; RUA=x", nil, []string{"harmless case RUA>rua=x"}},

		{"v=TLSRPTv1;", ErrRecord, []string{"ignored missing rua"}},
		{"v=TLSRPTv1; rua=", ErrRecord, []string{"ignored invalid rua", "at-risk uri-invalid rua"}},
		{"v=TLSRPTv1; rua=a@example.org", ErrRecord, []string{"ignored invalid rua", "at-risk uri-invalid rua>mailto:a@example.org"}},
		{"v=TLSRPTv1; rua=mailto:a@example.org mailto:b@example.org", ErrRecord, []string{"ignored invalid rua", "at-risk uri-invalid rua>mailto:a@example.org,mailto:b@example.org"}},
		{"v=TLSRPTv1; rua=mailto://a@example.org", ErrRecord, []string{"ignored invalid rua", "at-risk uri-invalid rua>mailto:a@example.org"}},
		{"v=TLSRPTv1; rua=mailto:<a@example.org>", ErrRecord, []string{"ignored invalid rua", "at-risk uri-invalid rua>mailto:a@example.org"}},
		{"v=TLSRPTv1; rua:mailto:a@example.org", ErrRecord, []string{"ignored junk>mailto:a@example.org", "ignored missing rua"}},
		{"v=TLSRPTv1; RUA=mailto:a@example.org", ErrRecord, []string{"harmless case RUA>" + m, "ignored missing rua>" + m}},
		{"v=TLSRPTv1; ruf=mailto:a@example.org", ErrRecord, []string{"harmless unknown ruf", "ignored missing rua>" + m}},
		{"v=TLSRPTv1; " + m + "\x00", ErrRecord, []string{"ignored invalid rua", "at-risk uri-invalid rua", "ignored bad-character rua"}},

		{"", ErrNotRecord, []string{"ignored missing v", "ignored missing rua"}},
		{"v=TLSRPTv1 ; " + m, ErrNotRecord, []string{"ignored space v>v=TLSRPTv1; " + m}},
		{"v=TLSRPTv1 " + m, ErrNotRecord, []string{"ignored invalid v>v=TLSRPTv1; " + m, "ignored missing rua"}},
		{"v=TLSRPTv1", ErrNotRecord, []string{"ignored junk v", "ignored missing rua"}},
		{"v=tlsrptv1; " + m, ErrNotRecord, []string{"ignored case v>v=TLSRPTv1; " + m}},
		{"v=TLSRPT1; " + m, ErrNotRecord, []string{"ignored invalid v"}},
		{" v=TLSRPTv1; " + m, ErrNotRecord, []string{"ignored space v>v=TLSRPTv1; " + m}},
		{m + "; v=TLSRPTv1", ErrNotRecord, []string{"ignored not-first v>v=TLSRPTv1; " + m}},
		{"v=DMARC1; p=none", ErrNotRecord, []string{"ignored missing v", "harmless unknown p", "ignored missing rua"}},
	}
	for _, tt := range tests {
		r, err := ParseRecord(tt.text)
		if r.String() != tt.text {
			t.Errorf("%q prints as %q", tt.text, r)
		}
		var got []string
		for _, p := range r.Problems {
			s := strings.TrimRight(fmt.Sprintf("%s %s %s", p.Effect, p.Kind, p.Field), " ")
			if p.Suggestion != "" {
				s += ">" + p.Suggestion
			}
			got = append(got, s)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q\n got %q\nwant %q", tt.text, got, tt.want)
		}
		if !errors.Is(err, tt.reason) || (err == nil) != (tt.reason == nil) {
			t.Errorf("%q: got error %v, want %v", tt.text, err, tt.reason)
		}
	}
}

func TestRecordPlaces(t *testing.T) {
	const text = "v=TLSRPTv1; rua=mailto:A%2Cb@Example.ORG , https://R.example.net:8443/v1,nonsense"
	r, err := ParseRecord(text)
	if err != nil || len(r.RUA) != 3 {
		t.Fatalf("%v, %+v", err, r)
	}
	want := []URI{
		{Text: "mailto:A%2Cb@Example.ORG", Valid: true, Scheme: "mailto", Address: "A,b@example.org", Host: "example.org"},
		{Text: "https://R.example.net:8443/v1", Valid: true, Scheme: "https", Host: "r.example.net"},
		{Text: "nonsense"},
	}
	for i, u := range r.RUA {
		if !strings.HasPrefix(text[u.Offset:], u.Text) {
			t.Errorf("offset %d is not at %s", u.Offset, u.Text)
		}
		u.Offset = 0
		if u != want[i] {
			t.Errorf("got %+v, want %+v", u, want[i])
		}
	}
	many, _ := ParseRecord("v=TLSRPTv1; rua=" + strings.Repeat("x,", 20000))
	if len(many.RUA) > maxURIs || len(many.Problems) > 2*maxProblems {
		t.Errorf("%d places, %d problems", len(many.RUA), len(many.Problems))
	}
	if r, err := ParseRecord(strings.Repeat("x", 70000)); !errors.Is(err, ErrNotRecord) || len(r.String()) > maxRecord || len(err.Error()) > 1000 {
		t.Errorf("%d octets: %v", len(r.String()), err)
	}
}

func TestRecordMake(t *testing.T) {
	r, err := NewRecord("tls@example.org", "https://r.example.net/v1", "a,b!c@example.org")
	if want := "v=TLSRPTv1; rua=mailto:tls@example.org,https://r.example.net/v1,mailto:a%2Cb%21c@example.org"; err != nil || r.String() != want || r.RUA[2].Address != "a,b!c@example.org" {
		t.Errorf("%s, %v", r, err)
	}
	for _, bad := range [][]string{nil, {"http://x.example/"}, {"nobody"}, {"mailto:a@b.example,c@d.example"}, {"https://x.example/;y"}, {"a@b.example\r\n"}, {"a b@c.example"}, {"https://"}} {
		if r, err := NewRecord(bad...); !errors.Is(err, ErrEdit) {
			t.Errorf("%q gives %q, %v", bad, r, err)
		}
	}
	for text, want := range map[string]string{
		"v=TLSRPTv1; rua=mailto:a@example.org;": "v=TLSRPTv1; rua=mailto:z@example.org;",
		"v=TLSRPTv1;rua = a@example.org ;x=1":   "v=TLSRPTv1;rua=mailto:z@example.org ;x=1",
		"v=TLSRPTv1;":                           "v=TLSRPTv1; rua=mailto:z@example.org;",
		"v=TLSRPTv1; x=1":                       "v=TLSRPTv1; x=1; rua=mailto:z@example.org",
		"v=TLSRPTv1; rua=mailto:a@b.example; x=1; rua=mailto:c@d; y=": "v=TLSRPTv1; rua=mailto:z@example.org; x=1; y=",
	} {
		r, _ := ParseRecord(text)
		if got, err := r.SetRUA("z@example.org"); err != nil || got.String() != want {
			t.Errorf("%s becomes %s, %v", text, got, err)
		}
	}
	r, _ = ParseRecord("v=spf1 -all")
	if _, err := r.SetRUA("z@example.org"); !errors.Is(err, ErrEdit) {
		t.Errorf("an SPF record is changed: %v", err)
	}
}

func TestLookup(t *testing.T) {
	zone := zonetest.MustParse(`
$ORIGIN example.org.
@                 3600 IN SOA ns hostmaster 1 2 3 4 5
_smtp._tls        3600 IN TXT "v=TLSRPTv1; rua=mail" "to:a@example.org"
_smtp._tls        3600 IN TXT "something else"
_smtp._tls.two    3600 IN TXT "v=TLSRPTv1; rua=mailto:a@example.org"
_smtp._tls.two    3600 IN TXT "v=TLSRPTv1; rua=mailto:b@example.org"
_smtp._tls.bad    3600 IN TXT "v=TLSRPTv1; rua=a@example.org"
_smtp._tls.other  3600 IN TXT "v=spf1 -all"
_smtp._tls.alias  3600 IN CNAME _smtp._tls
`)
	failing := resolve.Func(func(_ context.Context, q resolve.Question) (resolve.Answer, error) {
		return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrServFail, Question: q}
	})
	tests := []struct {
		domain string
		r      resolve.Resolver
		state  resolve.State
		found  int
		err    error
	}{
		{"example.org", zone, resolve.Present, 2, nil},
		{"alias.example.org", zone, resolve.Present, 2, nil},
		{"two.example.org", zone, resolve.Absent, 2, nil},
		{"bad.example.org", zone, resolve.Absent, 1, ErrRecord},
		{"other.example.org", zone, resolve.Absent, 1, nil},
		{"none.example.org", zone, resolve.Absent, 0, resolve.ErrNXDomain},
		{"example.org", failing, resolve.Unavailable, 0, resolve.ErrServFail},
		{".", zone, resolve.Absent, 0, nil},
	}
	for _, tt := range tests {
		d := Lookup(t.Context(), tt.r, resolve.MustName(tt.domain))
		if d.State != tt.state || len(d.Found) != tt.found || d.Why == "" || (d.State == resolve.Present) != (len(d.Record.RUA) > 0 && d.Err == nil) {
			t.Errorf("%s: %s, %d records: %s", tt.domain, d.State, len(d.Found), d.Why)
		}
		if tt.err != nil && !errors.Is(d.Err, tt.err) {
			t.Errorf("%s: error %v, want %v", tt.domain, d.Err, tt.err)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	for _, s := range []string{
		"v=TLSRPTv1; rua=mailto:a@example.org", "v=TLSRPTv1;;rua = a@b!1m , https://[::1]/ ;RUA=x;", " v=TLSRPTv1", "rua=x;v=TLSRPTv1", "v=TLSRPTv1; rua=mailto:%zz@b,mailto:<a@b.c>,\x80", "\"v=TLSRPTv1; rua=\"", "v=tls",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRecord(text)
		if len(text) > maxRecord {
			return
		}
		again, _ := ParseRecord(r.String())
		if r.String() != text || fmt.Sprint(again) != fmt.Sprint(r) {
			t.Fatalf("%q prints as %q", text, r)
		}
		if err == nil && (!strings.HasPrefix(text, recordStart) || !slices.ContainsFunc(r.RUA, func(u URI) bool { return u.Valid })) {
			t.Fatalf("%q is valid: %+v", text, r)
		}
		for _, p := range r.Problems {
			if p.Offset < 0 || p.Offset > len(text) || p.Message == "" || strings.ContainsFunc(p.String(), func(c rune) bool { return c < ' ' || c > '~' }) {
				t.Fatalf("%q: problem %+v", text, p)
			}
		}
		for _, u := range r.RUA {
			if !strings.HasPrefix(text[u.Offset:], u.Text) {
				t.Fatalf("%q: wrong offset of %+v", text, u)
			}
		}
		if set, err := r.SetRUA("fuzz@example.org"); err == nil && (len(set.RUA) != 1 || set.RUA[0].Address != "fuzz@example.org") {
			t.Fatalf("%q: SetRUA gives %q", text, set)
		}
	})
}
