package bimi_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/bimi"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var records = []struct {
	text    string
	err     error     // nil: valid
	kind    bimi.Kind // of the first problem, empty if there is none
	suggest string
}{
	{"v=BIMI1; l=https://example.org/logo.svg", nil, "", ""},
	{"v=BIMI1; l=https://example.org/logo.svg; a=https://example.org/vmc.pem;", nil, "", ""},
	{"v=BIMI1;l=https://example.org/logo.svgz;a=;avp=personal;", nil, "", ""},
	{"v = BIMI1 ; l = https://example.org/logo.svg ;", nil, "", ""},
	{"v=BIMI1; a=; l=", nil, "", ""}, // declined, in any order
	{"v=BIMI1; l=; a=; lps=brand-indicators-;", nil, "", ""},
	{"v=BIMI1; l=;", nil, "", ""}, // a= absent is empty
	{"v=BIMI1; l=https://example.org/logo", nil, "", ""},
	{"v=BIMI1; l=https://example.org/logo.svg; x=1", nil, bimi.Unknown, ""},
	{"v=BIMI1; l=https://example.org/logo.svg; avp=BRAND", nil, bimi.Case, "avp=brand"},
	{"v=BIMI1; l=https://example.org/logo.svg; avp=both", nil, bimi.Invalid, ""},
	{"v=BIMI1; l=https://example.org/logo.svg; lps=a_b", nil, bimi.Invalid, ""},
	{"v=BIMI1;; l=https://example.org/logo.svg", nil, bimi.Junk, ""},
	// Receivers must not mend anything.
	{"v=bimi1; l=https://example.org/logo.svg", bimi.ErrNotBIMI, bimi.Case, "v=BIMI1; l=https://example.org/logo.svg"},
	{"V=BIMI1; l=https://example.org/logo.svg", bimi.ErrNotBIMI, bimi.Case, "v=BIMI1; l=https://example.org/logo.svg"},
	{" v=BIMI1; l=https://example.org/logo.svg", bimi.ErrNotBIMI, bimi.Space, "v=BIMI1; l=https://example.org/logo.svg"},
	{`"v=BIMI1; l=https://example.org/logo.svg"`, bimi.ErrNotBIMI, bimi.Quoted, "v=BIMI1; l=https://example.org/logo.svg"},
	{"l=https://example.org/logo.svg; v=BIMI1", bimi.ErrNotBIMI, bimi.Invalid, "v=BIMI1; l=https://example.org/logo.svg"},
	{"v=BIMI2; l=https://example.org/logo.svg", bimi.ErrNotBIMI, bimi.Invalid, ""},
	{"v=DMARC1; p=none", bimi.ErrNotBIMI, bimi.Missing, ""},
	{"", bimi.ErrNotBIMI, bimi.Missing, ""},
	{"v=BIMI1", bimi.ErrRecord, bimi.Missing, ""},
	{"v=BIMI1; a=https://example.org/vmc.pem", bimi.ErrRecord, bimi.Missing, ""},
	{"v=BIMI1; l=; a=https://example.org/vmc.pem", bimi.ErrRecord, bimi.Missing, ""},
	{"v=BIMI1; L=https://example.org/logo.svg", bimi.ErrRecord, bimi.Case, "l=https://example.org/logo.svg"},
	{"v=BIMI1; l=http://example.org/logo.svg", bimi.ErrRecord, bimi.Invalid, "https://example.org/logo.svg"},
	{"v=BIMI1; l=example.org/logo.svg", bimi.ErrRecord, bimi.Invalid, "https://example.org/logo.svg"},
	{"v=BIMI1; l=https://example.org/logo.png", bimi.ErrRecord, bimi.Format, ""},
	{"v=BIMI1; l=https://example.org/a.svg,https://example.org/b.svg", bimi.ErrRecord, bimi.Invalid, "https://example.org/a.svg"},
	{"v=BIMI1; l=https://example.org/a,b.svg", bimi.ErrRecord, bimi.Invalid, "https://example.org/a%2Cb.svg"},
	{"v=BIMI1; l=https://example.org/a b.svg", bimi.ErrRecord, bimi.Invalid, ""},
	{"v=BIMI1; l=https://localhost/logo.svg", bimi.ErrRecord, bimi.Invalid, ""},
	{"v=BIMI1; l=https://192.0.2.1/logo.svg", bimi.ErrRecord, bimi.Invalid, ""},
	{"v=BIMI1; l=https://[2001:db8::1]/logo.svg", bimi.ErrRecord, bimi.Invalid, ""},
	{"v=BIMI1; l=https://u:p@example.org/logo.svg", bimi.ErrRecord, bimi.Invalid, ""},
	{"v=BIMI1; l=https:///logo.svg", bimi.ErrRecord, bimi.Invalid, ""},
	{"v=BIMI1; l=data:image/svg+xml,x", bimi.ErrRecord, bimi.Invalid, ""},
	{"v=BIMI1; l=file:///etc/passwd", bimi.ErrRecord, bimi.Invalid, ""},
	{"v=BIMI1; l=https://example.org/l.svg; a=self", bimi.ErrRecord, bimi.Invalid, ""},
	{"v=BIMI1; l=https://example.org/l.svg; l=https://example.org/m.svg", bimi.ErrRecord, bimi.Duplicate, ""},
	{"v=BIMI1; l=https://example.org/l.svg; logo", bimi.ErrRecord, bimi.Junk, ""},
	{"v=BIMI1; l=https://example.org/l.svg; x-y=1", bimi.ErrRecord, bimi.Invalid, ""},
	{"v=BIMI1; l=https://example.org/\x1b[31m.svg", bimi.ErrRecord, bimi.Invalid, ""},
	{"v=BIMI1; l=" + strings.Repeat("x", 70000), bimi.ErrNotBIMI, bimi.TooLong, ""},
	{"v=BIMI1; l=https://example.org/" + strings.Repeat("x", 3000), bimi.ErrRecord, bimi.Invalid, ""},
}

