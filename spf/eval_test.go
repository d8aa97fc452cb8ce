package spf_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

func check(t *testing.T, z resolve.Resolver, ip, from string) spf.Result {
	t.Helper()
	return spf.Check(t.Context(), z, spf.Args{IP: netip.MustParseAddr(ip), Helo: "helo.example", MailFrom: from}, spf.Options{})
}

func TestCheck(t *testing.T) {
	z := newZone()
	z.txt("d.example", "v=spf1 ip4:192.0.2.0/25 include:in.example ~a:w.example ?exists:%{i}.x.example -all")
	z.txt("in.example", "other", "").txt("in.example", "v=sp", "f1 ip6:2001:db8::/", "32 include:in2.example -all")
	z.txt("in2.example", "v=spf1 ip4:198.51.100.1")
	z.addr("w.example", "198.51.100.2", "2001:db9::1").addr("198.51.100.3.x.example", "127.0.0.2")
	z.txt("r.example", "v=spf1 a:w.example redirect=d.example exp=no.example")
	z.txt("helo.example", "v=spf1 ip4:192.0.2.77 -all")
	z.txt("two.example", "v=spf1 -all").txt("two.example", "V=SPF1 ~all")
	z.txt("syntax.example", "v=spf1 ip4:192.0.2.1 foo -all")
	z.txt("none.example", "v=spf10 -all").txt("none.example", "hello")
	z.timeout("time.example", resolve.TypeTXT).timeout("atime.example", resolve.TypeA)
	z.txt("inc.example", "v=spf1 include:%{l}.example -all").txt("at.example", "v=spf1 a:atime.example +all")
	z.txt("xn--bcher-kva.example", "v=spf1 exists:%{d}.x.example -all").addr("xn--bcher-kva.example.x.example", "127.0.0.2")
	z.txt("loc.example", "v=spf1 exists:%{l}.x.example include:%{l}.x.example ?all")
	z.txt("red0.example", "v=spf1 redirect=none.example").txt("red1.example", "v=spf1 redirect=%{h}x")
	z.txt("voids.example", "v=spf1 a:no1.example mx:no2.example exists:no3.example -all")
	for _, c := range []struct {
		ip, from string
		status   spf.Status
		term     string
		inner    string
		lookups  int
		voids    int
		err      error
	}{
		{ip: "192.0.2.1", from: "u@d.example", status: spf.Pass, term: "ip4:192.0.2.0/25", inner: "ip4:192.0.2.0/25"},
		{ip: "::ffff:192.0.2.1", from: "u@D.Example.", status: spf.Pass, term: "ip4:192.0.2.0/25", inner: "ip4:192.0.2.0/25"},
		{ip: "2001:db8::9", from: "d.example", status: spf.Pass, term: "include:in.example", inner: "ip6:2001:db8::/32", lookups: 1},
		{ip: "198.51.100.1", from: "<u@d.example>", status: spf.Pass, term: "include:in.example", inner: "ip4:198.51.100.1", lookups: 2},
		{ip: "198.51.100.2", from: "u@d.example", status: spf.SoftFail, term: "~a:w.example", inner: "~a:w.example", lookups: 3},
		{ip: "2001:db9::1", from: "u@d.example", status: spf.SoftFail, term: "~a:w.example", inner: "~a:w.example", lookups: 3},
		{ip: "198.51.100.3", from: "u@d.example", status: spf.Neutral, term: "?exists:%{i}.x.example", inner: "?exists:%{i}.x.example", lookups: 4},
		{ip: "198.51.100.4", from: "u@d.example", status: spf.Fail, term: "-all", inner: "-all", lookups: 4, voids: 1},
		{ip: "198.51.100.4", from: "u@r.example", status: spf.Fail, term: "-all", inner: "-all", lookups: 6, voids: 1},
		{ip: "192.0.2.77", from: "", status: spf.Pass, term: "ip4:192.0.2.77", inner: "ip4:192.0.2.77"},
		{ip: "192.0.2.78", from: "<>", status: spf.Fail, term: "-all", inner: "-all"},
		{ip: "192.0.2.1", from: "u@two.example", status: spf.PermError, err: spf.ErrMultiple},
		{ip: "192.0.2.1", from: "u@syntax.example", status: spf.PermError, err: spf.ErrSyntax},
		{ip: "192.0.2.1", from: "u@none.example", status: spf.None},
		{ip: "192.0.2.1", from: "u@nx.example", status: spf.None},
		{ip: "192.0.2.1", from: "u@example", status: spf.None, err: spf.ErrIdentity},
		{ip: "192.0.2.1", from: "u@[192.0.2.1]", status: spf.None, err: spf.ErrIdentity},
		{ip: "192.0.2.1", from: "u@a..example", status: spf.None, err: spf.ErrIdentity},
		{ip: "192.0.2.1", from: "u@" + strings.Repeat("x", 2000) + ".example", status: spf.None, err: spf.ErrIdentity},
		{ip: "192.0.2.1", from: "u@time.example", status: spf.TempError, err: resolve.ErrTimeout},
		{ip: "192.0.2.1", from: "u@at.example", status: spf.TempError, err: resolve.ErrTimeout, lookups: 1},
		{ip: "2001:db8::1", from: "u@at.example", status: spf.Pass, term: "+all", inner: "+all", lookups: 1, voids: 1},
		{ip: "192.0.2.1", from: "none@inc.example", status: spf.PermError, err: spf.ErrNoRecord, lookups: 1},
		{ip: "192.0.2.1", from: "time@inc.example", status: spf.TempError, err: resolve.ErrTimeout, lookups: 1},
		{ip: "192.0.2.1", from: "a..b@inc.example", status: spf.PermError, err: spf.ErrTarget, lookups: 1},
		{ip: "192.0.2.1", from: "u@b\u00fccher.example", status: spf.Pass, term: "exists:%{d}.x.example", inner: "exists:%{d}.x.example", lookups: 1},
		{ip: "192.0.2.1", from: "\u00fc@loc.example", status: spf.Neutral, term: "?all", inner: "?all", lookups: 2}, // RFC 8616, Section 4
		{ip: "192.0.2.1", from: "u@red0.example", status: spf.PermError, err: spf.ErrNoRecord, lookups: 1},
		{ip: "192.0.2.1", from: "u@voids.example", status: spf.PermError, err: spf.ErrTooManyVoids, lookups: 3, voids: 3},
	} {
		t.Run(c.ip+" "+c.from[:min(len(c.from), 30)], func(t *testing.T) {
			res := check(t, z, c.ip, c.from)
			if res.Status != c.status || res.Term != c.term || res.InnerTerm != c.inner || res.Lookups != c.lookups || res.Voids != c.voids || !errors.Is(res.Err, c.err) {
				t.Errorf("%+v\nwant %+v", res, c)
			}
		})
	}
}

