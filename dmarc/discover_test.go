package dmarc

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// zone turns lines "name text" into TXT records at _dmarc below the name; "@"
// in front of the name means the name itself, and lines with a type are taken as
// they are. A line "! name" makes _dmarc below the name fail.
func zone(lines string) *zonetest.Zone {
	var text strings.Builder
	var fail []string
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		name, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "":
		case name == "!":
			fail = append(fail, "_dmarc."+rest)
		case name == "!!":
			fail = append(fail, rest)
		case strings.HasPrefix(name, "@"):
			fmt.Fprintf(&text, "%s. 3600 IN %s\n", name[1:], rest)
		default:
			fmt.Fprintf(&text, "_dmarc.%s. 3600 IN TXT %s\n", name, resolve.SplitTXT(rest))
		}
	}
	z := zonetest.MustParse(text.String())
	for _, f := range fail {
		z.Inject(resolve.MustName(f), 0, zonetest.Fault{RCode: resolve.ServFail})
	}
	return z
}

// record notes the names asked for.
type recorder struct {
	mu    sync.Mutex
	names []string
}

func (r *recorder) around(next resolve.Resolver) resolve.Resolver {
	return resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		r.mu.Lock()
		r.names = append(r.names, q.Name.String()+" "+q.Type.String())
		r.mu.Unlock()
		return next.Resolve(ctx, q)
	})
}

func TestWalkDomains(t *testing.T) {
	// RFC 9989, Section 4.10.
	tests := []struct{ start, want string }{
		{"a.b.c.d.e.f.g.h.i.j.mail.example.com", "a.b.c.d.e.f.g.h.i.j.mail.example.com g.h.i.j.mail.example.com h.i.j.mail.example.com i.j.mail.example.com j.mail.example.com mail.example.com example.com com"},
		{"mail.a.b.c.d.e.f.g.example.com", "mail.a.b.c.d.e.f.g.example.com c.d.e.f.g.example.com d.e.f.g.example.com e.f.g.example.com f.g.example.com g.example.com example.com com"},
		{"a.b.c.d.e.f.example.com", "a.b.c.d.e.f.example.com b.c.d.e.f.example.com c.d.e.f.example.com d.e.f.example.com e.f.example.com f.example.com example.com com"},
		{"a.b.c.d.e.f.g.example.com", "a.b.c.d.e.f.g.example.com c.d.e.f.g.example.com d.e.f.g.example.com e.f.g.example.com f.g.example.com g.example.com example.com com"},
		{"a.mail.example.com", "a.mail.example.com mail.example.com example.com com"},
		{"com", "com"},
		{strings.Repeat("a.", 126) + "a", strings.Repeat("a.", 126) + "a a.a.a.a.a.a.a a.a.a.a.a.a a.a.a.a.a a.a.a.a a.a.a a.a a"},
	}
	for _, tt := range tests {
		var got []string
		for _, d := range walkDomains(resolve.MustName(tt.start)) {
			got = append(got, d.String())
		}
		if s := strings.Join(got, " "); s != tt.want || len(got) > MaxQueries {
			t.Errorf("%s:\n got %s\nwant %s", tt.start, s, tt.want)
		}
	}
}

func TestWalkStops(t *testing.T) {
	// A psd=n deeper than seven labels is never seen by longer names (Section 5.1.8).
	z := zone("b.c.d.e.f.g.example.com v=DMARC1; p=reject; psd=n\nexample.com v=DMARC1; p=none")
	o := OrganizationalDomain(t.Context(), z, resolve.MustName("mail.a.b.c.d.e.f.g.example.com"))
	if o.Domain.String() != "example.com" || len(o.Steps) != 8 {
		t.Errorf("got %s after %d steps", o.Domain, len(o.Steps))
	}
	for _, psd := range []string{"y", "n"} {
		z := zone("example.com v=DMARC1; p=none; psd=" + psd + "\ncom v=DMARC1; p=none")
		o := OrganizationalDomain(t.Context(), z, resolve.MustName("a.example.com"))
		if len(o.Steps) != 2 || !o.Steps[1].Stops || o.Steps[0].Stops {
			t.Errorf("psd=%s: %d steps", psd, len(o.Steps))
		}
	}
}

