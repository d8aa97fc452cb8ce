package client

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// world is a recursive server and the authoritative servers of example.org on
// loopback addresses that share one port.
type world struct {
	recursive string
	port      uint16
	asked     atomic.Int32 // queries to the recursive server
}

// newWorld serves each handler at 127.0.0.2, 127.0.0.3, …: ns1, ns2, …
func newWorld(t testing.TB, records []string, servers ...handler) *world {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.2:0")
	if err != nil {
		t.Skip("only 127.0.0.1 is a loopback address here")
	}
	pc.Close()
	w := &world{}
	var port string
	for i, h := range servers {
		ip := netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + i)}).String()
		name := string(rune('1' + i))
		if h != nil {
			at := ip + ":0"
			if port != "" {
				at = ip + ":" + port
			}
			addr := listenOn(t, at, func(network string, r *dns.Msg) *dns.Msg {
				if r.RecursionDesired {
					t.Error("RD in a query to an authoritative server")
				}
				return h(network, r)
			}, false)
			ap := netip.MustParseAddrPort(addr)
			_, port, _ = strings.Cut(addr, ":")
			w.port = ap.Port()
		}
		records = append(records, "example.org. 60 IN NS ns"+name+".example.org.", "ns"+name+".example.org. 60 IN A "+ip)
	}
	h := zone(t, append(records, soaRR)...)
	w.recursive = listen(t, func(network string, r *dns.Msg) *dns.Msg {
		w.asked.Add(1)
		return h(network, r)
	})
	return w
}

func (w *world) client(t testing.TB, opt Options) *Client {
	opt.Servers, opt.AuthoritativePort = []string{w.recursive}, w.port
	return newClient(t, opt)
}

// auth is a zone that answers with authority and without recursion.
func auth(t testing.TB, records ...string) handler {
	return edited(zone(t, records...), func(_ string, _, m *dns.Msg) {
		m.Authoritative, m.RecursionAvailable = true, false
	})
}

