package dnsbl_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mailcheck-go/mailcheck/dnsbl"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var (
	addr   = netip.MustParseAddr("198.51.100.7")
	addr6  = netip.MustParseAddr("2001:db8::7")
	domain = resolve.MustName("bad.example.org")
)

const mapped = "0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"

// bl is a list under test.
func bl(kinds ...dnsbl.Kind) dnsbl.List {
	return dnsbl.List{ID: "t", Name: "Test", Zone: resolve.MustName("bl.test"), Kinds: kinds, Delist: "https://bl.test/{target}", Codes: []dnsbl.Code{
		{Addr: netip.MustParseAddr("127.0.0.2"), Meaning: "spam"},
		{Addr: netip.MustParseAddr("127.0.0.10"), Meaning: "home line", Policy: true},
		{Addr: netip.MustParseAddr("127.0.1.255"), Meaning: "wrong question", Error: true},
	}}
}

// good is what every working list has.
const good = `
$ORIGIN bl.test.
$TTL 60
2.0.0.127 IN A 127.0.0.2
2.0.0.` + mapped + ` IN A 127.0.0.2
test      IN A 127.0.0.2
`

func one(t *testing.T, z resolve.Resolver, l dnsbl.List, opt dnsbl.Options) (dnsbl.Result, dnsbl.Test) {
	t.Helper()
	opt.Lists = []dnsbl.List{l}
	rep := dnsbl.Check(context.Background(), z, opt, []netip.Addr{addr}, nil)
	if len(rep.Results) != 1 || len(rep.Tests) != 1 {
		t.Fatalf("%d results, %d tests", len(rep.Results), len(rep.Tests))
	}
	return rep.Results[0], rep.Tests[0]
}

// What a list answers to the target, when its test is passed.
func TestResult(t *testing.T) {
	cases := []struct {
		records string
		listed  resolve.State
		why     string
		policy  bool
	}{
		{"", resolve.Absent, "not listed", false},
		{"7.100.51.198 IN A 127.0.0.2", resolve.Present, "listed: spam", false},
		{"7.100.51.198 IN A 127.0.0.10", resolve.Present, "home line", true},
		{"7.100.51.198 IN A 127.0.0.10\n7.100.51.198 IN A 127.0.0.2", resolve.Present, "listed", false},
		{"7.100.51.198 IN A 127.0.0.77", resolve.Present, "not known here", false},
		{"7.100.51.198 IN TXT nothing", resolve.Absent, "not listed", false},
		// Errors that look like listings.
		{"7.100.51.198 IN A 127.255.255.252", resolve.Unavailable, "name of its zone", false},
		{"7.100.51.198 IN A 127.255.255.254", resolve.Unavailable, "public resolvers", false},
		{"7.100.51.198 IN A 127.255.255.255", resolve.Unavailable, "too often", false},
		{"7.100.51.198 IN A 127.255.255.9", resolve.Unavailable, "error", false},
		{"7.100.51.198 IN A 127.0.0.2\n7.100.51.198 IN A 127.255.255.254", resolve.Unavailable, "public resolvers", false},
		{"7.100.51.198 IN A 127.0.1.255", resolve.Unavailable, "wrong question", false},
		// RFC 5782, Section 2.1: outside 127/8 is no answer of a list, 127.0.0.1 is not used.
		{"7.100.51.198 IN A 203.0.113.1", resolve.Unavailable, "not from a list", false},
		{"7.100.51.198 IN A 127.0.0.1", resolve.Unavailable, "not one that a list gives", false},
		{"7.100.51.198 IN A 203.0.113.1\n7.100.51.198 IN A 127.0.0.2", resolve.Present, "spam", false},
	}
	for _, c := range cases {
		r, test := one(t, zonetest.MustParse(good+c.records+"\n"), bl(dnsbl.IP4), dnsbl.Options{})
		if !test.Usable || r.Listed != c.listed || !strings.Contains(r.Why, c.why) || r.Policy() != c.policy {
			t.Errorf("%q: %s, %s, policy %t (test: %s)", c.records, r.Listed, r.Why, r.Policy(), test.Why)
		}
		if (r.Delist != "") != (r.Listed == resolve.Present) {
			t.Errorf("%q: delist %q", c.records, r.Delist)
		}
	}
	for _, f := range []zonetest.Fault{{RCode: resolve.ServFail}, {RCode: resolve.Refused}, {Malformed: true}, {Timeout: true}} {
		z := zonetest.MustParse(good)
		z.Inject(resolve.MustName("7.100.51.198.bl.test"), 0, f)
		if r, _ := one(t, z, bl(dnsbl.IP4), dnsbl.Options{}); r.Listed != resolve.Unavailable || r.Err == nil {
			t.Errorf("%+v: %s: unknown is never not listed", f, r.Listed)
		}
	}
}