func TestOrganizationalDomain(t *testing.T) {
	// RFC 9989, Section 4.10.2, and Appendix B.4.
	tests := []struct{ zone, name, want string }{
		{"", "a.mail.example.com", "a.mail.example.com"},
		{"mail.example.com v=DMARC1; p=none\nexample.com v=DMARC1; p=none", "a.mail.example.com", "example.com"},
		{"mail.example.com v=DMARC1; p=none; psd=n\nexample.com v=DMARC1; p=none", "a.mail.example.com", "mail.example.com"},
		{"com v=DMARC1; p=none; psd=y", "a.mail.example.com", "example.com"},
		{"com v=DMARC1; p=none", "a.mail.example.com", "com"},
		{"com v=DMARC1; p=none\nexample.com v=DMARC1; p=none; psd=n", "a.mail.example.com", "example.com"},
		{"com v=DMARC1; p=none; psd=y\nexample.com v=DMARC1; p=none; psd=u", "example.com", "example.com"},
		{"bank.example v=DMARC1; p=none; psd=y\ngiant.bank.example v=DMARC1; p=none", "giant.bank.example", "giant.bank.example"},
		{"bank.example v=DMARC1; p=none; psd=y\ngiant.bank.example v=DMARC1; p=none", "mail.giant.bank.example", "giant.bank.example"},
		{"bank.example v=DMARC1; p=none; psd=y\ngiant.bank.example v=DMARC1; p=none", "mail.mega.bank.example", "mega.bank.example"},
		{"bank v=DMARC1; p=none; psd=y", "bank", "bank"},
		{"bank v=DMARC1; p=none; psd=y", "a.bank", "a.bank"},
		{"bank v=DMARC1; p=none; psd=y", "b.a.bank", "a.bank"},
		{"example.com v=DMARC1; p=none; psd=y", "example.com", "example.com"},
		{"example.com v=DMARC1; p=none; psd=y", "a.b.c.d.e.f.g.h.i.example.com", "i.example.com"},
		{"b.c.d.e.f.g.h v=DMARC1; p=none; psd=y", "x.a.b.c.d.e.f.g.h", "a.b.c.d.e.f.g.h"},
		{"b.c.d.e.f.g.h v=DMARC1; p=none; psd=y", "x.y.a.b.c.d.e.f.g.h", "a.b.c.d.e.f.g.h"},
		{"example.com v=DMARC1; p=none\nexample.com v=DMARC1; p=reject", "a.example.com", "a.example.com"},
		{"example.com v=DMARC1; p=none\nexample.com v=DMARC1; p=reject\na.example.com v=DMARC1; p=none", "a.example.com", "a.example.com"},
		{"a.example.com v=DMARC1; p=none; psd=n\nexample.com v=DMARC1; p=none; psd=y", "a.example.com", "a.example.com"},
		{"example.com v=spf1 -all", "a.example.com", "a.example.com"},
		{"example.com v=dmarc1; p=none", "a.example.com", "a.example.com"},
		{"example.com v=DMARC1; p=bogus", "a.example.com", "example.com"},
		{"example.com v=DMARC1; p=none; psd=maybe\ncom v=DMARC1; p=none", "a.example.com", "com"},
		{"! com\nexample.com v=DMARC1; p=none", "a.example.com", "unavailable"},
		{"! com\nexample.com v=DMARC1; p=none; psd=n", "a.example.com", "example.com"},
		{"! a.example.com\nexample.com v=DMARC1; p=none; psd=n", "a.example.com", "unavailable"},
	}
	for _, tt := range tests {
		o := OrganizationalDomain(t.Context(), zone(tt.zone), resolve.MustName(tt.name))
		got := o.Domain.String()
		if o.State != resolve.Present {
			got = o.State.String()
		}
		if got != tt.want {
			t.Errorf("%q: %s has %s (%s), want %s", tt.zone, tt.name, got, o.Why, tt.want)
		}
		if (o.State == resolve.Unavailable) != (o.Err != nil) || o.Why == "" {
			t.Errorf("%q: state %s, error %v, words %q", tt.zone, o.State, o.Err, o.Why)
		}
	}
}