func TestFindZone(t *testing.T) {
	w := newWorld(t, []string{
		"ns2.example.org. 60 IN AAAA 2001:db8::2", "example.org. 60 IN NS gone.example.org.", "www.example.org. 60 IN CNAME example.org.",
		"sub.example.org. 60 IN SOA ns. h. 1 2 3 4 60", "sub.example.org. 60 IN NS ns1.example.org.",
	}, silence, silence)
	c := w.client(t, Options{})
	for name, zone := range map[string]string{
		"example.org": "example.org", "a.b.c.example.org": "example.org", "_dmarc.example.org": "example.org",
		"www.example.org": "example.org", "x.www.example.org": "example.org", "sub.example.org": "sub.example.org", "x.sub.example.org": "sub.example.org",
	} {
		a, err := c.FindZone(ctx, resolve.MustName(name))
		if err != nil || a.Zone != resolve.MustName(zone) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	a, _ := c.FindZone(ctx, resolve.MustName("example.org"))
	var got []string
	for _, s := range a.Servers {
		got = append(got, s.String())
	}
	if s := strings.Join(got, ", "); s != "gone.example.org, ns1.example.org (127.0.0.2), ns2.example.org (127.0.0.3), ns2.example.org (2001:db8::2)" {
		t.Errorf("servers %s", s)
	}
	if !errors.Is(a.Servers[0].Err, resolve.ErrNXDomain) {
		t.Errorf("gone.example.org: %v", a.Servers[0].Err)
	}
	// One audit finds the zone once.
	before := w.asked.Load()
	for range 10 {
		c.FindZone(ctx, resolve.MustName("_dmarc.example.org"))
	}
	if n := w.asked.Load() - before; n != 0 {
		t.Errorf("%d more queries", n)
	}
	bad := newClient(t, Options{Servers: []string{listen(t, code(dns.RcodeServerFailure))}})
	if _, err := bad.FindZone(ctx, resolve.MustName("example.org")); !errors.Is(err, resolve.ErrServFail) {
		t.Errorf("broken resolver: %v", err)
	}
}

const serial8 = "example.org. 300 IN SOA ns1.example.org. hostmaster.example.org. 8 3600 600 86400 60"

func TestAskAuthoritative(t *testing.T) {
	one := auth(t, soaRR, `example.org. 60 IN TXT "a"`, `example.org. 60 IN TXT "b"`)
	turned := auth(t, soaRR, `example.org. 5 IN TXT "b"`, `example.org. 9 IN TXT "a"`)
	next := auth(t, serial8, `example.org. 60 IN TXT "c"`)
	lame := zone(t, soaRR, `example.org. 60 IN TXT "a"`)
	gone := auth(t, soaRR)
	servfail := code(dns.RcodeServerFailure)
	refused := code(dns.RcodeRefused)
	upward := edited(code(dns.RcodeSuccess), func(_ string, _, m *dns.Msg) {
		ns, _ := dns.NewRR(". 60 IN NS a.root.")
		m.Ns = []dns.RR{ns}
	})
	for _, tt := range []struct {
		name                string
		servers             []handler
		agree               bool
		lame, stale, failed string
		best                string // text of the best answer
		reason              error
	}{
		{"agree", []handler{one, turned, one}, true, "", "", "", "a", nil},
		{"behind", []handler{one, next, one}, false, "", "13", "", "c", nil},
		{"lame", []handler{lame, one, refused, upward}, true, "134", "", "", "a", nil},
		{"silent", []handler{silence, one}, true, "", "", "1", "a", nil},
		{"servfail", []handler{one, servfail}, true, "", "", "2", "a", nil},
		{"absent at one", []handler{gone, one}, false, "", "", "", "", nil},
		{"absent", []handler{gone, gone}, true, "", "", "", "", nil},
		{"nobody", []handler{servfail, refused}, false, "2", "", "1", "", resolve.ErrServFail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, []string{"ns9.example.org. 60 IN AAAA 2001:db8::9"}, tt.servers...)
			c := w.client(t, Options{Timeout: time.Second})
			cmp, err := c.AskAuthoritative(ctx, txtQ)
			if !errors.Is(err, tt.reason) {
				t.Fatalf("error %v", err)
			}
			digits := func(ns []NameServer) (s string) {
				for _, n := range ns {
					s += n.Host.String()[2:3]
				}
				return s
			}
			if cmp.Agree != tt.agree || digits(cmp.Lame) != tt.lame || digits(cmp.Stale) != tt.stale || digits(cmp.Failed) != tt.failed {
				t.Errorf("agree %v, lame %q, stale %q, failed %q", cmp.Agree, digits(cmp.Lame), digits(cmp.Stale), digits(cmp.Failed))
			}
			a, _ := cmp.Best()
			if got := ""; tt.best != "" {
				if got = a.TXT()[0].Joined(); got != tt.best {
					t.Errorf("best answer %q", got)
				}
			}
			if cmp.Zone != resolve.MustName("example.org") || len(cmp.Answers) != len(tt.servers) {
				t.Errorf("%+v", cmp)
			}
		})
	}
}