// RFC 5782, Section 5: a list that fails its test says nothing about anybody.
func TestControls(t *testing.T) {
	listed := "7.100.51.198.bl.test. IN A 127.0.0.2\n"
	cases := []struct{ name, zone, why string }{
		{"dead", listed, "test entry is not listed"},
		{"lists the world", "*.bl.test. 60 IN A 127.0.0.2\n", "lists everything"},
		{"sold", "*.bl.test. 60 IN A 203.0.113.80\n", "rewrites answers, or the zone has a new owner"},
		{"refuses", "*.bl.test. 60 IN A 127.255.255.254\n" + listed, "public resolvers"},
		{"refuses by a bit", "*.bl.test. 60 IN A 127.0.0.1\n", "127.0.0.1"},
		{"negative listed", good + "1.0.0.127 IN A 127.0.0.2\n" + listed, "lists everything"},
		{"positive elsewhere", "2.0.0.127.bl.test. 60 IN A 203.0.113.1\n", "rewrites"},
	}
	for _, c := range cases {
		r, test := one(t, zonetest.MustParse(c.zone), bl(dnsbl.IP4), dnsbl.Options{})
		if test.Usable || r.Listed != resolve.Unavailable || !strings.Contains(r.Why, c.why) || test.Temporary {
			t.Errorf("%s: usable %t, %s: %s", c.name, test.Usable, r.Listed, r.Why)
		}
		if r.Answer.Question.Name == r.Query && !r.Query.IsZero() {
			t.Errorf("%s: the target was asked", c.name)
		}
	}
	for _, control := range []string{"2.0.0.127.bl.test", "1.0.0.127.bl.test"} {
		z := zonetest.MustParse(good)
		z.Inject(resolve.MustName(control), 0, zonetest.Fault{RCode: resolve.ServFail})
		if r, test := one(t, z, bl(dnsbl.IP4), dnsbl.Options{}); test.Usable || !test.Temporary || r.Listed != resolve.Unavailable {
			t.Errorf("%s fails: usable %t, %s", control, test.Usable, r.Listed)
		}
	}
}

// A resolver that answers NXDOMAIN with the address of a search page.
func TestRewriting(t *testing.T) {
	z := zonetest.MustParse(good)
	lying := resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		a, err := z.Resolve(ctx, q)
		if err != nil && q.Type == resolve.TypeA {
			a.Records = []resolve.Record{{Name: q.Name, Type: q.Type, Data: resolve.Addr{Addr: netip.MustParseAddr("203.0.113.80")}}}
			err = nil
		}
		return a, err
	})
	r, test := one(t, lying, bl(dnsbl.IP4), dnsbl.Options{})
	if test.Usable || r.Listed != resolve.Unavailable || !strings.Contains(r.Why, "rewrites") {
		t.Errorf("usable %t, %s: %s", test.Usable, r.Listed, r.Why)
	}
}

func TestPublic(t *testing.T) {
	var asked atomic.Int64
	z := resolve.Observe(zonetest.MustParse(good), func(resolve.Answer, error) { asked.Add(1) })
	l := bl(dnsbl.IP4)
	r, _ := one(t, z, l, dnsbl.Options{Public: true})
	if r.Listed != resolve.Unavailable || !strings.Contains(r.Why, "public resolvers") || asked.Load() != 0 {
		t.Errorf("%s: %s, %d questions", r.Listed, r.Why, asked.Load())
	}
	l.Public = true
	if r, _ := one(t, z, l, dnsbl.Options{Public: true}); r.Listed != resolve.Absent {
		t.Errorf("a list that answers all: %s", r.Why)
	}
	l.Dropped = "2024-06-05"
	asked.Store(0)
	if r, _ := one(t, z, l, dnsbl.Options{}); r.Listed != resolve.Unavailable || asked.Load() != 0 || !strings.Contains(r.Why, "2024-06-05") {
		t.Errorf("dropped: %s, %d questions", r.Why, asked.Load())
	}
	for a, want := range map[string]string{"8.8.8.8": "Google", "2606:4700:4700::1111": "Cloudflare", "9.9.9.9": "Quad9", "192.0.2.1": "", "127.0.0.1": ""} {
		if got, ok := dnsbl.PublicResolver(netip.MustParseAddr(a)); got != want || ok != (want != "") {
			t.Errorf("%s: %q", a, got)
		}
	}
}