// summary is "domain tag=value->effective", "none", "ignored at domain" or "unknown".
func summary(a Applied) string {
	switch {
	case a.State == resolve.Unavailable:
		return "unknown"
	case a.State == resolve.Absent && a.Domain.IsZero():
		return "none"
	case a.State == resolve.Absent:
		return "ignored at " + a.Domain.String()
	}
	s := fmt.Sprintf("%s %s %s=%s", a.Domain, a.Tag, a.Source, a.Value)
	if a.Effective != a.Value {
		s += "->" + string(a.Effective)
	}
	if a.Percent != 100 {
		s += fmt.Sprintf(" %d%%", a.Percent)
	}
	return s
}

// Name that exists in the zones below.
const exists = "\n@shop.example.com A 192.0.2.1"

var discoveries = []struct {
	section      string // RFC 9989
	zone, domain string
	now, old     string
}{
	// The domain's own record.
	{"4.10.1", "example.com v=DMARC1; p=reject; sp=none; np=none", "example.com", "example.com p p=reject", "example.com p p=reject"},
	{"4.10.1", "shop.example.com v=DMARC1; p=none\nexample.com v=DMARC1; p=reject", "shop.example.com", "shop.example.com p p=none", "shop.example.com p p=none"},
	{"4.7", "shop.example.com v=DMARC1; p=none; sp=reject\nexample.com v=DMARC1; p=reject", "shop.example.com", "shop.example.com p p=none", "shop.example.com p p=none"},
	{"4.7", "example.com v=DMARC1; p=reject; t=y", "example.com", "example.com p p=reject->quarantine", "example.com p p=reject"},
	{"4.7", "example.com v=DMARC1; p=quarantine; t=y", "example.com", "example.com p p=quarantine->none", "example.com p p=quarantine"},
	{"App. A.6", "example.com v=DMARC1; p=quarantine; pct=20", "example.com", "example.com p p=quarantine", "example.com p p=quarantine 20%"},
	{"4.10", "com v=DMARC1; p=reject", "com", "com p p=reject", "com p p=reject"},
	{"4.10.1", "", "example.com", "none", "none"},
	{"4.10.1", "example.com v=dmarc1; p=reject", "example.com", "none", "none"},
	{"4.10.1", "example.com v=spf1 -all", "example.com", "none", "none"},
	{"4.10.1", "example.com v=spf1 -all\nexample.com v=DMARC1; p=reject\nexample.com token", "example.com", "example.com p p=reject", "example.com p p=reject"},
	{"4.10.1", "example.com v=DMARC1; p=nonee; rua=mailto:a@example.com", "example.com", "example.com p =none", "example.com p =none"},
	{"4.10.1", "example.com v=DMARC1; p=nonee", "example.com", "ignored at example.com", "ignored at example.com"},
	{"4.10.1", "shop.example.com v=DMARC1; p=nonee\nexample.com v=DMARC1; p=reject", "shop.example.com", "ignored at shop.example.com", "ignored at shop.example.com"},
	{"4.7", "example.com v=DMARC1; sp=reject", "example.com", "example.com p =none", "example.com p =none"},

	// Inherited.
	{"4.10.1", "example.com v=DMARC1; p=reject" + exists, "shop.example.com", "example.com sp p=reject", "example.com sp p=reject"},
	{"4.10.1", "example.com v=DMARC1; p=reject; sp=quarantine; np=none" + exists, "shop.example.com", "example.com sp sp=quarantine", "example.com sp sp=quarantine"},
	{"4.10.1", "example.com v=DMARC1; p=reject; sp=quarantine; np=none", "shop.example.com", "example.com np np=none", "example.com sp sp=quarantine"},
	{"4.7", "example.com v=DMARC1; p=reject; sp=quarantine", "shop.example.com", "example.com np sp=quarantine", "example.com sp sp=quarantine"},
	{"4.7", "example.com v=DMARC1; p=reject", "shop.example.com", "example.com np p=reject", "example.com sp p=reject"},
	{"4.7", "example.com v=DMARC1; p=none; np=reject", "shop.example.com", "example.com np np=reject", "example.com sp p=none"},
	{"4.7", "example.com v=DMARC1; p=none; np=reject; t=y", "shop.example.com", "example.com np np=reject->quarantine", "example.com sp p=none"},
	{"4.10.1", "mail.example.com v=DMARC1; p=reject\nexample.com v=DMARC1; p=none", "a.mail.example.com", "example.com np p=none", "example.com sp p=none"},
	{"4.10.1", "mail.example.com v=DMARC1; p=reject; psd=n\nexample.com v=DMARC1; p=none", "a.mail.example.com", "mail.example.com np p=reject", "example.com sp p=none"},
	{"4.10.1", "mail.example.com v=DMARC1; p=reject", "a.mail.example.com", "mail.example.com np p=reject", "none"},
	{"4.10.1", "example.com v=DMARC1; p=reject; sp=rejct; rua=mailto:a@example.com" + exists, "shop.example.com", "example.com sp =none", "example.com sp =none"},
	{"4.10.1", "example.com v=DMARC1; p=reject; np=rejct; rua=mailto:a@example.com" + exists, "shop.example.com", "example.com sp =none", "example.com sp p=reject"},
	{"4.10.1", "example.com v=DMARC1; p=reject; np=rejct" + exists, "shop.example.com", "ignored at example.com", "example.com sp p=reject"},

	// Several records.
	{"4.10", "example.com v=DMARC1; p=reject\nexample.com v=DMARC1; p=none", "example.com", "none", "none"},
	{"4.10", "shop.example.com v=DMARC1; p=none\nshop.example.com v=DMARC1; p=reject\nexample.com v=DMARC1; p=none; sp=reject", "shop.example.com", "example.com sp sp=reject", "none"},
	{"4.10", "shop.example.com v=DMARC1; p=none\nshop.example.com v=DMARC1; p=reject; psd=n\nexample.com v=DMARC1; p=none; sp=reject", "shop.example.com", "example.com sp sp=reject", "none"},
	{"4.10", "example.com v=DMARC1; p=none\nexample.com v=DMARC1; p=reject\ncom v=DMARC1; p=none; psd=y; sp=quarantine", "example.com", "com sp sp=quarantine", "none"},
	{"4.10", "shop.example.com v=dmarc1; p=none\nexample.com v=DMARC1; p=quarantine", "shop.example.com", "example.com sp p=quarantine", "example.com sp p=quarantine"},

	// Public suffix domains.
	{"4.10.1", "com v=DMARC1; p=reject; psd=y", "shop.example.com", "com np p=reject", "none"},
	{"4.10.1", "com v=DMARC1; p=reject; psd=y; sp=none; np=quarantine", "example.com", "com np np=quarantine", "none"},
	{"4.10.1", "com v=DMARC1; p=reject; psd=y\nexample.com v=DMARC1; p=none" + exists, "shop.example.com", "example.com sp p=none", "example.com sp p=none"},
	{"4.10.1", "com v=DMARC1; p=reject; psd=y\nmail.example.com v=DMARC1; p=none", "a.mail.example.com", "com np p=reject", "none"},
	{"4.10.2", "com v=DMARC1; p=reject" + exists, "shop.example.com", "com sp p=reject", "none"},
	{"4.10.2", "com v=DMARC1; p=reject\nexample.com v=DMARC1; p=none" + exists, "shop.example.com", "com sp p=reject", "example.com sp p=none"},
	{"11.8", "com v=DMARC1; p=reject\nexample.com v=DMARC1; p=none; psd=n" + exists, "shop.example.com", "example.com sp p=none", "example.com sp p=none"},
	{"4.10.1", "bank v=DMARC1; p=quarantine; psd=y", "a.bank", "bank np p=quarantine", "none"},

	// Long names.
	{"4.10", "example.com v=DMARC1; p=reject", "a.b.c.d.e.f.g.h.i.j.mail.example.com", "example.com np p=reject", "example.com sp p=reject"},
	{"5.1.8", "b.c.d.e.f.g.example.com v=DMARC1; p=reject; psd=n", "mail.a.b.c.d.e.f.g.example.com", "none", "none"},
	{"4.10", "mail.a.b.c.d.e.f.g.example.com v=DMARC1; p=reject", "mail.a.b.c.d.e.f.g.example.com", "mail.a.b.c.d.e.f.g.example.com p p=reject", "mail.a.b.c.d.e.f.g.example.com p p=reject"},
	{"4.10", "a.b.c.d.e.f.g.h.i.j.k.example.com v=DMARC1; p=reject\nb.c.d.e.f.g.h.i.j.k.example.com v=DMARC1; p=none", "a.b.c.d.e.f.g.h.i.j.k.example.com", "a.b.c.d.e.f.g.h.i.j.k.example.com p p=reject", "a.b.c.d.e.f.g.h.i.j.k.example.com p p=reject"},

	// Existence.
	{"3.2.13", "example.com v=DMARC1; p=none; np=reject\n@shop.example.com MX 0 .", "shop.example.com", "example.com sp p=none", "example.com sp p=none"},
	{"3.2.13", "example.com v=DMARC1; p=none; np=reject\n@x.shop.example.com A 192.0.2.1", "shop.example.com", "example.com sp p=none", "example.com sp p=none"},
	{"3.2.13", "example.com v=DMARC1; p=none; np=reject\n@*.example.com A 192.0.2.1", "shop.example.com", "example.com sp p=none", "example.com sp p=none"},
	{"3.2.13", "example.com v=DMARC1; p=none; np=reject\nshop.example.com v=spf1 -all", "shop.example.com", "example.com sp p=none", "example.com sp p=none"},
	{"3.2.13", "example.com v=DMARC1; p=none; np=reject\n@_dmarc.shop.example.com CNAME gone.example.net.", "shop.example.com", "example.com sp p=none", "example.com sp p=none"},
	{"3.2.13", "!! shop.example.com\nexample.com v=DMARC1; p=none; np=reject", "shop.example.com", "unknown", "example.com sp p=none"},
	{"3.2.13", "!! shop.example.com\nexample.com v=DMARC1; p=reject; sp=none; np=none", "shop.example.com", "example.com sp sp=none", "example.com sp sp=none"},

	// Aliases and wildcards.
	{"4.1", "@_dmarc.example.com CNAME r.vendor.example.\n@r.vendor.example TXT \"v=DMARC1; p=reject\"", "example.com", "example.com p p=reject", "example.com p p=reject"},
	{"4.1", "@_dmarc.example.com CNAME r.vendor.example.", "example.com", "none", "none"},
	{"4.1", "@_dmarc.example.com CNAME _dmarc.example.com.", "example.com", "unknown", "unknown"},
	{"4.10", "@*.example.com TXT \"v=spf1 -all\"\nexample.com v=DMARC1; p=reject", "shop.example.com", "example.com sp p=reject", "example.com sp p=reject"},
	{"4.5", "@_dmarc.example.com TXT \"v=DMA\" \"RC1; p=rej\" \"ect\"", "example.com", "example.com p p=reject", "example.com p p=reject"},
	{"4.5", "@_dmarc.example.com TXT \"v=DMARC1; p=none; rua=mailto:a@x.example\" \"; sp=reject\"", "example.com", "example.com p p=none", "example.com p p=none"},

	// A failure is not an absence, at any step, unless the question is settled.
	{"4.10.1", "! example.com", "example.com", "unknown", "unknown"},
	{"4.10.1", "! com\nexample.com v=DMARC1; p=reject", "example.com", "example.com p p=reject", "example.com p p=reject"},
	{"4.10.1", "! example.com\ncom v=DMARC1; p=reject; psd=y", "example.com", "unknown", "unknown"},
	{"4.10.1", "! com\nexample.com v=DMARC1; p=reject" + exists, "shop.example.com", "unknown", "example.com sp p=reject"},
	{"4.10.1", "! example.com\ncom v=DMARC1; p=reject" + exists, "shop.example.com", "unknown", "unknown"},
	{"4.10.1", "! shop.example.com\nexample.com v=DMARC1; p=reject", "shop.example.com", "unknown", "unknown"},
	{"4.10.1", "! com\nexample.com v=DMARC1; p=reject; psd=n" + exists, "shop.example.com", "example.com sp p=reject", "example.com sp p=reject"},
	{"4.10.1", "! com", "example.com", "unknown", "none"},
}