func TestAuthoritativeResolver(t *testing.T) {
	records := []string{soaRR, `example.org. 60 IN TXT "x"`, "www.example.org. 60 IN CNAME example.org.",
		"out.example.org. 60 IN CNAME www.sub.example.org."}
	child := auth(t, "sub.example.org. 60 IN SOA ns. h. 1 2 3 4 60", `www.sub.example.org. 60 IN TXT "child"`)
	parent := func(network string, r *dns.Msg) *dns.Msg {
		if dns.IsSubDomain("sub.example.org.", r.Question[0].Name) {
			m := new(dns.Msg).SetReply(r)
			ns, _ := dns.NewRR("sub.example.org. 60 IN NS ns9.example.org.")
			m.Ns = []dns.RR{ns}
			return m
		}
		return auth(t, records...)(network, r)
	}
	w := newWorld(t, append(records[1:3:3], "sub.example.org. 60 IN SOA ns. h. 1 2 3 4 60", "sub.example.org. 60 IN NS ns9.example.org.",
		"ns9.example.org. 60 IN A 127.0.0.3", "ns1.example.org. 60 IN AAAA 2001:db8::1"), parent, nil)
	listenOn(t, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.3"), w.port).String(), child, false)
	c := w.client(t, Options{})
	for _, tt := range []struct {
		q      resolve.Question
		reason error
		text   string
		chain  int
	}{
		{txtQ, nil, "x", 0},
		{ask("www.example.org", resolve.TypeTXT), nil, "x", 1},
		{ask("www.sub.example.org", resolve.TypeTXT), nil, "child", 0},
		{ask("out.example.org", resolve.TypeTXT), nil, "child", 1},
		{ask("none.example.org", resolve.TypeTXT), resolve.ErrNXDomain, "", 0},
		{ask("example.org", resolve.TypeMX), resolve.ErrNoData, "", 0},
	} {
		a, err := c.Authoritative().Resolve(ctx, tt.q)
		want(t, a, err, tt.reason)
		if err == nil && (a.TXT()[0].Joined() != tt.text || len(a.Chain) != tt.chain || !a.Authoritative || a.Question != tt.q) {
			t.Errorf("%v: %+v", tt.q, a)
		}
	}
}

func TestDisagreementIsReported(t *testing.T) {
	var mu sync.Mutex
	var seen []Comparison
	note := func(c Comparison) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, c)
	}
	one := auth(t, soaRR, `example.org. 60 IN TXT "old"`)
	w := newWorld(t, nil, one, one, auth(t, serial8, `example.org. 60 IN TXT "new"`))
	a, err := w.client(t, Options{OnDisagreement: note}).Authoritative().Resolve(ctx, txtQ)
	want(t, a, err, nil)
	if len(seen) != 1 || seen[0].Agree || a.TXT()[0].Joined() != "new" {
		t.Errorf("%d reports, answer %v", len(seen), a.Records)
	}
	w = newWorld(t, nil, one, one)
	a, err = w.client(t, Options{OnDisagreement: note}).Authoritative().Resolve(ctx, txtQ)
	want(t, a, err, nil)
	if len(seen) != 1 {
		t.Errorf("agreement was reported as disagreement")
	}
}

// Not finding the servers proves nothing about the record.
func TestNoZoneIsNoAbsence(t *testing.T) {
	c := newClient(t, Options{Servers: []string{listen(t, zone(t, soaRR))}}) // no NS
	a, err := c.Authoritative().Resolve(ctx, txtQ)
	want(t, a, err, resolve.ErrServFail)
	if errors.Is(err, resolve.ErrAbsent) {
		t.Error("absent")
	}
	if _, err := c.AskAuthoritative(ctx, txtQ); !errors.Is(err, resolve.ErrServFail) || errors.Is(err, resolve.ErrAbsent) {
		t.Errorf("AskAuthoritative: %v", err)
	}
}

// A dead server of the zone delays the first questions, not a whole audit.
func TestDeadAuthority(t *testing.T) {
	t.Parallel()
	one := auth(t, soaRR, `example.org. 60 IN TXT "x"`)
	for _, note := range []func(Comparison){nil, func(Comparison) {}} {
		w := newWorld(t, nil, silence, one)
		c := w.client(t, Options{Timeout: 2 * time.Second, OnDisagreement: note})
		for range downAfter {
			a, err := c.Authoritative().Resolve(ctx, txtQ)
			want(t, a, err, nil)
		}
		start := time.Now()
		a, err := c.Authoritative().Resolve(ctx, txtQ)
		want(t, a, err, nil)
		if d := time.Since(start); d > 2*minRetransmit {
			t.Errorf("took %v", d)
		}
	}
}

func TestCloseEndsComparison(t *testing.T) {
	c := newWorld(t, nil, silence).client(t, Options{})
	time.AfterFunc(50*time.Millisecond, func() { c.Close() })
	start := time.Now()
	_, err := c.AskAuthoritative(ctx, txtQ)
	if !errors.Is(err, resolve.ErrCanceled) || time.Since(start) > 3*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
	if _, err := c.AskAuthoritative(ctx, txtQ); !errors.Is(err, resolve.ErrCanceled) {
		t.Errorf("after Close: %v", err)
	}
}