func TestParse(t *testing.T) {
	for _, c := range records {
		r, err := bimi.Parse(c.text)
		if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%.80q: %v, want %v", c.text, err, c.err)
		}
		var first bimi.Problem
		if len(r.Problems) > 0 {
			first = r.Problems[0]
		}
		if first.Kind != c.kind || first.Suggestion != c.suggest {
			t.Errorf("%.80q: %q %q, want %q %q (%v)", c.text, first.Kind, first.Suggestion, c.kind, c.suggest, r.Problems)
		}
		if len(c.text) < 1000 && r.String() != c.text {
			t.Errorf("%q is printed as %q", c.text, r)
		}
		if err != nil && (strings.ContainsRune(err.Error(), 0x1b) || len(err.Error()) > 600) {
			t.Errorf("%q", err.Error())
		}
	}
}

func TestRecordFields(t *testing.T) {
	r, _ := bimi.Parse("v=BIMI1; l=; a=;")
	if !r.Declined {
		t.Error("a declination")
	}
	r, _ = bimi.Parse("v=BIMI1; l=https://example.org/l.svg; lps= one-noreply , two-noreply; avp=personal")
	if r.Declined || !r.LocalParts || len(r.Prefixes) != 2 || r.Preference != bimi.Personal {
		t.Errorf("%+v", r)
	}
	for local, want := range map[string]bool{"one-noreply": true, "TWO-noreply-7": true, "three": false, "": false} {
		if r.Wants(local) != want {
			t.Errorf("%q: %t", local, !want)
		}
	}
	if r, _ = bimi.Parse("v=BIMI1; l=; lps="); !r.Wants("anything") {
		t.Error("lps without prefixes matches all")
	}
	if r, _ = bimi.Parse("v=BIMI1; l=; lps=_"); r.Wants("anything") {
		t.Error("lps with nothing valid matches none")
	}
}

// Draft, Section "Local-part Selectors".
func TestLocalPartSelector(t *testing.T) {
	for local, want := range map[string]string{
		"News.Letter": "news-letter", "a_b.c": "a-b-c", "a.._b": "a-b", "_a_": "a", "user+tag": "user", "+tag": "", "a@b": "", "\u00fc": "",
		strings.Repeat("a", 63): strings.Repeat("a", 63), strings.Repeat("a", 64): "", "": "",
	} {
		got, ok := bimi.LocalPartSelector(local)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("%q: %q, want %q", local, got, want)
		}
	}
}

func TestNewRecord(t *testing.T) {
	for _, c := range []struct {
		opt  bimi.RecordOptions
		want string
	}{
		{bimi.RecordOptions{}, "v=BIMI1; l=; a=;"},
		{bimi.RecordOptions{Location: "https://example.org/l.svg"}, "v=BIMI1; l=https://example.org/l.svg;"},
		{bimi.RecordOptions{Location: "https://example.org/l.svg", Evidence: "https://example.org/v.pem", Preference: bimi.Personal}, "v=BIMI1; l=https://example.org/l.svg; a=https://example.org/v.pem; avp=personal;"},
	} {
		if r, err := bimi.NewRecord(c.opt); err != nil || r.String() != c.want {
			t.Errorf("%q, %v", r, err)
		}
	}
	for _, bad := range []string{"http://example.org/l.svg", "https://example.org/l.svg; a=https://evil.example/v.pem", "https://example.org/l.svg ", "x"} {
		if r, err := bimi.NewRecord(bimi.RecordOptions{Location: bad}); err == nil {
			t.Errorf("%q: %q", bad, r)
		}
	}
}