func TestSixAndDomains(t *testing.T) {
	z := zonetest.MustParse(good + "bad.example.org IN A 127.0.0.2\n7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2 IN A 127.0.0.2\n")
	l := bl(dnsbl.IP4, dnsbl.IP6, dnsbl.Domain)
	rep := dnsbl.Check(context.Background(), z, dnsbl.Options{Lists: []dnsbl.List{l}}, []netip.Addr{addr, addr6}, []resolve.Name{domain, resolve.MustName("good.example.org")})
	var got []string
	for _, r := range rep.Results {
		got = append(got, fmt.Sprintf("%s %s", r.Target(), r.Listed))
	}
	want := "198.51.100.7 absent, 2001:db8::7 present, bad.example.org present, good.example.org absent"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("%s\nwant %s", s, want)
	}
	if len(rep.Tests) != 3 || len(rep.Listed()) != 2 || len(rep.Unknown()) != 0 {
		t.Errorf("%d tests, %d listed, %d unknown", len(rep.Tests), len(rep.Listed()), len(rep.Unknown()))
	}
	long := resolve.MustName(strings.Repeat("a123456789.", 22) + "example.org")
	rep = dnsbl.Check(context.Background(), z, dnsbl.Options{Lists: []dnsbl.List{l}}, nil, []resolve.Name{long, {}})
	if len(rep.Results) != 1 || rep.Results[0].Listed != resolve.Unavailable || !strings.Contains(rep.Results[0].Why, "too long") {
		t.Errorf("%+v", rep.Results)
	}
}

func TestBits(t *testing.T) {
	l := dnsbl.List{ID: "b", Zone: resolve.MustName("bl.test"), Kinds: []dnsbl.Kind{dnsbl.IP4}, Bits: true, Codes: []dnsbl.Code{
		{Addr: netip.MustParseAddr("127.0.0.1"), Meaning: "refused", Error: true},
		{Addr: netip.MustParseAddr("127.0.0.2"), Meaning: "black"},
		{Addr: netip.MustParseAddr("127.0.0.4"), Meaning: "grey"},
		{Addr: netip.MustParseAddr("127.0.0.8"), Meaning: "red"},
	}}
	r, _ := one(t, zonetest.MustParse(good+"7.100.51.198 IN A 127.0.0.10\n"), l, dnsbl.Options{})
	if len(r.Hits) != 2 || r.Hits[0].Meaning != "black" || r.Hits[1].Meaning != "red" {
		t.Errorf("%+v", r.Hits)
	}
	r, test := one(t, zonetest.MustParse("*.bl.test. 60 IN A 127.0.0.1\n"), l, dnsbl.Options{})
	if r.Listed != resolve.Unavailable || !strings.Contains(test.Why, "refused") {
		t.Errorf("%s: %s", r.Listed, test.Why)
	}
}

// Each list is tested once in a run, also when many ask at once.
func TestControlsOnce(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	z := resolve.Observe(zonetest.MustParse(good), func(a resolve.Answer, _ error) {
		mu.Lock()
		defer mu.Unlock()
		asked[a.Question.Name.String()]++
	})
	opt := dnsbl.Options{Lists: []dnsbl.List{bl(dnsbl.IP4)}, Controls: new(dnsbl.Controls)}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			a := netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})
			dnsbl.Check(context.Background(), z, opt, []netip.Addr{a, addr}, nil)
		})
	}
	wg.Wait()
	if asked["2.0.0.127.bl.test"] != 1 || asked["1.0.0.127.bl.test"] != 1 {
		t.Errorf("%v", asked)
	}
}

func TestCanceled(t *testing.T) {
	z := zonetest.MustParse(good)
	opt := dnsbl.Options{Lists: []dnsbl.List{bl(dnsbl.IP4)}, Controls: new(dnsbl.Controls)}
	z.Inject(resolve.MustName("2.0.0.127.bl.test"), 0, zonetest.Fault{Timeout: true})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	rep := dnsbl.Check(ctx, z, opt, []netip.Addr{addr}, nil)
	if rep.Results[0].Listed != resolve.Unavailable {
		t.Errorf("%s", rep.Results[0].Why)
	}
	// The next one has to ask again.
	z.Inject(resolve.MustName("2.0.0.127.bl.test"), 0, zonetest.Fault{})
	rep = dnsbl.Check(context.Background(), z, opt, []netip.Addr{addr}, nil)
	if rep.Results[0].Listed != resolve.Absent {
		t.Errorf("%s", rep.Results[0].Why)
	}
}

