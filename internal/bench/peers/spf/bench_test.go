package spfbench

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	peer "blitiri.com.ar/go/spf"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// texts are a plain record, a tree as large senders have it (eight records, about
// fifty networks), and a record of a, mx and macros.
var texts = map[string][]string{
	"plain.example": {"v=spf1 ip4:192.0.2.0/24 -all"},
	"tree.example": {
		"some-verification=0123456789abcdefghijklmnopqrstuvwxyz",
		"v=spf1 include:_spf.big.example include:spf.office.example include:bulk.example ip4:198.51.100.0/24 -all",
		"other=12345678",
	},
	"_spf.big.example":   {"v=spf1 include:_net1.big.example include:_net2.big.example include:_net3.big.example ~all"},
	"_net1.big.example":  {"v=spf1 " + networks(11, "ip4:35.%d.0.0/19") + " ~all"},
	"_net2.big.example":  {"v=spf1 " + networks(6, "ip6:2001:db8:%d000::/36") + " ~all"},
	"_net3.big.example":  {"v=spf1 " + networks(10, "ip4:172.%d.0.0/20") + " ~all"},
	"spf.office.example": {"v=spf1 " + networks(6, "ip4:40.%d.0.0/15") + " " + networks(5, "ip6:2a01:111:f40%d::/49") + " -all"},
	"bulk.example":       {"v=spf1 " + networks(9, "ip4:167.%d.0.0/17") + " include:ab.bulk.example ~all"},
	"ab.bulk.example":    {"v=spf1 " + networks(4, "ip4:223.165.%d.0/24") + " ~all"},
	"amx.example":        {"v=spf1 a mx a:mailout.amx.example exists:%{ir}.%{v}._spf.%{d2} ?include:plain.example ~all"},
}

var addrs = map[string][]string{
	"amx.example": {"192.0.2.80"}, "mx1.amx.example": {"192.0.2.81"}, "mx2.amx.example": {"192.0.2.82"}, "mailout.amx.example": {"192.0.2.83", "192.0.2.84"},
}

var mxs = map[string][]string{"amx.example": {"mx1.amx.example", "mx2.amx.example"}}

func networks(n int, form string) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(form, i))
	}
	return strings.Join(out, " ")
}

var cases = []struct{ name, domain, ip, want string }{
	{"plain", "plain.example", "192.0.2.10", "pass"},
	{"tree-first", "tree.example", "35.3.1.1", "pass"},
	{"tree-last", "tree.example", "198.51.100.7", "pass"},
	{"tree-fail", "tree.example", "203.0.113.77", "fail"},
	{"amx-macro", "amx.example", "203.0.113.77", "softfail"},
}

// ours answers from finished answers.
type ours struct {
	answers map[resolve.Question]resolve.Answer
	delay   time.Duration
}

func (m ours) Resolve(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
	wait(m.delay)
	if a, found := m.answers[q]; found {
		return a, nil
	}
	return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrNXDomain, Question: q}
}

func wait(d time.Duration) {
	if d > 0 {
		time.Sleep(d)
	}
}

func ourZone() ours {
	m := ours{answers: map[resolve.Question]resolve.Answer{}}
	add := func(owner string, t resolve.Type, d resolve.Data) {
		q := resolve.Question{Name: resolve.MustName(owner), Type: t}
		a := m.answers[q]
		a.Question = q
		a.Records = append(a.Records, resolve.Record{Name: q.Name, Type: t, TTL: 60, Data: d})
		m.answers[q] = a
	}
	for owner, list := range texts {
		for _, s := range list {
			add(owner, resolve.TypeTXT, resolve.SplitTXT(s))
		}
	}
	for owner, list := range addrs {
		for _, s := range list {
			add(owner, resolve.TypeA, resolve.Addr{Addr: netip.MustParseAddr(s)})
		}
	}
	for owner, list := range mxs {
		for i, h := range list {
			add(owner, resolve.TypeMX, resolve.MX{Preference: uint16(10 * i), Host: resolve.MustName(h)})
		}
	}
	return m
}

// theirs answers the peer from finished answers.
type theirs struct {
	ips   map[string][]net.IPAddr
	mx    map[string][]*net.MX
	delay time.Duration
}

