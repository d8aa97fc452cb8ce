package client

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

func TestAliasChains(t *testing.T) {
	long := func(n int) []string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprintf("c%d.example. %d IN CNAME c%d.example.", i, 100+i, i+1))
		}
		return append(out, fmt.Sprintf(`c%d.example. 60 IN TXT "end"`, n), "example. 300 IN SOA ns. h. 1 2 3 4 60")
	}
	loop := []string{"c0.example. 60 IN CNAME c1.example.", "c1.example. 60 IN CNAME c2.example.", "c2.example. 60 IN CNAME c0.example."}
	for _, tt := range []struct {
		name    string
		records []string
		typ     resolve.Type
		reason  error
		chain   int
	}{
		{"three", long(3), resolve.TypeTXT, nil, 3},
		{"limit", long(resolve.MaxChain), resolve.TypeTXT, nil, resolve.MaxChain},
		{"over the limit", long(resolve.MaxChain + 1), resolve.TypeTXT, resolve.ErrAliasLoop, resolve.MaxChain + 1},
		{"loop", loop, resolve.TypeTXT, resolve.ErrAliasLoop, 3},
		{"to itself", []string{"c0.example. 60 IN CNAME c0.example."}, resolve.TypeTXT, resolve.ErrAliasLoop, 1},
		{"CNAME itself", long(3), resolve.TypeCNAME, nil, 0},
		{"no data at the end", long(2), resolve.TypeMX, resolve.ErrNoData, 2},
		{"two at one name", []string{"c0.example. 60 IN CNAME a.example.", "c0.example. 60 IN CNAME b.example."}, resolve.TypeTXT, resolve.ErrMalformed, 0},
	} {
		for _, reverse := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", tt.name, reverse), func(t *testing.T) {
				h := edited(zone(t, tt.records...), func(_ string, r, m *dns.Msg) {
					if reverse {
						slices.Reverse(m.Answer)
					}
				})
				c := newClient(t, Options{Servers: []string{listen(t, h)}})
				a, err := c.Resolve(ctx, ask("c0.example", tt.typ))
				want(t, a, err, tt.reason)
				if len(a.Chain) != tt.chain {
					t.Fatalf("chain %v", a.Chain)
				}
				for i, l := range a.Chain {
					if len(a.Chain) > 1 && tt.name != "loop" && (l.Name != resolve.MustName(fmt.Sprintf("c%d.example", i)) || l.TTL != uint32(100+i)) {
						t.Errorf("alias %d is %v", i, l)
					}
				}
				for _, r := range a.Records {
					if r.Type != tt.typ || r.Name != a.Owner() {
						t.Errorf("record %v", r)
					}
				}
			})
		}
	}
}

// A server that knows only part of a chain is asked for the rest.
func TestPartialChain(t *testing.T) {
	full := zone(t, "a.example. 50 IN CNAME b.example.", "b.example. 40 IN CNAME c.example.", `c.example. 30 IN TXT "end"`)
	one := edited(full, func(_ string, _, m *dns.Msg) { m.Answer = m.Answer[:min(1, len(m.Answer))] })
	c := newClient(t, Options{Servers: []string{listen(t, one)}})
	a, err := c.Resolve(ctx, ask("a.example", resolve.TypeTXT))
	want(t, a, err, nil)
	if len(a.Chain) != 2 || a.Question != ask("a.example", resolve.TypeTXT) || c.Stats().Queries != 3 {
		t.Errorf("%+v, %v", a, c.Stats())
	}
	if a, _ = c.Resolve(ctx, ask("a.example", resolve.TypeTXT)); !a.Cached || a.Records[0].TTL != 30 {
		t.Errorf("not cached: %+v", a)
	}
	// The rest fails: unknown, with the chain kept.
	broken := func(network string, r *dns.Msg) *dns.Msg {
		if r.Question[0].Name != "a.example." {
			return new(dns.Msg).SetRcode(r, dns.RcodeServerFailure)
		}
		return one(network, r)
	}
	c = newClient(t, Options{Servers: []string{listen(t, broken)}})
	a, err = c.Resolve(ctx, ask("a.example", resolve.TypeTXT))
	e := want(t, a, err, resolve.ErrServFail)
	if len(a.Chain) != 1 || e.Question.Name != resolve.MustName("a.example") || !strings.Contains(e.Detail, "b.example") {
		t.Errorf("%+v %v", a, err)
	}
	// An alias loop that each response shows only in part.
	loop := zone(t, "a.example. 50 IN CNAME b.example.", "b.example. 40 IN CNAME a.example.")
	c = newClient(t, Options{Servers: []string{listen(t, edited(loop, func(_ string, _, m *dns.Msg) { m.Answer = m.Answer[:1] }))}})
	a, err = c.Resolve(ctx, ask("a.example", resolve.TypeTXT))
	want(t, a, err, resolve.ErrAliasLoop)
}

