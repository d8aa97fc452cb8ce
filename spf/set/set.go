package set

import (
	"net/netip"
	"slices"
	"strings"
)

// Range is a run of addresses of one family, both ends in it.
type Range struct{ From, To netip.Addr }

// Prefixes writes the range as the fewest networks.
func (r Range) Prefixes() []netip.Prefix {
	var out []netip.Prefix
	for from := r.From; ; {
		p := widest(from, r.To)
		out = append(out, p)
		if end := last(p); end == r.To {
			return out
		} else {
			from = end.Next()
		}
	}
}

// String is "192.0.2.0/24", "192.0.2.1" or "192.0.2.1-192.0.2.9".
func (r Range) String() string {
	if r.From == r.To {
		return r.From.String()
	}
	if p := widest(r.From, r.To); last(p) == r.To {
		return p.String()
	}
	return r.From.String() + "-" + r.To.String()
}

// widest is the widest network that begins at from and does not pass to.
func widest(from, to netip.Addr) netip.Prefix {
	lo, hi := 0, from.BitLen() // lo: perhaps too wide, hi: fits
	for lo < hi {
		mid := (lo + hi) / 2
		p := netip.PrefixFrom(from, mid)
		if p.Masked().Addr() == from && !to.Less(last(p)) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return netip.PrefixFrom(from, hi)
}

// last is the highest address of a network.
func last(p netip.Prefix) netip.Addr {
	bits := p.Bits()
	fill := func(b []byte) {
		for i := range b {
			switch {
			case bits >= 8*(i+1):
			case bits <= 8*i:
				b[i] = 0xff
			default:
				b[i] |= 0xff >> (bits - 8*i)
			}
		}
	}
	if p.Addr().Is4() {
		b := p.Addr().As4()
		fill(b[:])
		return netip.AddrFrom4(b)
	}
	b := p.Addr().As16()
	fill(b[:])
	return netip.AddrFrom16(b)
}

// Set is a set of addresses of both families. The zero value is empty; a set
// never changes, so copies may share it.
type Set struct{ r []Range } // in order, apart from each other by at least one address

// Of is the union of networks. Host bits do not matter.
func Of(prefixes ...netip.Prefix) Set {
	r := make([]Range, 0, len(prefixes))
	for _, p := range prefixes {
		if p = p.Masked(); p.IsValid() {
			r = append(r, Range{p.Addr(), last(p)})
		}
	}
	return join(r)
}

var (
	all4 = Of(netip.PrefixFrom(netip.IPv4Unspecified(), 0))
	all6 = Of(netip.PrefixFrom(netip.IPv6Unspecified(), 0))
)

// Everything is every address of both families.
func Everything() Set { return all4.Union(all6) }

// join sorts ranges and joins those that touch. It keeps r.
func join(r []Range) Set {
	slices.SortFunc(r, func(a, b Range) int { return a.From.Compare(b.From) })
	out := r[:0]
	for _, x := range r {
		if n := len(out); n > 0 && out[n-1].From.BitLen() == x.From.BitLen() && (!out[n-1].To.Less(x.From) || out[n-1].To.Next() == x.From) {
			if out[n-1].To.Less(x.To) {
				out[n-1].To = x.To
			}
			continue
		}
		out = append(out, x)
	}
	return Set{out}
}

// Ranges lists the set in order, IPv4 first. Do not change the slice.
func (s Set) Ranges() []Range { return s.r }

// Prefixes writes the set as the fewest networks, in order, IPv4 first.
func (s Set) Prefixes() []netip.Prefix {
	var out []netip.Prefix
	for _, r := range s.r {
		out = append(out, r.Prefixes()...)
	}
	return out
}

// Empty reports whether no address is in the set.
func (s Set) Empty() bool { return len(s.r) == 0 }

// Contains reports whether an address is in the set. An IPv4-mapped address is
// an IPv4 address.
func (s Set) Contains(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	i, found := slices.BinarySearchFunc(s.r, a, func(r Range, a netip.Addr) int { return r.From.Compare(a) })
	return found || i > 0 && !s.r[i-1].To.Less(a) && s.r[i-1].From.BitLen() == a.BitLen()
}

// Equal reports whether both hold the same addresses.
func (s Set) Equal(t Set) bool { return slices.Equal(s.r, t.r) }

// Union is what is in either.
func (s Set) Union(t Set) Set {
	switch {
	case s.Empty():
		return t
	case t.Empty():
		return s
	}
	return join(slices.Concat(s.r, t.r))
}

// Intersect is what is in both.
func (s Set) Intersect(t Set) Set {
	var out []Range
	for i, j := 0, 0; i < len(s.r) && j < len(t.r); {
		from, to := s.r[i].From, s.r[i].To
		if from.Less(t.r[j].From) {
			from = t.r[j].From
		}
		if t.r[j].To.Less(to) {
			to = t.r[j].To
		}
		if !to.Less(from) { // a range has one family, and IPv4 is less than IPv6
			out = append(out, Range{from, to})
		}
		if s.r[i].To.Less(t.r[j].To) {
			i++
		} else {
			j++
		}
	}
	return Set{out}
}

// Minus is what is in s and not in t.
func (s Set) Minus(t Set) Set {
	var out []Range
	j := 0
	for _, r := range s.r {
		for j < len(t.r) && t.r[j].To.Less(r.From) {
			j++
		}
		from, open := r.From, true
		for k := j; k < len(t.r) && !r.To.Less(t.r[k].From); k++ {
			if from.Less(t.r[k].From) {
				out = append(out, Range{from, t.r[k].From.Prev()})
			}
			if !t.r[k].To.Less(r.To) {
				open = false
				break
			}
			from = t.r[k].To.Next()
		}
		if open {
			out = append(out, Range{from, r.To})
		}
	}
	return Set{out}
}

// Split divides the set by family.
func (s Set) Split() (four, six Set) { return s.Intersect(all4), s.Intersect(all6) }

// Count4 is the number of IPv4 addresses.
func (s Set) Count4() (n uint64) {
	for _, r := range s.r {
		if r.From.Is4() {
			n += uint64(value4(r.To)-value4(r.From)) + 1
		}
	}
	return n
}

func value4(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// String lists the ranges with commas.
func (s Set) String() string {
	words := make([]string, len(s.r))
	for i, r := range s.r {
		words[i] = r.String()
	}
	return strings.Join(words, ", ")
}
