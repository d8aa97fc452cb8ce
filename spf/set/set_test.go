package set_test

import (
	"net/netip"
	"testing"

	"github.com/mailcheck-go/mailcheck/spf/set"
)

func nets(texts ...string) set.Set {
	var out []netip.Prefix
	for _, s := range texts {
		out = append(out, netip.MustParsePrefix(s))
	}
	return set.Of(out...)
}

func TestArithmetic(t *testing.T) {
	for _, c := range []struct {
		name string
		got  set.Set
		want string
	}{
		{"empty", set.Set{}, ""},
		{"host bits", nets("192.0.2.77/24"), "192.0.2.0/24"},
		{"joined", nets("192.0.2.0/25", "192.0.2.128/25"), "192.0.2.0/24"},
		{"inside", nets("192.0.2.0/24", "192.0.2.64/26"), "192.0.2.0/24"},
		{"range", nets("192.0.2.1/32", "192.0.2.2/32"), "192.0.2.1-192.0.2.2"},
		{"families apart", nets("255.255.255.255/32", "::/128"), "255.255.255.255, ::"},
		{"union", nets("10.0.0.0/9").Union(nets("10.128.0.0/9", "2001:db8::/32")), "10.0.0.0/8, 2001:db8::/32"},
		{"minus middle", nets("192.0.2.0/24").Minus(nets("192.0.2.1/32")), "192.0.2.0, 192.0.2.2-192.0.2.255"},
		{"minus end", nets("192.0.2.0/24").Minus(nets("192.0.2.128/25")), "192.0.2.0/25"},
		{"minus across", nets("192.0.2.0/25", "192.0.3.0/25").Minus(nets("192.0.2.64/26", "192.0.3.0/26")), "192.0.2.0/26, 192.0.3.64/26"},
		{"minus all", set.Everything().Minus(set.Everything()), ""},
		{"minus top", set.Everything().Minus(nets("0.0.0.0/0")), "::/0"},
		{"minus last", set.Everything().Minus(nets("255.255.255.255/32", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128")), "0.0.0.0-255.255.255.254, ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"},
		{"intersect", nets("192.0.2.0/24").Intersect(nets("192.0.2.200/29", "10.0.0.0/8")), "192.0.2.200/29"},
		{"intersect families", set.Everything().Intersect(nets("::/1")), "::/1"},
		{"mapped is no v6", nets("::ffff:0:0/96").Intersect(nets("0.0.0.0/0")), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.got.String(); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if back := set.Of(c.got.Prefixes()...); !back.Equal(c.got) {
				t.Errorf("its networks are %s", back)
			}
		})
	}
	if n := set.Everything().Count4(); n != 1<<32 {
		t.Errorf("%d IPv4 addresses", n)
	}
	if n := len(nets("0.0.0.0/0").Minus(nets("0.0.0.0/32", "255.255.255.255/32")).Prefixes()); n != 62 {
		t.Errorf("%d networks, want 62", n)
	}
	if !nets("192.0.2.0/24").Contains(netip.MustParseAddr("::ffff:192.0.2.9")) {
		t.Error("an IPv4-mapped address is an IPv4 address")
	}
}

// FuzzArithmetic compares the sets with naive membership.
func FuzzArithmetic(f *testing.F) {
	f.Add([]byte("\x01\x02\x03\x04\x05\x06\x07\x08"), []byte("\x01\x82\x13\x04"))
	f.Add([]byte{0, 0, 0, 1, 255, 255, 255, 8}, []byte{0, 0, 128, 0})
	f.Fuzz(func(t *testing.T, x, y []byte) {
		px, py := prefixes(x), prefixes(y)
		a, b := set.Of(px...), set.Of(py...)
		union, both, minus := a.Union(b), a.Intersect(b), a.Minus(b)
		for _, s := range []set.Set{a, b, union, both, minus} {
			if back := set.Of(s.Prefixes()...); !back.Equal(s) {
				t.Fatalf("%s has the networks of %s", s, back)
			}
			for i, r := range s.Ranges() {
				if r.To.Less(r.From) || r.From.BitLen() != r.To.BitLen() || i > 0 && !s.Ranges()[i-1].To.Less(r.From) {
					t.Fatalf("ranges of %s", s)
				}
			}
		}
		for _, p := range probes(append(px, py...)) {
			inA, inB := in(px, p), in(py, p)
			if a.Contains(p) != inA || b.Contains(p) != inB || union.Contains(p) != (inA || inB) || both.Contains(p) != (inA && inB) || minus.Contains(p) != (inA && !inB) {
				t.Fatalf("%s: %v %v in %s and %s", p, inA, inB, a, b)
			}
		}
	})
}

// prefixes makes networks of bytes, close to each other and to both ends.
func prefixes(b []byte) (out []netip.Prefix) {
	for ; len(b) >= 4 && len(out) < 40; b = b[4:] {
		if b[2]&1 == 0 {
			out = append(out, netip.PrefixFrom(netip.AddrFrom4([4]byte{b[0] | -(b[0] & 1), 0, b[1] & 3, b[2]}), int(b[3])%33))
			continue
		}
		a := [16]byte{b[0] | -(b[0] & 1), 15: b[1]}
		a[7] = b[2] & 6
		out = append(out, netip.PrefixFrom(netip.AddrFrom16(a), int(b[3])%129))
	}
	return out
}

func in(ps []netip.Prefix, a netip.Addr) bool {
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// probes are the ends of networks and their neighbours.
func probes(ps []netip.Prefix) (out []netip.Addr) {
	for _, p := range ps {
		for _, r := range set.Of(p).Ranges() {
			for _, a := range []netip.Addr{r.From, r.To, r.From.Prev(), r.To.Next()} {
				if a.IsValid() && !a.Is4In6() { // those count as IPv4
					out = append(out, a)
				}
			}
		}
	}
	return out
}
