package spf_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// memory answers from a map of finished answers, as fast as a resolver can be.
type memory map[resolve.Question]resolve.Answer

func (m memory) Resolve(_ context.Context, q resolve.Question) (resolve.Answer, error) {
	if a, found := m[q]; found {
		return a, nil
	}
	return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrNXDomain, Question: q}
}

func (z *zone) memory() memory {
	m := memory{}
	for q, rs := range z.records {
		m[q] = resolve.Answer{Question: q, Records: rs}
	}
	return m
}

// benchZone has a plain record, a tree of eight includes with about fifty
// networks, and a record of a, mx and macros.
func benchZone() *zone {
	z := newZone()
	z.txt("plain.example", "v=spf1 ip4:192.0.2.0/24 -all")
	z.txt("tree.example", "some-verification=0123456789abcdefghijklmnopqrstuvwxyz")
	z.txt("tree.example", "v=spf1 include:_spf.big.example include:spf.office.example include:bulk.example ip4:198.51.100.0/24 -all")
	z.txt("tree.example", "other=12345678")
	z.txt("_spf.big.example", "v=spf1 include:_net1.big.example include:_net2.big.example include:_net3.big.example ~all")
	z.txt("_net1.big.example", "v=spf1 ip4:35.190.247.0/24 ip4:64.233.160.0/19 ip4:66.102.0.0/20 ip4:66.249.80.0/20 ip4:72.14.192.0/18 ip4:74.125.0.0/16 ip4:108.177.8.0/21 ip4:173.194.0.0/16 ip4:209.85.128.0/17 ip4:216.58.192.0/19 ip4:216.239.32.0/19 ~all")
	z.txt("_net2.big.example", "v=spf1 ip6:2001:4860:4000::/36 ip6:2404:6800:4000::/36 ip6:2607:f8b0:4000::/36 ip6:2800:3f0:4000::/36 ip6:2a00:1450:4000::/36 ip6:2c0f:fb50:4000::/36 ~all")
	z.txt("_net3.big.example", "v=spf1 ip4:172.217.0.0/19 ip4:172.217.32.0/20 ip4:172.217.128.0/19 ip4:172.217.160.0/20 ip4:172.217.192.0/19 ip4:172.253.56.0/21 ip4:172.253.112.0/20 ip4:108.177.96.0/19 ip4:35.191.0.0/16 ip4:130.211.0.0/22 ~all")
	z.txt("spf.office.example", "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15 ip4:52.102.0.0/16 ip4:52.103.0.0/17 ip4:104.47.0.0/17 ip6:2a01:111:f400::/48 ip6:2a01:111:f403::/49 ip6:2a01:111:f403:8000::/51 ip6:2a01:111:f403:c000::/51 ip6:2a01:111:f403:f000::/52 -all")
	z.txt("bulk.example", "v=spf1 ip4:167.89.0.0/17 ip4:208.117.48.0/20 ip4:50.31.32.0/19 ip4:198.37.144.0/20 ip4:198.21.0.0/21 ip4:192.254.112.0/20 ip4:168.245.0.0/17 ip4:149.72.0.0/16 ip4:159.183.0.0/16 include:ab.bulk.example ~all")
	z.txt("ab.bulk.example", "v=spf1 ip4:223.165.113.0/24 ip4:223.165.115.0/24 ip4:223.165.118.0/23 ip4:223.165.120.0/23 ~all")
	z.txt("amx.example", "v=spf1 a mx a:mailout.amx.example exists:%{ir}.%{v}._spf.%{d2} ?include:plain.example ~all")
	z.addr("amx.example", "192.0.2.80").mx("amx.example", "mx1.amx.example", "mx2.amx.example")
	z.addr("mx1.amx.example", "192.0.2.81").addr("mx2.amx.example", "192.0.2.82").addr("mailout.amx.example", "192.0.2.83", "192.0.2.84")
	return z
}

var benchCases = []struct {
	name, domain, ip string
	want             spf.Status
}{
	{"plain", "plain.example", "192.0.2.10", spf.Pass},
	{"tree-first", "tree.example", "209.85.220.41", spf.Pass},
	{"tree-last", "tree.example", "198.51.100.7", spf.Pass},
	{"tree-fail", "tree.example", "203.0.113.77", spf.Fail},
	{"amx-macro", "amx.example", "203.0.113.77", spf.SoftFail},
}

func BenchmarkCheck(b *testing.B) {
	m := benchZone().memory()
	for _, mode := range []struct {
		name string
		opt  spf.Options
	}{{"uncached", spf.Options{}}, {"cached", spf.Options{Cache: spf.NewCache(0)}}} {
		for _, c := range benchCases {
			b.Run(mode.name+"/"+c.name, func(b *testing.B) {
				args := spf.Args{IP: netip.MustParseAddr(c.ip), Helo: "mail." + c.domain, MailFrom: "user@" + c.domain}
				b.ReportAllocs()
				for b.Loop() {
					if res := spf.Check(b.Context(), m, args, mode.opt); res.Status != c.want {
						b.Fatal(res.Status, res.Err)
					}
				}
			})
		}
	}
}

// BenchmarkCheckSlow is the tree behind 20 ms of network.
func BenchmarkCheckSlow(b *testing.B) {
	for _, serial := range []bool{false, true} {
		b.Run(map[bool]string{false: "ahead", true: "serial"}[serial], func(b *testing.B) {
			z := benchZone()
			z.delay = 20 * time.Millisecond
			args := spf.Args{IP: netip.MustParseAddr("203.0.113.77"), MailFrom: "user@tree.example"}
			for b.Loop() {
				if res := spf.Check(b.Context(), z, args, spf.Options{Serial: serial}); res.Status != spf.Fail {
					b.Fatal(res.Status, res.Err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	const text = "v=spf1 include:_spf.big.example include:spf.office.example include:bulk.example ip4:198.51.100.0/24 -all"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := spf.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAnalyze(b *testing.B) {
	m := benchZone().memory()
	domain := resolve.MustName("tree.example")
	b.ReportAllocs()
	for b.Loop() {
		if a, err := spf.Analyze(b.Context(), m, domain, spf.Options{}); err != nil || a.Lookups != 7 {
			b.Fatal(a.Lookups, err)
		}
	}
}
