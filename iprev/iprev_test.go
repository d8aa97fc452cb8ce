package iprev_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailcheck-go/mailcheck/iprev"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const zone = `
$TTL 300
good.example.org.            IN A    198.51.100.1
good.example.org.            IN AAAA 2001:db8::1
1.100.51.198.in-addr.arpa.   IN PTR  good.example.org.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. IN PTR good.example.org.
2.100.51.198.in-addr.arpa.   IN PTR  elsewhere.example.org.
elsewhere.example.org.       IN A    203.0.113.9
3.100.51.198.in-addr.arpa.   IN PTR  gone.example.org.
5.100.51.198.in-addr.arpa.   IN PTR  broken.example.org.
6.100.51.198.in-addr.arpa.   IN PTR  broken.example.org.
6.100.51.198.in-addr.arpa.   IN PTR  six.example.org.
six.example.org.             IN A    198.51.100.6
; RFC 2317: a part of the network, delegated by an alias
7.100.51.198.in-addr.arpa.   IN CNAME 7.0-31.100.51.198.in-addr.arpa.
7.0-31.100.51.198.in-addr.arpa. IN PTR seven.example.org.
seven.example.org.           IN A    198.51.100.7
8.100.51.198.in-addr.arpa.   IN PTR  dsl-8.example.net.
8.100.51.198.in-addr.arpa.   IN PTR  eight.example.org.
dsl-8.example.net.           IN A    198.51.100.8
eight.example.org.           IN A    198.51.100.8
9.100.51.198.in-addr.arpa.   IN PTR  localhost.
localhost.                   IN A    198.51.100.9
10.100.51.198.in-addr.arpa.  IN PTR  ten.example.org.
ten.example.org.             IN CNAME real.example.org.
real.example.org.            IN A    198.51.100.10
1.0.0.10.in-addr.arpa.       IN PTR  inside.example.org.
inside.example.org.          IN A    10.0.0.1
`

func newZone() *zonetest.Zone {
	z := zonetest.MustParse(zone)
	z.Inject(resolve.MustName("4.100.51.198.in-addr.arpa"), 0, zonetest.Fault{RCode: resolve.ServFail})
	z.Inject(resolve.MustName("broken.example.org"), 0, zonetest.Fault{RCode: resolve.ServFail})
	return z
}

func check(addr string, opt iprev.Options) iprev.Result {
	return iprev.Check(context.Background(), newZone(), netip.MustParseAddr(addr), opt)
}

// RFC 8601, Section 2.7.3 and 3.
func TestCheck(t *testing.T) {
	cases := []struct {
		addr           string
		verdict        iprev.Verdict
		ptr, confirmed resolve.State
		why            string
	}{
		{"198.51.100.1", iprev.Pass, resolve.Present, resolve.Present, "good.example.org leads back"},
		{"2001:db8::1", iprev.Pass, resolve.Present, resolve.Present, "good.example.org leads back"},
		{"::ffff:198.51.100.1", iprev.Pass, resolve.Present, resolve.Present, ""},
		{"198.51.100.2", iprev.Fail, resolve.Present, resolve.Absent, "leads to 203.0.113.9"},
		{"198.51.100.3", iprev.Fail, resolve.Present, resolve.Absent, "no address of this kind"},
		{"198.51.100.4", iprev.TempError, resolve.Unavailable, resolve.Unavailable, "unknown"},
		{"198.51.100.5", iprev.TempError, resolve.Present, resolve.Unavailable, "unknown"},
		{"198.51.100.6", iprev.Pass, resolve.Present, resolve.Present, "six.example.org"}, // one of two is enough
		{"198.51.100.7", iprev.Pass, resolve.Present, resolve.Present, "seven.example.org"},
		{"198.51.100.99", iprev.PermError, resolve.Absent, resolve.Absent, "no PTR record"},
		{"2001:db8::99", iprev.PermError, resolve.Absent, resolve.Absent, "no PTR record"},
	}
	for _, c := range cases {
		r := check(c.addr, iprev.Options{})
		if r.Verdict != c.verdict || r.PTR != c.ptr || r.Confirmed != c.confirmed || !strings.Contains(r.Why, c.why) {
			t.Errorf("%s: %s, PTR %s, confirmed %s: %s", c.addr, r.Verdict, r.PTR, r.Confirmed, r.Why)
		}
	}
	if r := iprev.Check(context.Background(), newZone(), netip.Addr{}, iprev.Options{}); r.Verdict != iprev.PermError {
		t.Errorf("no address: %s", r.Verdict)
	}
}

func TestSpecial(t *testing.T) {
	for addr, want := range map[string]string{
		"10.0.0.1": "private", "198.51.100.1": "documentation", "100.64.1.1": "carrier NAT", "127.0.0.1": "loopback",
		"8.8.8.8": "", "fe80::1%eth0": "link-local", "2001:db8::1": "documentation", "169.254.169.254": "cloud metadata",
	} {
		if got := check(addr, iprev.Options{}).Special; got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
}

func TestGeneric(t *testing.T) {
	r := check("198.51.100.8", iprev.Options{})
	if l, generic := r.Generic(); generic {
		t.Errorf("one proper name is enough: %v", l)
	}
	if !r.Names[0].Generic.Is() && !r.Names[1].Generic.Is() {
		t.Error("dsl-8 is generic")
	}
	if got := len(r.ConfirmedNames()); got != 2 {
		t.Errorf("%d confirmed names", got)
	}
	if r := check("198.51.100.9", iprev.Options{}); r.Names[0].Problem == "" {
		t.Error("localhost is no host name for others")
	}
}

// RFC 5321, Section 2.3.5, 4.1.3 and 4.1.4.
func TestHELO(t *testing.T) {
	cases := []struct {
		addr, helo               string
		form                     iprev.Form
		resolves, matches, isPTR resolve.State
		problem, why             string
	}{
		{"198.51.100.1", "good.example.org", iprev.FullName, resolve.Present, resolve.Present, resolve.Present, "", "in both directions"},
		{"2001:db8::1", "GOOD.example.org", iprev.FullName, resolve.Present, resolve.Present, resolve.Present, "", "in both directions"},
		{"198.51.100.1", "elsewhere.example.org", iprev.FullName, resolve.Present, resolve.Absent, resolve.Absent, "", "does not have the sending address"},
		{"2001:db8::1", "six.example.org", iprev.FullName, resolve.Present, resolve.Absent, resolve.Absent, "", "does not have"},
		{"198.51.100.1", "gone.example.org", iprev.FullName, resolve.Absent, resolve.Absent, resolve.Absent, "", "has no address"},
		{"198.51.100.1", "broken.example.org", iprev.FullName, resolve.Unavailable, resolve.Unavailable, resolve.Absent, "", "unknown"},
		{"198.51.100.4", "good.example.org", iprev.FullName, resolve.Present, resolve.Absent, resolve.Unavailable, "", "does not have"},
		{"198.51.100.5", "broken.example.org", iprev.FullName, resolve.Unavailable, resolve.Unavailable, resolve.Unavailable, "", "unknown"},
		{"198.51.100.10", "ten.example.org", iprev.FullName, resolve.Present, resolve.Present, resolve.Present, "", "both"},
		{"198.51.100.10", "real.example.org", iprev.FullName, resolve.Present, resolve.Present, resolve.Absent, "", "not its PTR name"},
		{"198.51.100.1", "[198.51.100.1]", iprev.Literal, resolve.Present, resolve.Present, resolve.Absent, "", "do not trust"},
		{"198.51.100.1", "[198.51.100.2]", iprev.Literal, resolve.Present, resolve.Absent, resolve.Absent, "", "another address"},
		{"2001:db8::1", "[IPv6:2001:db8::1]", iprev.Literal, resolve.Present, resolve.Present, resolve.Absent, "", "do not trust"},
		{"2001:db8::1", "[2001:db8::1]", iprev.Invalid, resolve.Absent, resolve.Absent, resolve.Absent, "needs the tag", "not valid"},
		{"198.51.100.1", "198.51.100.1", iprev.Invalid, resolve.Absent, resolve.Absent, resolve.Absent, "without brackets", ""},
		{"198.51.100.1", "[198.51.100.1", iprev.Invalid, resolve.Absent, resolve.Absent, resolve.Absent, "bracket", ""},
		{"198.51.100.1", "localhost", iprev.Invalid, resolve.Absent, resolve.Absent, resolve.Absent, "single label", ""},
		{"198.51.100.1", "mail", iprev.Invalid, resolve.Absent, resolve.Absent, resolve.Absent, "single label", ""},
		{"198.51.100.1", "localhost.localdomain", iprev.Invalid, resolve.Absent, resolve.Absent, resolve.Absent, ".localdomain", ""},
		{"198.51.100.1", "exchange.corp", iprev.Invalid, resolve.Absent, resolve.Absent, resolve.Absent, ".corp", ""},
		{"198.51.100.1", "my_host.example.org", iprev.Invalid, resolve.Absent, resolve.Absent, resolve.Absent, "underscore", ""},
		{"198.51.100.1", "-a.example.org", iprev.Invalid, resolve.Absent, resolve.Absent, resolve.Absent, "hyphen", ""},
		{"198.51.100.1", "a..example.org", iprev.Invalid, resolve.Absent, resolve.Absent, resolve.Absent, "empty label", ""},
		{"198.51.100.1", "m\u00fcnchen.example.org", iprev.Invalid, resolve.Absent, resolve.Absent, resolve.Absent, "A-label", ""},
		{"198.51.100.1", "good.example.org\r\nMAIL FROM:<>", iprev.Invalid, resolve.Absent, resolve.Absent, resolve.Absent, "character", ""},
		{"198.51.100.1", strings.Repeat("a.", 1<<19) + "org", iprev.Invalid, resolve.Absent, resolve.Absent, resolve.Absent, "octets", ""},
		{"198.51.100.1", "", "", resolve.Unavailable, resolve.Unavailable, resolve.Unavailable, "", "no greeting"},
	}
	for _, c := range cases {
		h := check(c.addr, iprev.Options{HELO: c.helo}).HELO
		if h.Form != c.form || h.Resolves != c.resolves || h.Matches != c.matches || h.IsPTR != c.isPTR ||
			!strings.Contains(h.Problem, c.problem) || (c.problem == "") != (h.Problem == "") || !strings.Contains(h.Why, c.why) {
			t.Errorf("%s %.40q: %s %s %s %s, %q, %q", c.addr, c.helo, h.Form, h.Resolves, h.Matches, h.IsPTR, h.Problem, h.Why)
		}
		if len(h.Given) > 255 {
			t.Errorf("%d octets of the greeting are kept", len(h.Given))
		}
	}
	if h := check("198.51.100.10", iprev.Options{HELO: "ten.example.org"}).HELO; !h.Alias {
		t.Error("ten.example.org is an alias")
	}
	if h := check("198.51.100.1", iprev.Options{HELO: "good.example.org."}).HELO; h.Form != iprev.FullName || h.Problem == "" {
		t.Errorf("final dot: %s, %q", h.Form, h.Problem)
	}
}

// A reverse zone with thousands of names costs a bounded number of questions.
func TestManyNames(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "1.100.51.198.in-addr.arpa. 60 IN PTR n%d.example.org.\n", i)
	}
	z := zonetest.MustParse(b.String())
	var asked atomic.Int64
	r := resolve.Observe(z, func(resolve.Answer, error) { asked.Add(1) })
	res := iprev.Check(context.Background(), r, netip.MustParseAddr("198.51.100.1"), iprev.Options{})
	if asked.Load() != 1+iprev.MaxNames || len(res.Names) != iprev.MaxNames || res.Dropped != 5000-iprev.MaxNames {
		t.Errorf("%d questions, %d names, %d dropped", asked.Load(), len(res.Names), res.Dropped)
	}
	// Receivers stop as well, but what was not looked at is not proven.
	if res.Verdict != iprev.Fail || res.Confirmed != resolve.Unavailable {
		t.Errorf("%s, confirmed %s: %s", res.Verdict, res.Confirmed, res.Why)
	}
	asked.Store(0)
	iprev.Check(context.Background(), r, netip.MustParseAddr("198.51.100.1"), iprev.Options{MaxNames: 2})
	if asked.Load() != 3 {
		t.Errorf("MaxNames 2: %d questions", asked.Load())
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	z := newZone()
	z.Inject(resolve.MustName("1.100.51.198.in-addr.arpa"), 0, zonetest.Fault{Timeout: true})
	if r := iprev.Check(ctx, z, netip.MustParseAddr("198.51.100.1"), iprev.Options{HELO: "good.example.org"}); r.Verdict != iprev.TempError {
		t.Errorf("%s: %s", r.Verdict, r.Why)
	}
}

func TestReverseName(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1":          "1.2.0.192.in-addr.arpa",
		"::ffff:192.0.2.1":   "1.2.0.192.in-addr.arpa",
		"2001:db8::567:89ab": "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", // RFC 3596, Section 2.5
	} {
		if got := iprev.ReverseName(netip.MustParseAddr(addr)).String(); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
	if !iprev.ReverseName(netip.Addr{}).IsZero() {
		t.Error("no address has no name")
	}
}

func FuzzParseHELO(f *testing.F) {
	for _, s := range []string{"mail.example.org", "[192.0.2.1]", "[IPv6:2001:db8::1]", "[IPv6:::ffff:1.2.3.4]", "a b", "\x00", "[", "xn--.org", "1.2.3.4."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h := iprev.ParseHELO(s)
		switch h.Form {
		case iprev.FullName:
			if h.Name.IsZero() || h.Name.NumLabels() < 2 {
				t.Errorf("%q: name %s", s, h.Name)
			}
		case iprev.Literal:
			if !h.Literal.IsValid() {
				t.Errorf("%q: no literal", s)
			}
		case iprev.Invalid:
			if h.Problem == "" {
				t.Errorf("%q: no problem", s)
			}
		}
	})
}