func TestCheckNoAddress(t *testing.T) {
	if res := spf.Check(t.Context(), newZone(), spf.Args{MailFrom: "u@d.example"}, spf.Options{}); res.Status != spf.None || res.Err == nil {
		t.Errorf("%+v", res)
	}
}

// TestMacros asks for the names of RFC 7208, Section 7.4.
func TestMacros(t *testing.T) {
	for macro, want := range map[string]string{
		"%{s}":                              "strong-bad@email.example.com",
		"%{o}":                              "email.example.com",
		"%{d}":                              "email.example.com",
		"%{d4}":                             "email.example.com",
		"%{d3}":                             "email.example.com",
		"%{d2}":                             "example.com",
		"%{d1}":                             "com",
		"%{dr}":                             "com.example.email",
		"%{d2r}":                            "example.email",
		"%{D2R}":                            "example.email",
		"%{l}":                              "strong-bad",
		"%{l-}":                             "strong.bad",
		"%{lr}":                             "strong-bad",
		"%{lr-}":                            "bad.strong",
		"%{l1r-}":                           "strong",
		"%{S}":                              "strong-bad%40email.example.com",
		"%{h}":                              "helo.example",
		"%{d200}":                           "email.example.com",
		"%{ir}.%{v}._spf.%{d2}":             "3.2.0.192.in-addr._spf.example.com",
		"%{lr-}.lp._spf.%{d2}":              "bad.strong.lp._spf.example.com",
		"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}":   "bad.strong.lp.3.2.0.192.in-addr._spf.example.com",
		"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}":  "3.2.0.192.in-addr.strong.lp._spf.example.com",
		"%{d2}.trusted-domains.example.net": "example.com.trusted-domains.example.net",
		"a%%b.%{d2}":                        "a%b.example.com",
		strings.Repeat("0123456789.", 30) + "%{d2}":   strings.Repeat("0123456789.", 22) + "example.com",
		strings.Repeat("%{l}.", 60) + "y.example.com": strings.Repeat("strong-bad.", 21) + "y.example.com",
	} {
		var asked []string
		z := newZone().txt("email.example.com", "v=spf1 exists:"+macro+" -all")
		r := resolve.Observe(z, func(a resolve.Answer, _ error) {
			if a.Question.Type == resolve.TypeA {
				asked = append(asked, a.Question.Name.String())
			}
		})
		res := check(t, r, "192.0.2.3", "strong-bad@email.example.com")
		want = name(want).String()
		if res.Status != spf.Fail || !slices.Equal(asked, []string{want}) {
			t.Errorf("%s: %s, asked %q, want %q", macro, res.Status, asked, want)
		}
	}
	z := newZone().txt("email.example.com", "v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all")
	z.addr("1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com", "127.0.0.2")
	if res := check(t, z, "2001:db8::cb01", "strong-bad@email.example.com"); res.Status != spf.Pass {
		t.Errorf("%+v", res)
	}
}

