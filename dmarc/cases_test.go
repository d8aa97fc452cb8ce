package dmarc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// cases continue the tables of TestDiscover and TestEvaluate: a discovery, or
// with a message an evaluation, each for both generations of receivers.
var cases = []struct {
	section      string // RFC 9989 unless said
	zone, domain string
	message      string // as in identifiers; empty for a discovery
	now, old     string
}{
	// The text of the record (Sections 4.5, 4.7 and 4.8).
	{"4.8", "example.com v = DMARC1 ; p = reject", "example.com", "", "example.com p p=reject", "example.com p p=reject"},
	{"4.8", "example.com v=DMARC1;p=REJECT", "example.com", "", "example.com p p=reject", "example.com p p=reject"},
	{"4.8", "example.com v=DMARC1", "example.com", "", "example.com p =none", "example.com p =none"},
	{"4.8", "example.com v=DMARC1; rua=mailto:a@example.com; p=reject", "example.com", "", "example.com p p=reject", "example.com p p=reject"},
	{"4.7", "example.com v=DMARC1; p=reject; unknown=x; junk", "example.com", "", "example.com p p=reject", "example.com p p=reject"},
	{"4.7", "example.com v=DMARC2; p=reject", "example.com", "", "none", "none"},
	{"4.7", "example.com p=reject; v=DMARC1", "example.com", "", "none", "none"},
	{"4.8", "example.com v=DMARC1; p=reject; t=maybe", "example.com", "", "example.com p p=reject", "example.com p p=reject"},
	{"4.8", "a.example.com v=DMARC1; p=reject; psd=N\nexample.com v=DMARC1; p=none", "x.a.example.com", "", "a.example.com np p=reject", "example.com sp p=none"},
	{"9.3", "example.com v=DMARC1; p=reject; pct=0", "example.com", "", "example.com p p=reject", "example.com p p=reject->quarantine"},
	{"9.3", "example.com v=DMARC1; p=reject; pct=101", "example.com", "", "example.com p p=reject", "example.com p p=reject"},
	{"4.10.1", "example.com v=DMARC1; p=; rua=mailto:a@example.com", "example.com", "", "example.com p =none", "example.com p =none"},
	{"4.10.1", "example.com v=DMARC1; p=reject; sp=; rua=nobody", "example.com", "", "ignored at example.com", "ignored at example.com"},
	{"4.10.1", "example.com v=DMARC1; p=reject; np=x", "example.com", "", "ignored at example.com", "example.com p p=reject"},

	// Test mode and fallback (Section 4.7).
	{"4.7", "example.com v=DMARC1; p=none; sp=quarantine; t=y" + exists, "shop.example.com", "", "example.com sp sp=quarantine->none", "example.com sp sp=quarantine"},
	{"4.7", "example.com v=DMARC1; p=reject; sp=none; t=y", "shop.example.com", "", "example.com np sp=none", "example.com sp sp=none"},
	{"4.7", "example.com v=DMARC1; p=reject; np=quarantine; t=n", "shop.example.com", "", "example.com np np=quarantine", "example.com sp p=reject"},
	{"4.7", "shop.example.com v=DMARC1; p=none; np=reject; psd=u\nexample.com v=DMARC1; p=reject; sp=quarantine", "x.shop.example.com", "", "example.com np sp=quarantine", "example.com sp sp=quarantine"},

	// The walk (Section 4.10), with the whole depth of names.
	{"4.10", "d.example.com v=DMARC1; p=reject\nc.d.example.com v=DMARC1; p=none\nb.c.d.example.com v=DMARC1; p=quarantine", "a.b.c.d.example.com", "", "d.example.com np p=reject", "none"},
	{"4.10", "c.d.example.com v=DMARC1; p=none; psd=n\nexample.com v=DMARC1; p=reject", "a.b.c.d.example.com", "", "c.d.example.com np p=none", "example.com sp p=reject"},
	{"4.10", "g.example.com v=DMARC1; p=reject", "a.b.c.d.e.f.g.example.com", "", "g.example.com np p=reject", "none"},
	{"4.10", "b.c.d.e.f.g.example.com v=DMARC1; p=reject", "a.b.c.d.e.f.g.example.com", "", "none", "none"},
	{"4.10", "b.c.d.e.f.example.com v=DMARC1; p=reject; psd=n", "a.b.c.d.e.f.example.com", "", "b.c.d.e.f.example.com np p=reject", "none"},
	{"4.10", "c.d.e.f.g.example.com v=DMARC1; p=reject; psd=n", "a.b.c.d.e.f.g.example.com", "", "c.d.e.f.g.example.com np p=reject", "none"},
	{"4.10", "example.co.uk v=DMARC1; p=reject", "shop.example.co.uk", "", "example.co.uk np p=reject", "example.co.uk sp p=reject"},
	{"4.10", "co.uk v=DMARC1; p=none; psd=y; np=reject\nexample.co.uk v=DMARC1; p=none", "shop.example.co.uk", "", "example.co.uk np p=none", "example.co.uk sp p=none"},
	{"4.10", "co.uk v=DMARC1; p=none; psd=y; np=reject", "shop.example.co.uk", "", "co.uk np np=reject", "none"},
	{"4.10.1", "co.uk v=DMARC1; p=quarantine; psd=y; sp=none\n@example.co.uk A 192.0.2.1", "example.co.uk", "", "co.uk sp sp=none", "none"},

	// Several records (Section 4.10, steps 2 and 6).
	{"4.10", "example.com v=DMARC1; p=none\nexample.com v=DMARC1; p=reject\nmail.example.com v=DMARC1; p=quarantine", "a.mail.example.com", "", "mail.example.com np p=quarantine", "none"},
	{"4.10", "example.com v=DMARC1; p=reject\nexample.com v=DMARC1; p=reject; x=1\nexample.com v=spf1 -all", "example.com", "", "none", "none"},
	{"4.10", "example.com v=DMARC1; p=reject\nexample.com v=DMARC12; p=none", "example.com", "", "example.com p p=reject", "example.com p p=reject"},

	// Wildcards (RFC 4592): they answer for _dmarc names too.
	{"4.10", "@*.example.com TXT \"v=DMARC1; p=reject\"", "shop.example.com", "", "shop.example.com p p=reject", "shop.example.com p p=reject"},
	{"4.10", "@*.example.com TXT \"v=DMARC1; p=reject\"\nexample.com v=DMARC1; p=none", "shop.example.com", "", "shop.example.com p p=reject", "shop.example.com p p=reject"},
	{"4.10", "@*.example.com TXT \"v=spf1 -all\"\n@*.example.com TXT \"v=DMARC1; p=none\"", "a.b.example.com", "", "a.b.example.com p p=none", "a.b.example.com p p=none"},
	{"4.10", "@*._dmarc.example.com TXT \"v=DMARC1; p=none\"", "shop.example.com", "", "none", "none"},

	// Aliases (Section 4.1).
	{"4.1", "@_dmarc.shop.example.com CNAME _dmarc.example.com.\nexample.com v=DMARC1; p=quarantine; sp=reject", "shop.example.com", "", "shop.example.com p p=quarantine", "shop.example.com p p=quarantine"},
	{"4.1", "@_dmarc.example.com CNAME a.example.net.\n@a.example.net CNAME b.example.net.\n@b.example.net CNAME a.example.net.", "shop.example.com", "", "unknown", "unknown"},
	{"4.1", "@_dmarc.example.com CNAME r.example.net.\n!! r.example.net", "example.com", "", "unknown", "unknown"},

	// Alignment (Sections 4.4 and 4.10.2).
	{"4.10.2", "example.com v=DMARC1; p=reject", "a.example.com", "from a.example.com dkim b.example.com=pass", "pass", "pass"},
	{"4.10.2", "mail.example.com v=DMARC1; p=none\nexample.com v=DMARC1; p=reject", "mail.example.com", "from mail.example.com dkim example.com=pass", "pass", "pass"},
	{"4.10.2", "mail.example.com v=DMARC1; p=reject; psd=n\nexample.com v=DMARC1; p=none", "a.mail.example.com", "from a.mail.example.com spf b.mail.example.com=pass", "pass", "pass"},
	{"4.10.2", "mail.example.com v=DMARC1; p=reject; psd=n\nexample.com v=DMARC1; p=none", "a.mail.example.com", "from a.mail.example.com spf example.com=pass", "fail reject", "pass"},
	{"4.10.2", "com v=DMARC1; p=reject; psd=y", "example.com", "from example.com dkim a.example.com=pass", "pass", "none"},
	{"4.10.2", "com v=DMARC1; p=reject; psd=y", "example.com", "from example.com dkim other.com=pass", "fail reject", "none"},
	{"4.10.2", "example.co.uk v=DMARC1; p=reject", "example.co.uk", "from example.co.uk dkim other.co.uk=pass", "fail reject", "fail reject"},
	{"4.4.1", "example.com v=DMARC1; p=reject; adkim=s; sp=quarantine" + exists, "shop.example.com", "from shop.example.com dkim example.com=pass", "fail quarantine", "fail quarantine"},
	{"4.4.1", "example.com v=DMARC1; p=reject; adkim=s" + exists, "shop.example.com", "from shop.example.com dkim shop.example.com=pass", "pass", "pass"},
	{"5.3.5", "example.com v=DMARC1; p=reject", "example.com", "from example.com dkim a.example.com=fail dkim b.example.com=pass dkim c.example.net=pass", "pass", "pass"},
	{"5.3.5", "example.com v=DMARC1; p=reject; pct=0; t=y", "example.com", "from example.com", "fail quarantine", "fail quarantine"},
	{"5.3.6", "example.com v=DMARC1; p=reject", "example.com", "from example.com dkim example.com=temperror spf example.com=fail", "temperror", "temperror"},
	{"5.3.6", "example.com v=DMARC1; p=none; np=reject\n!! shop.example.com", "shop.example.com", "from shop.example.com spf example.net=pass", "temperror", "fail none"},
	{"4.10.1", "example.com v=DMARC1; p=reject; np=none", "nx.example.com", "from nx.example.com", "fail none", "fail reject"},
	{"4.10", "@*.example.com TXT \"v=DMARC1; p=reject\"", "shop.example.com", "from shop.example.com spf example.com=pass", "pass", "pass"},
}