func TestDiscover(t *testing.T) {
	for i, tt := range discoveries {
		t.Run(fmt.Sprintf("%d", i), func(t *testing.T) {
			var rec recorder
			d := Discover(t.Context(), rec.around(zone(tt.zone)), resolve.MustName(tt.domain), Options{})
			if got := summary(d.Policy); got != tt.now {
				t.Errorf("%s: %s (Section %s)\n got %s: %s\nwant %s", tt.zone, tt.domain, tt.section, got, d.Policy.Why, tt.now)
			}
			if got := summary(d.Legacy); got != tt.old {
				t.Errorf("%s: %s (RFC 7489)\n got %s: %s\nwant %s", tt.zone, tt.domain, got, d.Legacy.Why, tt.old)
			}
			checkDiscovery(t, d, rec.names)
		})
	}
}

// checkDiscovery holds for every discovery.
func checkDiscovery(t *testing.T, d Discovery, asked []string) {
	t.Helper()
	if len(asked) > MaxQueries+2 {
		t.Errorf("%d queries: %q", len(asked), asked)
	}
	slices.Sort(asked)
	if n := len(asked); len(slices.Compact(asked)) != n {
		t.Errorf("a question was asked twice: %q", asked)
	}
	chosen := 0
	for _, s := range d.Steps {
		if s.Note == "" || (s.State != resolve.Present) != (s.Err != nil) {
			t.Errorf("step %s: note %q, state %s, error %v", s.Domain, s.Note, s.State, s.Err)
		}
		if s.Chosen {
			chosen++
			if s.Domain != d.Policy.Domain || !s.Usable {
				t.Errorf("chose %s, but the policy is of %s", s.Domain, d.Policy.Domain)
			}
		}
	}
	if chosen > 1 || (d.Policy.State == resolve.Present) && chosen == 0 {
		t.Errorf("%d steps are chosen", chosen)
	}
	for _, a := range []Applied{d.Policy, d.Legacy} {
		if a.Why == "" || (a.State == resolve.Unavailable) != (a.Err != nil) {
			t.Errorf("state %s, error %v, words %q", a.State, a.Err, a.Why)
		}
		if a.State == resolve.Present && (a.Value == "" || a.Effective == "" || a.Tag == "") {
			t.Errorf("incomplete: %+v", a)
		}
	}
}