func TestExplanation(t *testing.T) {
	z := newZone().txt("d.example", "v=spf1 exp=%{d1}.exp.example -all").txt("example.exp.example", "%{i} is not ", "%{h} at %{r}, %{t}%_%%%-")
	args := spf.Args{IP: netip.MustParseAddr("192.0.2.1"), Helo: "helo.example", MailFrom: "u@d.example"}
	now := func() time.Time { return time.Unix(1234567890, 0) }
	res := spf.Check(t.Context(), z, args, spf.Options{Receiver: "mx.test", Now: now})
	if res.Explanation != "192.0.2.1 is not helo.example at mx.test, 1234567890 %%20" {
		t.Errorf("%q", res.Explanation)
	}
	args.Helo = "evil\r\n250 ok"
	if res := spf.Check(t.Context(), z, args, spf.Options{}); res.Status != spf.Fail || res.Explanation != "" {
		t.Errorf("%q", res.Explanation)
	}
}

// TestLimits counts as RFC 7208, Section 4.6.4 does.
func TestLimits(t *testing.T) {
	z := newZone().txt("d.example", "v=spf1 a:w.example include:i.example include:i.example ip4:192.0.2.1 mx:m.example -all")
	z.addr("w.example", "198.51.100.1").txt("i.example", "v=spf1 a:w.example a:w.example a:w.example")
	hosts := []string{}
	for _, h := range strings.Split("a b c d e f g h i j k", " ") {
		hosts = append(hosts, h+".m.example")
		z.addr(h+".m.example", "203.0.113."+map[bool]string{true: "10", false: "11"}[h == "j"])
	}
	z.mx("m.example", hosts...)
	// In order of preference the tenth name is still looked at, the eleventh is not.
	if res := check(t, z, "203.0.113.10", "u@d.example"); res.Status != spf.Pass || res.Lookups != 10 {
		t.Errorf("%+v", res)
	}
	z.txt("m2.example", "v=spf1 mx:m.example -all")
	if res := check(t, z, "203.0.113.10", "u@m2.example"); res.Status != spf.Pass || res.Lookups != 1 {
		t.Errorf("%+v", res)
	}
	if res := check(t, z, "203.0.113.99", "u@m2.example"); res.Status != spf.PermError || !errors.Is(res.Err, spf.ErrTooManyMX) {
		t.Errorf("%+v", res)
	}
	args := spf.Args{IP: netip.MustParseAddr("203.0.113.99"), MailFrom: "m2.example"}
	if res := spf.Check(t.Context(), z, args, spf.Options{MaxNames: 20}); res.Status != spf.Fail {
		t.Errorf("%+v", res)
	}
	args.MailFrom = "d.example"
	if res := spf.Check(t.Context(), z, args, spf.Options{MaxLookups: 5}); !errors.Is(res.Err, spf.ErrTooManyLookups) || res.Lookups != 6 {
		t.Errorf("%+v", res)
	}
	args.IP = netip.MustParseAddr("192.0.2.1")
	if res := spf.Check(t.Context(), z, args, spf.Options{}); res.Status != spf.Pass || res.Lookups != 9 {
		t.Errorf("a repeated include counts again: %+v", res)
	}
	v := newZone().txt("d.example", "v=spf1 a:1.x.example a:2.x.example a:3.x.example a:4.x.example -all")
	args.MailFrom = "d.example"
	if res := spf.Check(t.Context(), v, args, spf.Options{MaxVoids: -1}); res.Status != spf.Fail || res.Voids != 4 {
		t.Errorf("%+v", res)
	}
}

