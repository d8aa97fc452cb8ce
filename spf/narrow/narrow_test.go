package narrow_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
	"github.com/mailcheck-go/mailcheck/spf/narrow"
)

const world = `
example.org. 60 IN TXT "v=spf1 ip4:203.0.0.0/16 ip4:192.0.2.0/28 mx/16 a include:_spf.used.example include:_spf.left.example exists:%{i}._ok.example.org ?ip4:198.51.100.0/24 ip6:2001:db8::/32 ~all ip4:192.0.2.200"
example.org. 60 IN A 192.0.2.130
example.org. 60 IN AAAA 2001:db8:9::1
mail.example.org. 60 IN AAAA 2001:db8:9::2
example.org. 60 IN MX 10 mail.example.org.
mail.example.org. 60 IN A 198.18.0.25
_spf.used.example. 60 IN TXT "v=spf1 ip4:192.0.2.64/27 -all"
_spf.left.example. 60 IN TXT "v=spf1 include:a.left.example ip4:10.0.0.0/8 -all"
a.left.example. 60 IN TXT "v=spf1 ip4:172.16.0.0/12 -all"
redirect.example. 60 IN TXT "v=spf1 ip4:192.0.2.9 redirect=_spf.used.example"
down.example. 60 IN TXT "v=spf1 ip4:192.0.2.9 include:dead.example -all"
bad.example. 60 IN TXT "v=spf1 ipv4:192.0.2.9 -all"
many.example. 60 IN TXT "v=spf1 ip4:203.0.113.5 a:h0.example a:h1.example a:h2.example a:h3.example a:h4.example a:h5.example a:h6.example a:h7.example a:h8.example a:h9.example a:h10.example ip4:192.0.2.1 -all"
`

func zone() *zonetest.Zone {
	z := zonetest.MustParse(world)
	for i := range 11 {
		z = zonetest.Merge(z, zonetest.MustParse(fmt.Sprintf("h%d.example. 60 IN A 198.51.100.%d", i, i)))
	}
	z.Inject(resolve.MustName("dead.example"), 0, zonetest.Fault{RCode: resolve.ServFail})
	return z
}

func evidence(days int, lines ...string) narrow.Evidence {
	e, err := narrow.Parse([]byte(fmt.Sprintf("# days: %d\nip,count,legitimate,domain\n%s\n", days, strings.Join(lines, "\n"))))
	if err != nil {
		panic(err)
	}
	return e
}

