package spf

import (
	"math/bits"
	"net/netip"
	"slices"
)

// maxNets bounds the networks that are added up.
const maxNets = 100_000

// netSet is a union of networks.
type netSet struct {
	four []span
	six  []netip.Prefix
	wide float64 // part of its family that the widest network has
}

// span is a range of IPv4 addresses, both ends in it.
type span struct{ from, to uint32 }

func (s *netSet) add(ps []netip.Prefix) bool {
	for _, p := range ps {
		if len(s.four)+len(s.six) >= maxNets {
			return false
		}
		if p.Addr().Is4() {
			from := value4(p.Addr())
			s.four = append(s.four, span{from, from | ^uint32(0)>>p.Bits()})
		} else {
			s.six = append(s.six, p)
		}
	}
	return true
}

// widest calls found if p is wider than all before, in parts of its family.
// IPv6 networks are compared by their first 64 bits.
func (s *netSet) widest(p netip.Prefix, found func()) {
	share := 1 / float64(uint64(1)<<min(p.Bits(), 63))
	if share > s.wide {
		s.wide = share
		found()
	}
}

func value4(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// v4 is the union as the fewest networks, and the number of addresses in it.
func (s *netSet) v4() (out []netip.Prefix, count uint64) {
	slices.SortFunc(s.four, func(a, b span) int {
		switch {
		case a.from < b.from:
			return -1
		case a.from > b.from:
			return 1
		}
		return 0
	})
	for i := 0; i < len(s.four); {
		from, to := uint64(s.four[i].from), uint64(s.four[i].to)
		for i++; i < len(s.four) && uint64(s.four[i].from) <= to+1; i++ {
			to = max(to, uint64(s.four[i].to))
		}
		count += to - from + 1
		out = appendRange(out, from, to)
	}
	return out, count
}

// appendRange writes a range as networks.
func appendRange(out []netip.Prefix, from, to uint64) []netip.Prefix {
	for from <= to {
		size := min(bits.TrailingZeros64(from|1<<32), bits.Len64(to-from+1)-1)
		out = append(out, netip.PrefixFrom(addr4(uint32(from)), 32-size))
		from += 1 << size
	}
	return out
}

// v6 is the union without networks that lie in others.
func (s *netSet) v6() (out []netip.Prefix) {
	slices.SortFunc(s.six, func(a, b netip.Prefix) int {
		if c := a.Addr().Compare(b.Addr()); c != 0 {
			return c
		}
		return a.Bits() - b.Bits()
	})
	for _, p := range s.six {
		if n := len(out); n > 0 && out[n-1].Overlaps(p) {
			continue
		}
		out = append(out, p)
	}
	return out
}