func TestDiscoverFailureAtEachStep(t *testing.T) {
	// RFC 9989, Section 4.10.1: a failed query leaves the policy open, wherever
	// in the walk it is.
	domain := resolve.MustName("a.b.c.d.e.f.g.h.i.example.com")
	for i, at := range walkDomains(domain) {
		z := zone("example.com v=DMARC1; p=reject")
		q := resolve.MustName("_dmarc." + at.String())
		for _, f := range []zonetest.Fault{{RCode: resolve.ServFail}, {RCode: resolve.Refused}, {Timeout: true}, {Malformed: true}, {Drop: true}} {
			z.Inject(q, 0, f)
			d := Discover(t.Context(), z, domain, Options{})
			if d.Policy.State != resolve.Unavailable || d.Organizational.State != resolve.Unavailable || d.Policy.Err == nil {
				t.Errorf("failure %+v at step %d: policy %s, organizational domain %s", f, i, d.Policy.State, d.Organizational.State)
			}
		}
		// With a record of its own, the failure above matters to alignment only.
		z = z.Replace(resolve.MustName("_dmarc."+domain.String()), resolve.TypeTXT, []resolve.Record{{Data: resolve.SplitTXT("v=DMARC1; p=none")}})
		d := Discover(t.Context(), z, domain, Options{})
		if want := i > 0; (d.Policy.State == resolve.Present) != want || d.Organizational.State != resolve.Unavailable {
			t.Errorf("own record and failure at step %d: policy %s, organizational domain %s", i, d.Policy.State, d.Organizational.State)
		}
	}
}