const lookupZone = `
$TTL 60
default._bimi.org.test.      IN TXT "v=BIMI1; l=https://org.test/l.svg"
news._bimi.org.test.         IN TXT "v=BIMI1; l=https://org.test/" "news.svg"
default._bimi.off.org.test.  IN TXT "v=BIMI1; l=; a=;"
default._bimi.two.org.test.  IN TXT "v=BIMI1; l=https://org.test/1.svg"
default._bimi.two.org.test.  IN TXT "v=BIMI1; l=https://org.test/2.svg"
default._bimi.bad.org.test.  IN TXT "v=BIMI1; l=http://org.test/l.svg"
default._bimi.junk.org.test. IN TXT "v=spf1 -all"
default._bimi.lps.test.      IN TXT "v=BIMI1; l=; a=; lps=brand-"
brand-a._bimi.lps.test.      IN TXT "v=BIMI1; l=https://lps.test/a.svg"
brand-b._bimi.lps.test.      IN TXT "v=BIMI1; l=http://lps.test/b.svg"
*.wild.test.                 IN TXT "v=spf1 -all"
default._bimi.cn.test.       IN CNAME default._bimi.org.test.
`

// Draft, Section "Assertion Record Discovery".
func TestLookup(t *testing.T) {
	z := zonetest.MustParse(lookupZone)
	z.Inject(resolve.MustName("default._bimi.broken.org.test"), 0, zonetest.Fault{RCode: resolve.ServFail})
	z.Inject(resolve.MustName("brand-c._bimi.lps.test"), 0, zonetest.Fault{RCode: resolve.ServFail})
	org := resolve.MustName("org.test")
	cases := []struct {
		domain   string
		opt      bimi.LookupOptions
		state    resolve.State
		found    string
		location string
		why      string
		queries  int
	}{
		{"org.test", bimi.LookupOptions{OrgDomain: org}, resolve.Present, "org.test", "https://org.test/l.svg", "there is a record", 1},
		{"org.test", bimi.LookupOptions{Selector: "news"}, resolve.Present, "org.test", "https://org.test/news.svg", "", 1},
		{"org.test", bimi.LookupOptions{Selector: "none"}, resolve.Absent, "", "", "no record", 1},
		{"sub.org.test", bimi.LookupOptions{OrgDomain: org}, resolve.Present, "org.test", "https://org.test/l.svg", "", 2},
		{"sub.org.test", bimi.LookupOptions{OrgDomain: org, Selector: "news"}, resolve.Present, "org.test", "https://org.test/news.svg", "", 2},
		{"sub.org.test", bimi.LookupOptions{}, resolve.Absent, "", "", "no record", 1},
		{"off.org.test", bimi.LookupOptions{OrgDomain: org}, resolve.Present, "off.org.test", "", "declines", 1},
		{"two.org.test", bimi.LookupOptions{OrgDomain: org}, resolve.Absent, "two.org.test", "", "2 records", 1},
		{"bad.org.test", bimi.LookupOptions{OrgDomain: org}, resolve.Absent, "bad.org.test", "", "not valid", 1},
		{"junk.org.test", bimi.LookupOptions{OrgDomain: org}, resolve.Present, "org.test", "https://org.test/l.svg", "", 2},
		{"x.wild.test", bimi.LookupOptions{OrgDomain: resolve.MustName("wild.test")}, resolve.Absent, "", "", "none that starts", 2},
		// A lookup that fails is not an invitation to fall back.
		{"broken.org.test", bimi.LookupOptions{OrgDomain: org}, resolve.Unavailable, "", "", "unknown", 1},
		{"cn.test", bimi.LookupOptions{}, resolve.Present, "cn.test", "https://org.test/l.svg", "", 1},
		{"org.test", bimi.LookupOptions{Selector: "a_b"}, resolve.Absent, "", "", "can be no record", 0},
		{"org.test", bimi.LookupOptions{Selector: strings.Repeat("a.", 200)}, resolve.Absent, "", "", "can be no record", 0},
		// The prefix is matched against the local part as it is.
		{"lps.test", bimi.LookupOptions{LocalPart: "brand.a+x"}, resolve.Present, "lps.test", "", "declines", 1},
		{"lps.test", bimi.LookupOptions{LocalPart: "brand-a+x"}, resolve.Present, "lps.test", "https://lps.test/a.svg", "", 2},
		{"lps.test", bimi.LookupOptions{LocalPart: "brand-b"}, resolve.Present, "lps.test", "", "declines", 2},
		{"lps.test", bimi.LookupOptions{LocalPart: "brand-c"}, resolve.Unavailable, "", "", "unknown", 2},
		{"lps.test", bimi.LookupOptions{LocalPart: "other"}, resolve.Present, "lps.test", "", "declines", 1},
	}
	for _, c := range cases {
		d := bimi.Lookup(context.Background(), z, resolve.MustName(c.domain), c.opt)
		if d.State != c.state || c.found != "" && d.Found.String() != c.found || c.found == "" && !d.Found.IsZero() ||
			d.State == resolve.Present && d.Record.Location != c.location || !strings.Contains(d.Why, c.why) || len(d.Queries) != c.queries {
			t.Errorf("%s %+v: %s at %s, %q, %q, %d queries", c.domain, c.opt, d.State, d.Found, d.Record.Location, d.Why, len(d.Queries))
		}
	}
}