// RFC 6604, Section 3: NXDOMAIN speaks of the end of the chain.
func TestNXDomainWithChain(t *testing.T) {
	h := edited(zone(t, "a.example. 50 IN CNAME b.example.", "example. 300 IN SOA ns. h. 1 2 3 4 60"), func(_ string, _, m *dns.Msg) {
		m.Rcode = dns.RcodeNameError
		soa, _ := dns.NewRR("example. 300 IN SOA ns. h. 1 2 3 4 60")
		m.Ns = []dns.RR{soa}
	})
	c := newClient(t, Options{Servers: []string{listen(t, h)}})
	a, err := c.Resolve(ctx, ask("a.example", resolve.TypeTXT))
	want(t, a, err, resolve.ErrNXDomain)
	if len(a.Chain) != 1 || a.SOA == nil {
		t.Errorf("%+v", a)
	}
}

// Records of other names and types never pass for the answer.
func TestForeignRecords(t *testing.T) {
	var extra []dns.RR
	for _, s := range []string{`other.example. 60 IN TXT "no"`, "example.org. 60 IN MX 5 no.example.", `example.org. 60 CH TXT "no"`, "x.example. 60 IN CNAME y.example."} {
		rr, err := dns.NewRR(s)
		if err != nil {
			t.Fatal(err)
		}
		extra = append(extra, rr)
	}
	h := edited(zone(t, `EXAMPLE.org. 60 IN TXT "v=spf1" " -all"`), func(_ string, _, m *dns.Msg) { m.Answer = append(extra, m.Answer...) })
	c := newClient(t, Options{Servers: []string{listen(t, h)}})
	a, err := c.Resolve(ctx, txtQ)
	want(t, a, err, nil)
	if len(a.Records) != 1 || !slices.Equal(a.TXT()[0].Strings, []string{"v=spf1", " -all"}) || len(a.Chain) != 0 {
		t.Errorf("%+v", a)
	}
}

func TestReferralIsNoAbsence(t *testing.T) {
	refer := edited(code(dns.RcodeSuccess), func(_ string, _, m *dns.Msg) {
		ns, _ := dns.NewRR("org. 60 IN NS a.org.")
		m.Ns = []dns.RR{ns}
	})
	c := newClient(t, Options{Servers: []string{listen(t, refer)}})
	a, err := c.Resolve(ctx, txtQ)
	e := want(t, a, err, resolve.ErrServFail)
	if e.Detail != "referral: the server does not resolve recursively" {
		t.Errorf("detail %q", e.Detail)
	}
}

func TestExtendedErrors(t *testing.T) {
	h := edited(code(dns.RcodeServerFailure), func(_ string, _, m *dns.Msg) {
		m.SetEdns0(1232, false)
		opt := m.IsEdns0()
		opt.Option = append(opt.Option, &dns.EDNS0_NSID{Code: dns.EDNS0NSID, Nsid: "abcd"},
			&dns.EDNS0_EDE{InfoCode: 6, ExtraText: "bad \x1b[31m\n"}, &dns.EDNS0_EDE{InfoCode: 9999})
	})
	c := newClient(t, Options{Servers: []string{listen(t, h)}})
	a, err := c.Resolve(ctx, txtQ)
	e := want(t, a, err, resolve.ErrServFail)
	if len(a.Extended) != 2 || a.Extended[0] != (resolve.ExtendedError{Code: 6, Text: "bad \x1b[31m\n"}) || a.Extended[1].Code != 9999 {
		t.Errorf("extended %+v", a.Extended)
	}
	if !strings.Contains(e.Detail, `extended error 6 (DNSSEC bogus) "bad \x1b[31m\n"`) || strings.ContainsAny(err.Error(), "\x1b\n") {
		t.Errorf("detail %q", e.Detail)
	}
}

func TestSignatures(t *testing.T) {
	sig := "example.org. 60 IN RRSIG %s 8 2 60 20300101000000 20200101000000 1 example.org. AAAA"
	h := edited(zone(t, `example.org. 60 IN TXT "x"`), func(_ string, r, m *dns.Msg) {
		for _, typ := range []string{"TXT", "MX"} {
			rr, err := dns.NewRR(fmt.Sprintf(sig, typ))
			if err != nil {
				t.Error(err)
			}
			m.Answer = append(m.Answer, rr)
		}
	})
	addr := listen(t, h)
	c := newClient(t, Options{Servers: []string{addr}, DNSSEC: true})
	a, err := c.Resolve(ctx, txtQ)
	want(t, a, err, nil)
	if len(a.Records) != 1 || len(a.Signatures) != 1 || !strings.HasPrefix(a.Signatures[0].Data.String(), "TXT ") {
		t.Errorf("%v %v", a.Records, a.Signatures)
	}
	c = newClient(t, Options{Servers: []string{addr}})
	if a, _ = c.Resolve(ctx, txtQ); len(a.Signatures) != 0 {
		t.Errorf("signatures that were not asked for: %v", a.Signatures)
	}
}