func TestDiscoverOptions(t *testing.T) {
	z := zone("example.com v=DMARC1; p=none; sp=quarantine; np=reject")
	n := resolve.MustName("shop.example.com")
	for state, want := range map[resolve.State]Policy{resolve.Present: Quarantine, resolve.Absent: Reject, resolve.Unavailable: Reject} {
		var rec recorder
		d := Discover(t.Context(), rec.around(z), n, Options{Exists: state})
		if d.Policy.Effective != want {
			t.Errorf("%s: got %s, want %s", state, d.Policy.Effective, want)
		}
		if asked := slices.Contains(rec.names, "shop.example.com TXT"); asked != (state == resolve.Unavailable) {
			t.Errorf("%s: asked for the domain itself: %t", state, asked)
		}
	}
	z = zone("example.com v=DMARC1; p=none; np=reject\n@shop.example.com NSEC shop.example.com. RRSIG NSEC TYPE128")
	d := Discover(t.Context(), z, n, Options{Denial: true})
	if !d.CompactDenial || d.Exists != resolve.Present || d.Policy.Tag != "sp" {
		t.Errorf("compact denial: %t, exists %s, %s", d.CompactDenial, d.Exists, d.Policy.Tag)
	}
}

func TestDiscoverEconomy(t *testing.T) {
	// The domain itself is asked only if its existence matters and is not clear.
	const rec = "example.com v=DMARC1; p=none; np=reject\n"
	for lines, want := range map[string]int{
		rec: 4,
		rec + "@x._dmarc.shop.example.com A 192.0.2.1":           3,
		rec + "@_dmarc.shop.example.com CNAME gone.example.net.": 3,
		rec + "shop.example.com v=DMARC1; p=none":                3,
		rec + "! shop.example.com":                               3,
	} {
		var r recorder
		Discover(t.Context(), r.around(zone(lines)), resolve.MustName("shop.example.com"), Options{})
		if len(r.names) != want {
			t.Errorf("%q: asked %q", lines, r.names)
		}
	}
}