func TestCases(t *testing.T) {
	for i, tt := range cases {
		t.Run(fmt.Sprintf("%d", i), func(t *testing.T) {
			var rec recorder
			z := zone(tt.zone)
			d := Discover(t.Context(), rec.around(z), resolve.MustName(tt.domain), Options{})
			checkDiscovery(t, d, rec.names)
			now, old := summary(d.Policy), summary(d.Legacy)
			if tt.message != "" {
				e := Evaluate(t.Context(), z, identifiers(tt.message), d)
				now, old = outcome(e.Now), outcome(e.Legacy)
			}
			if now != tt.now || old != tt.old {
				t.Errorf("%s: %s %s (Section %s)\n got %s and %s\nwant %s and %s\n%s; %s", tt.zone, tt.domain, tt.message, tt.section, now, old, tt.now, tt.old, d.Policy.Why, d.Legacy.Why)
			}
		})
	}
}

// outcome is "pass", "fail reject" and so on.
func outcome(v Verdict) string {
	s := string(v.Result)
	if v.Result == ResultFail {
		s += " " + string(v.Disposition)
	}
	return s
}

// TestHostileNames: 255 octets on the wire, 127 labels, and with every kind of
// answer; the number of queries stays bounded and nothing unknown becomes absent.
func TestHostileNames(t *testing.T) {
	names := map[string]string{
		"255 octets":         strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("b", 61),
		"127 labels":         strings.Repeat("a.", 126) + "a",
		"room for no _dmarc": strings.Repeat(strings.Repeat("c", 63)+".", 3) + strings.Repeat("d", 56),
		"one label":          "com",
		"odd octets":         `a\000b.example.com`,
	}
	answers := map[string]resolve.Func{
		"wildcard": func(_ context.Context, q resolve.Question) (resolve.Answer, error) {
			return resolve.Answer{Question: q, Records: []resolve.Record{{Name: q.Name, Type: resolve.TypeTXT, Data: resolve.SplitTXT("v=DMARC1; p=reject")}}}, nil
		},
		"loop": func(_ context.Context, q resolve.Question) (resolve.Answer, error) {
			return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrAliasLoop, Question: q}
		},
		"timeout": func(_ context.Context, q resolve.Question) (resolve.Answer, error) {
			return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrTimeout, Question: q}
		},
		"nothing": func(_ context.Context, q resolve.Question) (resolve.Answer, error) {
			return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrNXDomain, Question: q}
		},
	}
	for what, text := range names {
		n, err := resolve.NameFromMaster(text)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for how, r := range answers {
			var rec recorder
			d := Discover(t.Context(), rec.around(r), n, Options{Denial: true})
			if len(rec.names) > MaxQueries+3 || len(d.Steps) > MaxQueries {
				t.Errorf("%s, %s: %d queries, %d steps", what, how, len(rec.names), len(d.Steps))
			}
			want := map[string]resolve.State{"wildcard": resolve.Present, "nothing": resolve.Absent}[how]
			if d.Policy.State != want {
				t.Errorf("%s, %s: policy is %s, want %s: %s", what, how, d.Policy.State, want, d.Policy.Why)
			}
			ids := Identifiers{From: []resolve.Name{n}, SPF: Identifier{n.Parent(), "pass"}, DKIM: []Identifier{{n, "pass"}, {resolve.MustName("example.net"), "pass"}}}
			e := Evaluate(t.Context(), r, ids, d)
			if got := e.Now.Result; (want == resolve.Unavailable) != (got == ResultTempError) || (want == resolve.Absent) != (got == ResultNone) {
				t.Errorf("%s, %s: %s: %s", what, how, got, e.Now.Why)
			}
			CheckDestinations(t.Context(), r, d)
		}
	}
}