func TestCache(t *testing.T) {
	clk := &clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	noSOA := edited(zone(t, soaRR,
		`example.org. 100 IN TXT "x"`, "www.example.org. 50 IN CNAME example.org.", `zero.example.org. 0 IN TXT "x"`,
		`long.example.org. 1000000 IN TXT "x"`, `huge.example.org. 4294967295 IN TXT "x"`, `nosoa.example.org. 60 IN MX 1 a.`),
		func(_ string, r, m *dns.Msg) {
			switch {
			case strings.HasPrefix(r.Question[0].Name, "nosoa."):
				m.Ns = nil
			case strings.HasPrefix(r.Question[0].Name, "fail."):
				m.Rcode = dns.RcodeServerFailure
			}
		})
	c := newClient(t, Options{Servers: []string{listen(t, noSOA)}, Now: clk.Now})
	for _, tt := range []struct {
		q      resolve.Question
		after  time.Duration
		cached bool
	}{
		{ask("example.org", resolve.TypeTXT), 99 * time.Second, true},
		{ask("example.org", resolve.TypeTXT), 100 * time.Second, false},
		{ask("www.example.org", resolve.TypeTXT), 49 * time.Second, true},
		{ask("www.example.org", resolve.TypeTXT), 50 * time.Second, false}, // the alias expires first
		{ask("zero.example.org", resolve.TypeTXT), 0, false},
		{ask("huge.example.org", resolve.TypeTXT), 0, false}, // RFC 2181, Section 8
		{ask("long.example.org", resolve.TypeTXT), maxTTL - time.Second, true},
		{ask("long.example.org", resolve.TypeTXT), maxTTL, false},
		{ask("example.org", resolve.TypeAAAA), 59 * time.Second, true}, // RFC 2308: the minimum field of 60
		{ask("example.org", resolve.TypeAAAA), 60 * time.Second, false},
		{ask("none.example.org", resolve.TypeTXT), 59 * time.Second, true},
		{ask("nosoa.example.org", resolve.TypeTXT), 0, false},
		{ask("fail.example.org", resolve.TypeTXT), 0, false},
	} {
		clk.now = clk.now.Add(48 * time.Hour)
		first, err1 := c.Resolve(ctx, tt.q)
		clk.now = clk.now.Add(tt.after)
		second, err2 := c.Resolve(ctx, tt.q)
		if first.Cached || second.Cached != tt.cached {
			t.Errorf("%v after %v: cached %v", tt.q, tt.after, second.Cached)
		}
		if !errors.Is(err2, resolve.ReasonOf(err1)) && err1 != err2 {
			t.Errorf("%v: %v, then %v", tt.q, err1, err2)
		}
		for i, r := range second.Records {
			if tt.cached && r.TTL != first.Records[i].TTL-uint32(tt.after/time.Second) {
				t.Errorf("%v: TTL %d after %v", tt.q, r.TTL, tt.after)
			}
		}
	}
	// What a caller does with an answer does not reach the cache.
	a, _ := c.Resolve(ctx, txtQ)
	a.Records[0].TTL = 9
	if b, _ := c.Resolve(ctx, txtQ); !b.Cached || b.Records[0].TTL != 100 {
		t.Errorf("cache holds %+v", b)
	}
}

func TestCacheIsBounded(t *testing.T) {
	at := time.Now()
	put := func(c *cache, i, size int) {
		n, _ := resolve.MustName("example.org").Below(fmt.Sprintf("n%d", i))
		q := resolve.Question{Name: n, Type: resolve.TypeTXT}
		txt := resolve.SplitTXT(strings.Repeat("x", size))
		c.put(resolve.Answer{Question: q, At: at, Records: []resolve.Record{{Name: n, Type: q.Type, TTL: 60, Data: txt}}}, nil)
	}
	c := newCache(1000)
	for i := range 5000 {
		put(c, i, 10)
		if i%100 == 0 { // what is used stays
			c.get(ask("n0.example.org", resolve.TypeTXT), at)
		}
	}
	if n := len(c.young) + len(c.old); n > 1000 {
		t.Errorf("%d entries", n)
	}
	if _, _, ok := c.get(ask("n0.example.org", resolve.TypeTXT), at); !ok {
		t.Error("the entry in use was dropped")
	}
	c = newCache(0)
	for i := range 1200 {
		put(c, i, 60_000)
	}
	octets := 0
	for _, m := range []map[resolve.Question]cached{c.young, c.old} {
		for _, e := range m {
			octets += e.size
		}
	}
	if octets > cacheOctets {
		t.Errorf("%d octets", octets)
	}
	if newCache(-1) != nil {
		t.Error("a cache that was not wanted")
	}
}