func TestPropose(t *testing.T) {
	e := evidence(60, "203.0.113.7,900", "203.0.113.8,10", "203.0.2.1,5", "192.0.2.3,100", "198.18.0.25,50", "198.18.77.1,3", "192.0.2.70,500",
		"2001:db8:1:2:3::4,40", "10.1.2.3,77,no", "203.0.113.7,1,yes,other.example", "192.0.2.250,6", "203.0.113.8,4,no")
	p, err := narrow.Propose(t.Context(), zone(), resolve.MustName("example.org"), e, narrow.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const want = "v=spf1 ip4:203.0.2.1 ip4:203.0.113.7 ip4:203.0.113.8 ip4:192.0.2.0/28 mx ip4:198.18.77.1 include:_spf.used.example exists:%{i}._ok.example.org ?ip4:198.51.100.0/24 ip6:2001:db8:1:2::/64 ~all"
	if p.New != want {
		t.Errorf("got  %s\nwant %s", p.New, want)
	}
	if p.Before != 6 || p.After != 3 || len(p.Thin) > 0 || p.Elsewhere != 1 || p.Hosts != 9 {
		t.Errorf("%d to %d lookups, thin %v, elsewhere %d, %d hosts", p.Before, p.After, p.Thin, p.Elsewhere, p.Hosts)
	}
	if len(p.NotPassing) != 1 || len(p.Refused) != 1 || len(p.Passing) != 1 {
		t.Errorf("not passing %v, refused %v, passing %v", p.NotPassing, p.Refused, p.Passing)
	}
	for _, s := range p.Steps {
		if s.Why == "" || s.Action == narrow.Drop && (!strings.Contains(s.Why, "1614 mails") || s.Stops.Empty()) && s.Term != "ip4:192.0.2.200" {
			t.Errorf("%+v", s)
		}
		if s.Term == "include:_spf.left.example" && s.Stops.String() != "10.0.0.0/8, 172.16.0.0/12" {
			t.Errorf("stops %s", s.Stops)
		}
	}
}

func TestExact(t *testing.T) {
	p, err := narrow.Propose(t.Context(), zone(), resolve.MustName("example.org"), evidence(60, "192.0.2.3,2000", "192.0.2.4,2000"), narrow.Options{Exact: true})
	if err != nil || !strings.HasPrefix(p.New, "v=spf1 ip4:192.0.2.3 ip4:192.0.2.4 exists:") {
		t.Error(p.New, err)
	}
}

func TestThin(t *testing.T) {
	for _, c := range []struct {
		e    narrow.Evidence
		thin int
	}{
		{evidence(60, "192.0.2.3,2000"), 0},
		{evidence(29, "192.0.2.3,2000"), 1},
		{evidence(0, "192.0.2.3,2000"), 1},
		{evidence(60, "192.0.2.3,999"), 1},
		{evidence(60, "192.0.2.3,1000", "192.0.3.3,1", "192.0.3.4,1"), 1},
		{evidence(1, "192.0.2.3"), 2},
	} {
		p, err := narrow.Propose(t.Context(), zone(), resolve.MustName("example.org"), c.e, narrow.Options{})
		if err != nil || len(p.Thin) != c.thin {
			t.Errorf("%+v: %q, %v", c.e, p.Thin, err)
		}
	}
}

func TestPermError(t *testing.T) {
	p, err := narrow.Propose(t.Context(), zone(), resolve.MustName("many.example"), evidence(60, "203.0.113.5,5000", "192.0.2.1,5000"), narrow.Options{})
	if err != nil || p.New != "v=spf1 ip4:203.0.113.5 -all" {
		t.Error(p.New, err)
	}
	if len(p.NotPassing) != 1 {
		t.Errorf("what the broken record refuses is told: %v", p.NotPassing)
	}
}

func TestRedirect(t *testing.T) {
	p, err := narrow.Propose(t.Context(), zone(), resolve.MustName("redirect.example"), evidence(60, "192.0.2.70,5000"), narrow.Options{})
	if err != nil || p.New != "v=spf1 redirect=_spf.used.example" {
		t.Error(p.New, err)
	}
}

func TestRefuses(t *testing.T) {
	some := evidence(60, "192.0.2.9,5000")
	for domain, c := range map[string]struct {
		e    narrow.Evidence
		want error
	}{
		"down.example":    {some, narrow.ErrUnknown},
		"dead.example":    {some, narrow.ErrUnknown},
		"bad.example":     {some, narrow.ErrRecord},
		"nothing.example": {some, narrow.ErrRecord},
		"example.org":     {evidence(60, "10.0.0.1,5,no", "192.0.2.1,7,yes,other.example"), narrow.ErrNoEvidence},
	} {
		if _, err := narrow.Propose(t.Context(), zone(), resolve.MustName(domain), c.e, narrow.Options{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", domain, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := narrow.Propose(ctx, zone(), resolve.MustName("example.org"), some, narrow.Options{}); err == nil {
		t.Error("no error when canceled")
	}
}

func TestParse(t *testing.T) {
	want := narrow.Evidence{Days: 60, Hosts: []narrow.Host{
		{IP: netip.MustParseAddr("192.0.2.1"), Domain: resolve.MustName("example.org"), Count: 120, Legitimate: true},
		{IP: netip.MustParseAddr("2001:db8::1"), Count: 1, Legitimate: false},
	}}
	for _, text := range []string{
		`{"schema":"mailcheck.spf-evidence/1","days":60,"hosts":[{"ip":"::ffff:192.0.2.1","domain":"Example.org.","count":120},{"ip":"2001:db8::1","legitimate":false}]}`,
		"\ufeff# days: 60\r\nLegitimate, IP, domain, count\r\ntrue,192.0.2.1,example.org,120\r\nno,2001:db8::1,,\r\n",
	} {
		got, err := narrow.Parse([]byte(text))
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v %v", got, err)
		}
	}
	for _, text := range []string{"", "{}", `{"schema":"mailcheck.spf-evidence/2"}`, `{"schema":"mailcheck.spf-evidence/1","hosts":[{"ip":"x"}]}`, "a,b\n1,2\n", "ip\nx\n", "ip,count\n192.0.2.1,-4\n", "ip,legitimate\n192.0.2.1,perhaps\n", "ip,domain\n192.0.2.1,a..b\n", "ip\n\"", `{"schema":"mailcheck.spf-evidence/1","hostz":[]}`} {
		if _, err := narrow.Parse([]byte(text)); !errors.Is(err, narrow.ErrEvidence) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"schema":"mailcheck.spf-evidence/1","days":60,"hosts":[{"ip":"192.0.2.1","count":120}]}`))
	f.Add([]byte("# days: 60\nip,domain,count,legitimate\n192.0.2.1,example.org,120,true\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := narrow.Parse(text)
		if err == nil && e.Days < 0 {
			t.Error(e.Days)
		}
		for _, h := range e.Hosts {
			if !h.IP.IsValid() || h.IP.Is4In6() || h.IP.Zone() != "" {
				t.Error(h)
			}
		}
	})
}

// FuzzPropose checks that whatever was seen to pass still passes; Propose itself
// fails if it does not.
func FuzzPropose(f *testing.F) {
	f.Add([]byte{1, 3, 2, 70, 0, 9}, false)
	f.Add([]byte{0, 7, 0, 8, 0, 200, 2, 90, 1, 1, 3, 3}, true)
	z := zone()
	f.Fuzz(func(t *testing.T, b []byte, exact bool) {
		var e narrow.Evidence
		for ; len(b) >= 2 && len(e.Hosts) < 60; b = b[2:] {
			a := netip.AddrFrom4([4]byte{192, 0, 2, b[1]})
			switch b[0] % 4 {
			case 0:
				a = netip.AddrFrom4([4]byte{203, 0, b[0], b[1]})
			case 1:
				a = netip.AddrFrom4([4]byte{198, 18, b[0], b[1]})
			case 3:
				a = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, b[0], 7: b[1], 15: b[1]})
			}
			e.Hosts = append(e.Hosts, narrow.Host{IP: a, Count: uint64(b[1]), Legitimate: b[0]&0x40 == 0})
		}
		if _, err := narrow.Propose(t.Context(), z, resolve.MustName("example.org"), e, narrow.Options{Exact: exact}); err != nil && !errors.Is(err, narrow.ErrNoEvidence) {
			t.Fatal(err)
		}
	})
}

func Example() {
	zone := zonetest.MustParse(`
example.org.      3600 IN TXT "v=spf1 ip4:203.0.0.0/16 include:_spf.example.com include:_spf.example.net -all"
_spf.example.com. 3600 IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
_spf.example.net. 3600 IN TXT "v=spf1 ip4:198.51.100.0/24 -all"
`)
	e, err := narrow.Parse([]byte("# days: 60\nip,count\n203.0.113.7,4200\n192.0.2.55,130\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := narrow.Propose(context.Background(), zone, resolve.MustName("example.org"), e, narrow.Options{})
	fmt.Println(plan.New, err)
	for _, s := range plan.Steps {
		if s.Action != narrow.Keep {
			fmt.Printf("%s %s: %s; stops %s\n", s.Action, s.Term, s.Why, s.Stops)
		}
	}
	// Output:
	// v=spf1 ip4:203.0.113.7 include:_spf.example.com -all <nil>
	// replace ip4:203.0.0.0/16: it is wide, and mail came from 1 of its addresses; stops 203.0.0.0-203.0.113.6, 203.0.113.8-203.0.255.255
	// drop include:_spf.example.net: nothing legitimate passed by it: none of 4330 mails from 2 hosts in 60 days; stops 198.51.100.0/24
}