// The draft's requirements in the terms of RFC 9989.
func TestEligible(t *testing.T) {
	ok := func(p string) bimi.DMARC { return bimi.DMARC{State: resolve.Present, Policy: p} }
	absent, unknown := bimi.DMARC{State: resolve.Absent}, bimi.DMARC{}
	with := func(d bimi.DMARC, f func(*bimi.DMARC)) bimi.DMARC { f(&d); return d }
	cases := []struct {
		author, org bimi.DMARC
		state       resolve.State
		risk        bool
		tag         string
	}{
		{ok("reject"), ok("reject"), resolve.Present, false, ""},
		{ok("quarantine"), ok("quarantine"), resolve.Present, false, ""},
		{ok("QUARANTINE"), ok("reject"), resolve.Present, false, ""},
		{absent, ok("reject"), resolve.Present, false, ""},
		{ok("none"), ok("none"), resolve.Absent, false, "p"},
		{ok("reject"), ok("none"), resolve.Absent, false, "p"}, // both have to be good
		{ok("none"), ok("reject"), resolve.Absent, false, "p"},
		{ok(""), ok("reject"), resolve.Absent, false, "p"},
		{ok("rejected"), ok("reject"), resolve.Absent, false, "p"},
		{absent, absent, resolve.Absent, false, "p"},
		{unknown, ok("reject"), resolve.Unavailable, false, ""},
		{absent, unknown, resolve.Unavailable, false, ""},
		{unknown, ok("none"), resolve.Absent, false, "p"}, // proven all the same
		{with(ok("reject"), func(d *bimi.DMARC) { d.Subdomain = "none" }), ok("reject"), resolve.Absent, false, "sp"},
		{ok("reject"), with(ok("reject"), func(d *bimi.DMARC) { d.Subdomain = "none" }), resolve.Absent, false, "sp"},
		{ok("reject"), with(ok("reject"), func(d *bimi.DMARC) { d.Subdomain = "nnone" }), resolve.Absent, false, "sp"},
		{with(ok("reject"), func(d *bimi.DMARC) { d.Subdomain = "quarantine" }), ok("reject"), resolve.Present, false, ""},
		{with(ok("quarantine"), func(d *bimi.DMARC) { d.Testing = true }), ok("reject"), resolve.Absent, false, "t"},
		{with(ok("reject"), func(d *bimi.DMARC) { d.Testing = true }), ok("reject"), resolve.Present, true, "t"},
		{with(ok("quarantine"), func(d *bimi.DMARC) { d.HasPct, d.Pct = true, 50 }), ok("reject"), resolve.Absent, false, "pct"},
		{with(ok("quarantine"), func(d *bimi.DMARC) { d.HasPct, d.Pct = true, 100 }), ok("reject"), resolve.Present, false, ""},
		{with(ok("reject"), func(d *bimi.DMARC) { d.HasPct, d.Pct = true, 0 }), ok("reject"), resolve.Present, true, "pct"},
	}
	for i, c := range cases {
		e := bimi.Eligible(c.author, c.org)
		tag := ""
		risk := false
		for _, r := range e.Reasons {
			if tag == "" {
				tag = r.Field
			}
			risk = risk || r.Effect == bimi.AtRisk
		}
		if e.State != c.state || tag != c.tag || risk != c.risk || e.Why == "" {
			t.Errorf("%d: %s, %q, %v", i, e.State, e.Why, e.Reasons)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range records {
		if len(c.text) < 1000 {
			f.Add(c.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := bimi.Parse(text)
		if err == nil && (r.Location == "") != r.Declined {
			t.Errorf("%q: %+v", text, r)
		}
		if len(text) > 65535 {
			return
		}
		if r.String() != text {
			t.Fatalf("%q is printed as %q", text, r)
		}
		for _, p := range r.Problems {
			if p.Offset < 0 || p.Offset > len(text) || strings.IndexFunc(p.Message, func(c rune) bool { return c < ' ' || c > '~' }) >= 0 {
				t.Errorf("%q: offset %d, %q", text, p.Offset, p.Message)
			}
		}
		again, err2 := bimi.Parse(r.String())
		if (err == nil) != (err2 == nil) || fmt.Sprint(again.Problems) != fmt.Sprint(r.Problems) {
			t.Errorf("%q: read differently", text)
		}
	})
}