var errNone = &net.DNSError{Err: "no such host", IsNotFound: true}

func (m theirs) LookupTXT(_ context.Context, n string) ([]string, error) {
	wait(m.delay)
	if t, found := texts[n]; found {
		return t, nil
	}
	return nil, errNone
}

func (m theirs) LookupIPAddr(_ context.Context, n string) ([]net.IPAddr, error) {
	wait(m.delay)
	if a, found := m.ips[n]; found {
		return a, nil
	}
	return nil, errNone
}

func (m theirs) LookupMX(_ context.Context, n string) ([]*net.MX, error) {
	wait(m.delay)
	if a, found := m.mx[n]; found {
		return a, nil
	}
	return nil, errNone
}

func (m theirs) LookupAddr(context.Context, string) ([]string, error) {
	wait(m.delay)
	return nil, errNone
}

func theirZone() theirs {
	m := theirs{ips: map[string][]net.IPAddr{}, mx: map[string][]*net.MX{}}
	for owner, list := range addrs {
		for _, s := range list {
			m.ips[owner] = append(m.ips[owner], net.IPAddr{IP: net.ParseIP(s)})
		}
	}
	for owner, list := range mxs {
		for i, h := range list {
			m.mx[owner] = append(m.mx[owner], &net.MX{Host: h, Pref: uint16(10 * i)})
		}
	}
	return m
}

// TestAgree refuses to measure two programs that do different things.
func TestAgree(t *testing.T) {
	us, them := ourZone(), theirZone()
	for _, c := range cases {
		a := spf.Check(t.Context(), us, spf.Args{IP: netip.MustParseAddr(c.ip), Helo: "mail." + c.domain, MailFrom: "user@" + c.domain}, spf.Options{})
		b, _ := peer.CheckHostWithSender(net.ParseIP(c.ip), "mail."+c.domain, "user@"+c.domain, peer.WithResolver(them))
		if string(a.Status) != c.want || string(b) != c.want {
			t.Errorf("%s: %s and %s, want %s", c.name, a.Status, b, c.want)
		}
	}
}

func BenchmarkMailcheck(b *testing.B) {
	us := ourZone()
	for _, mode := range []struct {
		name string
		opt  spf.Options
	}{{"uncached", spf.Options{}}, {"cached", spf.Options{Cache: spf.NewCache(0)}}} {
		for _, c := range cases {
			b.Run(mode.name+"/"+c.name, func(b *testing.B) {
				args := spf.Args{IP: netip.MustParseAddr(c.ip), Helo: "mail." + c.domain, MailFrom: "user@" + c.domain}
				b.ReportAllocs()
				for b.Loop() {
					if r := spf.Check(b.Context(), us, args, mode.opt); string(r.Status) != c.want {
						b.Fatal(r.Status, r.Err)
					}
				}
			})
		}
	}
}

func BenchmarkBlitiri(b *testing.B) {
	them := theirZone()
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			ip, opt := net.ParseIP(c.ip), peer.WithResolver(them)
			b.ReportAllocs()
			for b.Loop() {
				if r, err := peer.CheckHostWithSender(ip, "mail."+c.domain, "user@"+c.domain, opt); string(r) != c.want {
					b.Fatal(r, err)
				}
			}
		})
	}
}

// BenchmarkSlow is the tree with 20 ms of DNS for each question.
func BenchmarkSlow(b *testing.B) {
	us, them := ourZone(), theirZone()
	us.delay, them.delay = 20*time.Millisecond, 20*time.Millisecond
	c := cases[slices.IndexFunc(cases, func(c struct{ name, domain, ip, want string }) bool { return c.name == "tree-fail" })]
	b.Run("mailcheck", func(b *testing.B) {
		args := spf.Args{IP: netip.MustParseAddr(c.ip), Helo: "mail." + c.domain, MailFrom: "user@" + c.domain}
		for b.Loop() {
			spf.Check(b.Context(), us, args, spf.Options{})
		}
	})
	b.Run("blitiri", func(b *testing.B) {
		ip, opt := net.ParseIP(c.ip), peer.WithResolver(them)
		for b.Loop() {
			peer.CheckHostWithSender(ip, "mail."+c.domain, "user@"+c.domain, opt)
		}
	})
}