// TestEvaluateFailureAtEachStep: RFC 9989, Section 5.3.6. A failed query on the
// way up is no excuse to fail a message that could be aligned, and no obstacle
// to one that is aligned without it.
func TestEvaluateFailureAtEachStep(t *testing.T) {
	author := resolve.MustName("a.b.c.d.example.com")
	for i, at := range walkDomains(author) {
		for _, own := range []bool{false, true} {
			lines := "example.com v=DMARC1; p=reject\n"
			if own {
				lines += "a.b.c.d.example.com v=DMARC1; p=reject\n"
			}
			z := zone(lines)
			z.Inject(resolve.MustName("_dmarc."+at.String()), 0, zonetest.Fault{RCode: resolve.ServFail})
			d := Discover(t.Context(), z, author, Options{})
			for message, want := range map[string]Result{
				"from a.b.c.d.example.com dkim a.b.c.d.example.com=pass": ResultPass,
				"from a.b.c.d.example.com dkim x.example.com=pass":       ResultTempError,
				"from a.b.c.d.example.com dkim example.net=pass":         ResultFail,
			} {
				if !own || i == 0 {
					want = ResultTempError // the policy itself is unknown
				}
				e := Evaluate(t.Context(), z, identifiers(message), d)
				if e.Now.Result != want || want != ResultFail && e.Now.Disposition != None {
					t.Errorf("failure at %s, own record %t, %s: %s %s, want %s: %s", at, own, message, e.Now.Result, e.Now.Disposition, want, e.Now.Why)
				}
			}
			if own && i > 0 && !errors.Is(d.Organizational.Err, resolve.ErrTemporary) {
				t.Errorf("failure at %s: the organizational domain is %s, %v", at, d.Organizational.Domain, d.Organizational.Err)
			}
		}
	}
}

// TestCaseCount keeps the tables from shrinking.
func TestCaseCount(t *testing.T) {
	sections := map[string]bool{}
	for _, c := range discoveries {
		sections[c.section] = true
	}
	for _, c := range cases {
		sections[c.section] = true
	}
	delete(sections, "")
	if n := len(discoveries) + len(cases); n < 118 || len(sections) < 10 {
		t.Errorf("%d cases citing %d sections", n, len(sections))
	}
}