func TestDiscoverNoDomain(t *testing.T) {
	for _, n := range []resolve.Name{{}, resolve.Root} {
		d := Discover(t.Context(), resolve.Offline, n, Options{})
		if d.Policy.State != resolve.Unavailable || d.Policy.Err == nil || d.Legacy.Err == nil || d.Organizational.Err == nil {
			t.Errorf("got %+v", d.Policy)
		}
	}
	if o := OrganizationalDomain(t.Context(), resolve.Offline, resolve.Root); o.Err == nil {
		t.Error("the root has an organizational domain")
	}
}

func TestDiscoverHostile(t *testing.T) {
	long := strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("b", 61)
	deep := strings.Repeat("a.", 126) + "a"
	for _, s := range []string{long, deep} {
		var rec recorder
		d := Discover(t.Context(), rec.around(zone("")), resolve.MustName(s), Options{})
		if summary(d.Policy) != "none" || len(rec.names) > MaxQueries+2 {
			t.Errorf("%.20s: %s after %d queries", s, summary(d.Policy), len(rec.names))
		}
	}
	var many []resolve.Record
	for i := range 5000 {
		many = append(many, resolve.Record{Type: resolve.TypeTXT, Data: resolve.SplitTXT(fmt.Sprintf("v=DMARC1; p=none; x=%d", i))})
	}
	flood := resolve.Func(func(_ context.Context, q resolve.Question) (resolve.Answer, error) {
		return resolve.Answer{Question: q, Records: many}, nil
	})
	d := Discover(t.Context(), flood, resolve.MustName("example.com"), Options{})
	if summary(d.Policy) != "none" || len(d.Steps[0].Several) > maxKept {
		t.Errorf("%s with %d records", summary(d.Policy), len(d.Steps[0].Several))
	}
}

