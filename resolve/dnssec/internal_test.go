package dnssec

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

func name(t testing.TB, s string) resolve.Name {
	t.Helper()
	n, err := resolve.NameFromMaster(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The order of RFC 4034, Section 6.1.
func TestCompare(t *testing.T) {
	var sorted []resolve.Name
	for _, s := range []string{".", "example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.", "z.example.", `\001.z.example.`, "*.z.example.", `\200.z.example.`} {
		sorted = append(sorted, name(t, s))
	}
	for i, a := range sorted {
		for j, b := range sorted {
			if c := compare(a, b); c < 0 != (i < j) || c > 0 != (i > j) {
				t.Errorf("compare(%s, %s) = %d", a, b, c)
			}
		}
	}
}

func TestNSECCovers(t *testing.T) {
	apex, cut := types{dns.TypeNS, dns.TypeSOA}, types{dns.TypeNS}
	for _, tt := range []struct {
		owner, next string
		types       types
		name        string
		want        bool
	}{
		{"a.example", "c.example", nil, "b.example", true},
		{"a.example", "c.example", nil, "x.a.example", true},
		{"a.example", "c.example", nil, "a.example", false},
		{"a.example", "c.example", nil, "c.example", false},
		{"a.example", "c.example", nil, "d.example", false},
		{"a.example", "c.example", nil, "x.c.example", false},
		{"z.example", "example", nil, "zz.example", true}, // the last one
		{"z.example", "example", nil, "y.example", false},
		{"z.example", "example", nil, "example", false},
		{"example", "example", apex, "x.example", true}, // the only one
		{"example", "example", apex, "example", false},
		{"a.example", "c.example", cut, "x.a.example", false}, // RFC 6840, Section 4.1
		{"a.example", "c.example", types{dns.TypeDNAME}, "x.a.example", false},
		{"a.example", "c.example", cut, "b.example", true},
		{"a.example", "c.example", apex, "x.a.example", true},
	} {
		n := nsec{owner: name(t, tt.owner), next: name(t, tt.next), types: tt.types}
		if got := n.covers(name(t, tt.name)); got != tt.want {
			t.Errorf("%s to %s covers %s: %v", tt.owner, tt.next, tt.name, got)
		}
	}
}

func TestLacks(t *testing.T) {
	apex, cut := types{dns.TypeNS, dns.TypeSOA, dns.TypeMX}, types{dns.TypeNS, dns.TypeDS}
	for _, tt := range []struct {
		name      string
		types     types
		typ       resolve.Type
		root      bool
		lacks, ok bool
	}{
		{"another type", apex, resolve.TypeTXT, false, true, true},
		{"the type", apex, resolve.TypeMX, false, false, true},
		{"an alias", types{dns.TypeCNAME}, resolve.TypeTXT, false, false, true}, // RFC 6840, Section 4.3
		{"DS of the child's apex", apex, resolve.TypeDS, false, false, false},   // RFC 6840, Section 4.4
		{"DS of the root", apex, resolve.TypeDS, true, true, true},
		{"DS of an unsigned delegation", types{dns.TypeNS}, resolve.TypeDS, false, true, true},
		{"DS of a signed delegation", cut, resolve.TypeDS, false, false, true},
		{"the parent about the child", cut, resolve.TypeMX, false, false, false}, // RFC 6840, Section 4.1
	} {
		if lacks, ok := tt.types.lacks(tt.typ, tt.root); lacks != tt.lacks || ok != tt.ok {
			t.Errorf("%s: %v, %v", tt.name, lacks, ok)
		}
	}
}

func TestNSEC3Covers(t *testing.T) {
	for _, tt := range []struct {
		owner, next, hash string
		want              bool
	}{
		{"B", "D", "C", true}, {"B", "D", "B", false}, {"B", "D", "D", false}, {"B", "D", "E", false}, {"B", "D", "A", false},
		{"D", "B", "E", true}, {"D", "B", "A", true}, {"D", "B", "C", false}, {"D", "B", "D", false}, {"D", "B", "B", false},
		{"B", "B", "A", true}, {"B", "B", "B", false},
	} {
		if got := (nsec3{owner: tt.owner, next: tt.next}).covers(tt.hash); got != tt.want {
			t.Errorf("%s to %s covers %s: %v", tt.owner, tt.next, tt.hash, got)
		}
	}
}

// The hashes of RFC 5155, Appendix A.
func TestHash(t *testing.T) {
	e := &evidence{zone: name(t, "example"), hashes: map[resolve.Name]string{}, nsec3: []nsec3{{salt: "aabbccdd", iterations: 12}}}
	for n, want := range map[string]string{
		"example": "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "a.example": "35mthgpgcu1qg68fab165klnsnk3dpvl", "*.w.example": "r53bq7cc2uvmubfu5ocmm6pers9tk9en",
	} {
		if got := e.hash(name(t, n)); !strings.EqualFold(got, want) {
			t.Errorf("%s: %s", n, got)
		}
	}
}

func TestNewNSEC3(t *testing.T) {
	const hash = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"
	zone := name(t, "example")
	for _, tt := range []struct {
		name  string
		owner string
		rr    dns.NSEC3
		want  bool
	}{
		{"good", hash + ".example", dns.NSEC3{Hash: 1, Flags: 1, NextDomain: strings.ToUpper(hash)}, true},
		{"hash algorithm", hash + ".example", dns.NSEC3{Hash: 2, NextDomain: strings.ToUpper(hash)}, false},
		{"flag", hash + ".example", dns.NSEC3{Hash: 1, Flags: 2, NextDomain: strings.ToUpper(hash)}, false},
		{"deeper", hash + ".x.example", dns.NSEC3{Hash: 1, NextDomain: strings.ToUpper(hash)}, false},
		{"short owner", "0p9m.example", dns.NSEC3{Hash: 1, NextDomain: strings.ToUpper(hash)}, false},
		{"owner no hash", strings.Repeat("z", 32) + ".example", dns.NSEC3{Hash: 1, NextDomain: strings.ToUpper(hash)}, false},
		{"short next", hash + ".example", dns.NSEC3{Hash: 1, NextDomain: "0P9M"}, false},
	} {
		if _, ok := newNSEC3(&tt.rr, name(t, tt.owner), zone); ok != tt.want {
			t.Errorf("%s: %v", tt.name, ok)
		}
	}
}

func TestIsWeak(t *testing.T) {
	key := func(exponent, modulus []byte) string {
		return base64.StdEncoding.EncodeToString(slices.Concat([]byte{byte(len(exponent))}, exponent, modulus))
	}
	odd := func(octets int) []byte { return slices.Concat([]byte{0x80}, make([]byte, octets-2), []byte{1}) }
	usual := []byte{1, 0, 1}
	for _, tt := range []struct {
		name string
		alg  uint8
		key  string
		want bool
	}{
		{"2048 bits", 8, key(usual, odd(256)), false},
		{"1024 bits", 8, key(usual, odd(128)), false},
		{"1016 bits", 8, key(usual, odd(127)), true},
		{"512 bits", 10, key(usual, odd(64)), true},
		{"504 bits: never valid", 8, key(usual, odd(63)), false},
		{"exponent 2^32+1", 8, key([]byte{1, 0, 0, 0, 1}, odd(256)), true},
		{"exponent 2^31+1", 8, key([]byte{0x80, 0, 0, 1}, odd(256)), true},
		{"8192 bits: never valid", 8, key([]byte{1, 0, 0, 0, 1}, odd(1024)), false},
		{"no modulus", 8, key(usual, nil), false},
		{"empty", 8, "", false},
		{"not base64", 8, "!", false},
		{"ECDSA", 13, key(usual, odd(64)), false},
	} {
		if got := isWeak(&dns.DNSKEY{Algorithm: tt.alg, PublicKey: tt.key}); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestSerialTimes(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, d := range []time.Duration{0, time.Hour, -time.Hour, 60 * 365 * 24 * time.Hour, -60 * 365 * 24 * time.Hour} {
		want := now.Add(d)
		if got := serialTime(uint32(want.Unix()), now); !got.Equal(want) {
			t.Errorf("%v: %v", want, got)
		}
	}
}

// A set of DS records is used as RFC 4509, Section 3, and RFC 9905 say.
func TestUsableDS(t *testing.T) {
	ds := func(alg, digest uint8) dns.RR { return &dns.DS{Algorithm: alg, DigestType: digest} }
	for _, tt := range []struct {
		name string
		rrs  []dns.RR
		want int
	}{
		{"one", []dns.RR{ds(13, 2)}, 1},
		{"SHA-1 alone", []dns.RR{ds(13, 1)}, 1},
		{"SHA-1 beside SHA-256", []dns.RR{ds(13, 1), ds(13, 2)}, 1},
		{"SHA-1 beside an unknown digest", []dns.RR{ds(13, 1), ds(13, 3)}, 1},
		{"old and new algorithm", []dns.RR{ds(5, 2), ds(8, 2)}, 1},
		{"only unsupported", []dns.RR{ds(5, 2), ds(7, 2), ds(1, 2), ds(12, 2), ds(16, 2), ds(253, 2), ds(13, 3), ds(13, 0)}, 0},
	} {
		if got, detail := usableDS(&set{name: resolve.Root, typ: dns.TypeDS, rrs: tt.rrs}); len(got) != tt.want || tt.want == 0 == (detail == "") {
			t.Errorf("%s: %d, %q", tt.name, len(got), detail)
		}
	}
}