func TestHostileAnswers(t *testing.T) {
	var b strings.Builder
	b.WriteString(good)
	for i := range 200 {
		fmt.Fprintf(&b, "7.100.51.198 IN A 127.0.2.%d\n", i)
		fmt.Fprintf(&b, "7.100.51.198 IN TXT \"%d %s\"\n", i, strings.Repeat("\\027[31m", 30))
	}
	r, _ := one(t, zonetest.MustParse(b.String()), bl(dnsbl.IP4), dnsbl.Options{})
	if r.Listed != resolve.Present || len(r.Hits) > 32 || len(r.Reasons) != 3 {
		t.Errorf("%s, %d hits, %d reasons", r.Listed, len(r.Hits), len(r.Reasons))
	}
	for _, s := range r.Reasons {
		if len(s) > 256 {
			t.Errorf("%d octets", len(s))
		}
	}
	if strings.ContainsRune(r.Why, 0x1b) {
		t.Error("an escape in Why")
	}
	if r, _ := one(t, zonetest.MustParse(b.String()), bl(dnsbl.IP4), dnsbl.Options{NoText: true}); r.Reasons != nil {
		t.Error("the text was asked")
	}
	many := make([]netip.Addr, 100)
	for i := range many {
		many[i] = netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})
	}
	rep := dnsbl.Check(context.Background(), zonetest.MustParse(good), dnsbl.Options{Lists: []dnsbl.List{bl(dnsbl.IP4)}}, many, nil)
	if len(rep.Results) != dnsbl.MaxTargets || rep.Left != 100-dnsbl.MaxTargets {
		t.Errorf("%d results, %d left", len(rep.Results), rep.Left)
	}
}

func TestCatalogue(t *testing.T) {
	ids, zones := map[string]bool{}, map[resolve.Name]bool{}
	for _, l := range dnsbl.All() {
		switch {
		case l.ID == "" || l.Name == "" || l.Source == "" || len(l.Kinds) == 0 || l.Zone.NumLabels() < 2:
			t.Errorf("%s: a field is missing", l.ID)
		case ids[l.ID] || zones[l.Zone]:
			t.Errorf("%s: twice", l.ID)
		case l.Sure != "high" && l.Sure != "medium" && l.Sure != "low":
			t.Errorf("%s: sure %q", l.ID, l.Sure)
		case l.Use != dnsbl.Wide && l.Use != dnsbl.Some && l.Use != dnsbl.Few:
			t.Errorf("%s: use %q", l.ID, l.Use)
		case l.Dropped == "" && (l.Info == "" || len(l.Codes) == 0):
			t.Errorf("%s: no page or no codes", l.ID)
		case l.Dropped != "" && l.Reason == "":
			t.Errorf("%s: dropped without a reason", l.ID)
		}
		ids[l.ID], zones[l.Zone] = true, true
		for _, c := range l.Codes {
			if !netip.MustParsePrefix("127.0.0.0/8").Contains(c.Addr) || c.Meaning == "" || !c.Error && c.Addr == netip.MustParseAddr("127.0.0.1") {
				t.Errorf("%s: code %s", l.ID, c.Addr)
			}
		}
		if url := l.DelistURL("198.51.100.7"); url != "" && (!strings.HasPrefix(url, "https://") || strings.Contains(url, "{")) {
			t.Errorf("%s: %s", l.ID, url)
		}
	}
	for _, l := range dnsbl.Lists() {
		if l.Dropped != "" {
			t.Errorf("%s is dropped", l.ID)
		}
	}
	if l, ok := dnsbl.ByZone(resolve.MustName("2.0.0.127.zen.spamhaus.org")); !ok || l.ID != "spamhaus-zen" {
		t.Errorf("%v", l.ID)
	}
	if l, ok := dnsbl.ByZone(resolve.MustName("dnsbl.sorbs.net")); !ok || l.Dropped == "" {
		t.Errorf("%v", l.ID)
	}
	if _, ok := dnsbl.ByID("none"); ok || len(dnsbl.Reviewed()) != len("2026-11-23") {
		t.Error("lookup")
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("bl.test", "bad.example.org")
	f.Add(strings.Repeat("a.", 120)+"test", "x")
	f.Add("bl.test", "a\\.b.c")
	f.Fuzz(func(t *testing.T, zone, name string) {
		z, err := resolve.NameFromText(zone)
		if err != nil || z.IsRoot() {
			return
		}
		n, err := resolve.NameFromText(name)
		if err != nil {
			return
		}
		q, err := dnsbl.QueryDomain(z, n)
		if err == nil && (!q.Within(z) || !n.IsRoot() && q.NumLabels() != z.NumLabels()+n.NumLabels()) {
			t.Errorf("%s and %s: %s", z, n, q)
		}
	})
}