func TestDiscoverSteps(t *testing.T) {
	z := zone("shop.example.com v=DMARC1; p=none\nshop.example.com v=DMARC1; p=reject\nshop.example.com v=spf1 -all\n" +
		"example.com v=DMARC1; p=none; psd=n\n@_dmarc.x.shop.example.com CNAME nowhere.example.")
	d := Discover(t.Context(), z, resolve.MustName("x.shop.example.com"), Options{})
	var got []string
	for _, s := range d.Steps {
		got = append(got, fmt.Sprintf("%s: %s, %d several, %d misses, %t %t", s.Domain, s.Note, len(s.Several), len(s.Misses), s.Stops, s.Chosen))
	}
	want := []string{
		"x.shop.example.com: no record (alias of nowhere.example), 0 several, 0 misses, false false",
		"shop.example.com: 2 records, so all are discarded, 2 several, 1 misses, false false",
		"example.com: a record; psd=n ends the walk, 0 several, 0 misses, true true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if d.Steps[1].Misses[0].Class != ClassSPF {
		t.Errorf("got %s", d.Steps[1].Misses[0].Class)
	}
}

func TestDifferences(t *testing.T) {
	tests := []struct {
		zone, domain string
		want         []string
	}{
		{"example.com v=DMARC1; p=reject", "example.com", nil},
		{"", "example.com", nil},
		{"", "shop.example.com", nil},
		{"example.com v=DMARC1; p=quarantine; pct=20", "example.com", []string{"share"}},
		{"example.com v=DMARC1; p=reject; t=y", "example.com", []string{"policy", "subdomains"}},
		{"example.com v=DMARC1; p=reject; t=y; pct=0", "example.com", nil},
		{"example.com v=DMARC1; p=reject; pct=0", "example.com", []string{"policy", "subdomains"}},
		{"example.com v=DMARC1; p=reject; np=none", "example.com", []string{"subdomains"}},
		{"example.com v=DMARC1; p=reject; np=bogus", "example.com", []string{"record", "policy"}},
		{"shop.example.com v=DMARC1; p=none; psd=n", "shop.example.com", []string{"organizational domain"}},
		{"com v=DMARC1; p=reject; psd=y", "example.com", []string{"record", "policy"}},
		{"com v=DMARC1; p=reject\nexample.com v=DMARC1; p=reject", "example.com", []string{"organizational domain"}},
		{"! example.com", "example.com", nil},
	}
	for _, tt := range tests {
		d := Discover(t.Context(), zone(tt.zone), resolve.MustName(tt.domain), Options{})
		var got []string
		for _, x := range d.Differences {
			got = append(got, x.About)
			if x.RFC9989 == x.RFC7489 || !strings.Contains(x.String(), x.RFC7489) {
				t.Errorf("%q: %s", tt.zone, x)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.zone, d.Differences, tt.want)
		}
	}
}

func TestLegacyDomain(t *testing.T) {
	// RFC 7489, Section 3.2.
	tests := map[string]string{
		"example.com": "example.com", "a.b.example.com": "example.com", "a.b.example.co.uk": "example.co.uk", "co.uk": "co.uk",
		"com": "com", "a.b.example": "b.example", "x.github.io": "x.github.io", "a.www.ck": "www.ck", "a.b.ck": "a.b.ck",
	}
	for name, want := range tests {
		if got := legacyDomain(resolve.MustName(name)); got.String() != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
