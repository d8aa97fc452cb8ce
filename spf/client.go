package spf

import "net/netip"

// client is the address under test in the forms that matching needs.
type client struct {
	addr   netip.Addr
	v4     bool
	hi, lo uint64 // IPv4 in lo
}

// newClient prepares an address. RFC 7208, Section 5: IPv4-mapped addresses are
// IPv4.
func newClient(a netip.Addr) client {
	a = a.Unmap().WithZone("")
	c := client{addr: a, v4: a.Is4()}
	c.hi, c.lo = halves(a)
	if c.v4 {
		c.hi, c.lo = 0, c.lo&0xffffffff
	}
	return c
}

// inIP4 reports whether the client is in an IPv4 network.
func (c *client) inIP4(network uint64, bits uint8) bool {
	return c.v4 && (network^c.lo)>>(32-bits) == 0
}

// inIP6 reports whether the client is in an IPv6 network.
func (c *client) inIP6(hi, lo uint64, bits uint8) bool {
	switch {
	case c.v4:
		return false
	case bits <= 64:
		return (hi^c.hi)>>(64-bits) == 0
	}
	return hi == c.hi && (lo^c.lo)>>(128-bits) == 0
}

// near reports whether an address that DNS gave covers the client under the
// prefix lengths of a or mx.
func (c *client) near(a netip.Addr, bits4, bits6 int) bool {
	if a.Is4() != c.v4 {
		return false
	}
	hi, lo := halves(a)
	if c.v4 {
		return c.inIP4(lo&0xffffffff, uint8(bits4))
	}
	return c.inIP6(hi, lo, uint8(bits6))
}

const nibbles = "0123456789ABCDEF"

// dotted is the macro i: the dotted quad, or 32 nibbles with dots.
func (c *client) dotted() string {
	if c.v4 {
		return c.addr.String()
	}
	b := c.addr.As16()
	out := make([]byte, 0, 63)
	for i, v := range b {
		if i > 0 {
			out = append(out, '.')
		}
		out = append(out, nibbles[v>>4], '.', nibbles[v&15])
	}
	return string(out)
}

// reverse is the name whose PTR records name the client (RFC 1035, Section 3.5;
// RFC 3596, Section 2.5).
func (c *client) reverse() string {
	suffix := ".ip6.arpa"
	if c.v4 {
		suffix = ".in-addr.arpa"
	}
	return string(transform(nil, c.dotted(), "r")) + suffix
}