func TestTrace(t *testing.T) {
	z := newZone().txt("d.example", "v=spf1 ip4:192.0.2.1 include:i.example redirect=r.example").txt("i.example", "v=spf1 a:x.example -all").txt("r.example", "v=spf1 foo")
	res := spf.Check(t.Context(), z, spf.Args{IP: netip.MustParseAddr("192.0.2.9"), MailFrom: "d.example"}, spf.Options{Trace: true})
	var got []string
	for _, s := range res.Trace {
		line := strings.Repeat(" ", s.Depth) + s.Domain.String() + " " + s.Text
		if s.Match {
			line += " match"
		}
		got = append(got, line)
	}
	want := []string{
		"d.example v=spf1 ip4:192.0.2.1 include:i.example redirect=r.example",
		"d.example ip4:192.0.2.1",
		"d.example include:i.example",
		" i.example v=spf1 a:x.example -all",
		" i.example a:x.example",
		" i.example -all match",
		"d.example redirect=r.example",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if res.Status != spf.PermError || res.Term != "" || res.InnerTerm != "" {
		t.Errorf("%+v", res)
	}
	p, found := errors.AsType[*spf.Problem](res.Err)
	if !found || p.Domain != name("r.example") {
		t.Errorf("%+v", res.Err)
	}
}

// TestTime: RFC 7208, Section 4.6.4, a time limit gives temperror.
func TestTime(t *testing.T) {
	z := newZone().txt("d.example", "v=spf1 a:x.example a:y.example -all")
	z.delay = 20 * time.Millisecond
	args := spf.Args{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: "d.example"}
	for _, serial := range []bool{false, true} {
		res := spf.Check(t.Context(), z, args, spf.Options{Timeout: 30 * time.Millisecond, Serial: serial})
		if res.Status != spf.TempError || !errors.Is(res.Err, spf.ErrTime) {
			t.Errorf("%+v", res)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if res := spf.Check(ctx, z, args, spf.Options{}); res.Status != spf.TempError || !errors.Is(res.Err, context.Canceled) {
		t.Errorf("%+v", res)
	}
}

// TestAhead: asking ahead asks nothing twice and nothing behind all.
func TestAhead(t *testing.T) {
	z := benchZone()
	z.txt("d.example", "v=spf1 include:tree.example include:tree.example mx:amx.example a:mailout.amx.example -all a:never.example")
	z.delay = 5 * time.Millisecond
	var mu sync.Mutex
	asked := map[resolve.Question]int{}
	r := resolve.Observe(z, func(a resolve.Answer, _ error) {
		mu.Lock()
		asked[a.Question]++
		mu.Unlock()
	})
	start := time.Now()
	res := check(t, r, "203.0.113.77", "u@d.example")
	if d := time.Since(start); d > 12*z.delay {
		t.Errorf("took %v", d)
	}
	if res.Status != spf.PermError || !errors.Is(res.Err, spf.ErrTooManyLookups) || res.Lookups != 11 {
		t.Errorf("%+v", res)
	}
	for q, n := range asked {
		if n > 1 || q.Name == name("never.example") {
			t.Errorf("%s asked %d times", q, n)
		}
	}
}

// TestRemote: answers that came over a network, though they come at once now,
// change neither the result nor the counts.
func TestRemote(t *testing.T) {
	m := benchZone().memory()
	r := resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		a, err := m.Resolve(ctx, q)
		a.Transport, a.Cached = resolve.UDP, true
		return a, err
	})
	for _, c := range benchCases {
		want := check(t, m, c.ip, "u@"+c.domain)
		if got := check(t, r, c.ip, "u@"+c.domain); got.Status != want.Status || got.Lookups != want.Lookups || got.Voids != want.Voids || got.Term != want.Term {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
	}
}

// TestPTR: RFC 7208, Sections 5.5 and 7.3.
func TestPTR(t *testing.T) {
	z := newZone().txt("d.example", "v=spf1 ptr:hosts.example exists:%{p}.p.example -all")
	z.add("1.2.0.192.in-addr.arpa", resolve.TypePTR, resolve.Host{Name: name("liar.hosts.example")})
	z.add("1.2.0.192.in-addr.arpa", resolve.TypePTR, resolve.Host{Name: name("true.other.example")})
	z.add("2.2.0.192.in-addr.arpa", resolve.TypePTR, resolve.Host{Name: name("a.hosts.example")})
	z.addr("liar.hosts.example", "203.0.113.1").addr("true.other.example", "192.0.2.1").addr("a.hosts.example", "192.0.2.2")
	z.addr("true.other.example.p.example", "127.0.0.2").addr("unknown.p.example", "127.0.0.2").timeout("4.2.0.192.in-addr.arpa", resolve.TypePTR)
	for ip, term := range map[string]string{
		"192.0.2.1": "exists:%{p}.p.example",
		"192.0.2.2": "ptr:hosts.example",
		"192.0.2.3": "exists:%{p}.p.example", // no PTR record: unknown
		"192.0.2.4": "exists:%{p}.p.example", // no answer: unknown, not temperror
	} {
		if res := check(t, z, ip, "u@d.example"); res.Status != spf.Pass || res.Term != term || res.Voids != 0 {
			t.Errorf("%s: %+v", ip, res)
		}
	}
}

// TestConcurrent shares a cache.
func TestConcurrent(t *testing.T) {
	m, cache := benchZone().memory(), spf.NewCache(4)
	if res := spf.Check(t.Context(), m, spf.Args{IP: netip.MustParseAddr("192.0.2.10"), MailFrom: "plain.example"}, spf.Options{Cache: new(spf.Cache)}); res.Status != spf.Pass {
		t.Errorf("an empty cache: %+v", res)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				for _, c := range benchCases {
					args := spf.Args{IP: netip.MustParseAddr(c.ip), MailFrom: c.domain}
					if res := spf.Check(t.Context(), m, args, spf.Options{Cache: cache}); res.Status != c.want {
						t.Errorf("%s: %+v", c.name, res)
					}
				}
			}
		})
	}
	wg.Wait()
}
