package netguard

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// ErrForbidden matches every refusal of a [Guard] with errors.Is.
var ErrForbidden = errors.New("address is not public")

// Error is an address that was refused.
type Error struct {
	Addr  netip.Addr
	Class string // "loopback", "private", ...; see [Classify]
}

// Error is "127.0.0.1: address is not public (loopback)".
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %v (%s)", e.Addr, ErrForbidden, e.Class)
}

// Unwrap returns ErrForbidden.
func (e *Error) Unwrap() error { return ErrForbidden }

// Guard decides which addresses may be dialed. The zero value lets through
// nothing but public unicast addresses.
type Guard struct {
	// Allow lists networks to be reached although they are not public: those of
	// a test, or of an operator who audits the inside. It is compared with the
	// address itself, not with an IPv4 address that is embedded in it.
	Allow []netip.Prefix
}

// Check returns nil or an *[Error].
func (g Guard) Check(a netip.Addr) error {
	// A zone only picks an interface, and an IPv4-mapped address is dialed as IPv4.
	a = a.WithZone("").Unmap()
	for _, p := range g.Allow {
		if p.Contains(a) {
			return nil
		}
	}
	if class := Classify(a); class != "" {
		return &Error{Addr: a, Class: class}
	}
	return nil
}

// Control has the form of the field of the same name of [net.Dialer]. The
// kernel has not seen the address yet, and nothing can change it any more.
func (g Guard) Control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		// A unix socket, or a form that the net package does not produce.
		return fmt.Errorf("%w: %q is no address and port", ErrForbidden, shorten(address))
	}
	return g.Check(ap.Addr())
}

// wellKnownNAT64 is in use on networks without IPv4 (RFC 6052): what is behind
// it decides.
var wellKnownNAT64 = netip.MustParsePrefix("64:ff9b::/96")

// global is the space from which IPv6 unicast addresses are given out (RFC 4291,
// Section 2.4, and the IANA registry): outside of it nothing is public.
var global = netip.MustParsePrefix("2000::/3")

// special are the networks that no stranger may send us to. A longer prefix
// stands before a shorter one that holds it.
var special = []struct {
	prefix netip.Prefix
	class  string
}{
	// IPv4 (RFC 6890, Section 2.2.2, as kept by IANA).
	{netip.MustParsePrefix("0.0.0.0/8"), "this network"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.100.100.200/32"), "cloud metadata"}, // Alibaba Cloud
	{netip.MustParsePrefix("100.64.0.0/10"), "carrier NAT"},         // RFC 6598
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("168.63.129.16/32"), "cloud metadata"}, // Azure; a public address that is answered inside
	{netip.MustParsePrefix("169.254.169.254/32"), "cloud metadata"},
	{netip.MustParsePrefix("169.254.170.2/32"), "cloud metadata"}, // AWS containers
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignments"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay"}, // RFC 7526: deprecated
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("255.255.255.255/32"), "broadcast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},

	// IPv6 (RFC 6890, Section 2.2.3, as kept by IANA).
	{netip.MustParsePrefix("::/128"), "unspecified"},
	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("::/96"), "IPv4-compatible"},      // RFC 4291, Section 2.5.5.1: deprecated
	{netip.MustParsePrefix("64:ff9b:1::/48"), "local NAT64"}, // RFC 8215
	{netip.MustParsePrefix("100::/64"), "discard"},
	{netip.MustParsePrefix("2001::/32"), "Teredo"},
	{netip.MustParsePrefix("2001::/23"), "protocol assignments"},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
	{netip.MustParsePrefix("3fff::/20"), "documentation"}, // RFC 9637
	{netip.MustParsePrefix("fd00:ec2::254/128"), "cloud metadata"},
	{netip.MustParsePrefix("fd20:ce::254/128"), "cloud metadata"},
	{netip.MustParsePrefix("fc00::/7"), "private"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("fec0::/10"), "site-local"}, // RFC 3879: deprecated
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

// Classify names the reason why an address is not a public unicast one; it is
// empty for those that are. An IPv6 address that carries an IPv4 address to a
// translator or relay is what that IPv4 address is.
func Classify(a netip.Addr) string {
	a = a.WithZone("").Unmap()
	if !a.IsValid() {
		return "no address"
	}
	for _, s := range special {
		if s.prefix.Contains(a) {
			return s.class
		}
	}
	if a.Is4() {
		return ""
	}
	if inner, form := embedded(a); form != "" {
		if class := Classify(inner); class != "" {
			return class + " in " + form
		}
		return ""
	}
	if !global.Contains(a) {
		return "not allocated"
	}
	return ""
}

// embedded returns the IPv4 address to which a gateway would carry on.
func embedded(a netip.Addr) (inner netip.Addr, form string) {
	b := a.As16()
	switch {
	case wellKnownNAT64.Contains(a): // RFC 6052, Section 2.1
		return netip.AddrFrom4([4]byte(b[12:])), "NAT64"
	case b[0] == 0x20 && b[1] == 0x02: // RFC 3056, Section 2: 2002:V4ADDR::/48
		return netip.AddrFrom4([4]byte(b[2:6])), "6to4"
	case b[8]&^3 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // RFC 5214, Section 6.1
		return netip.AddrFrom4([4]byte(b[12:])), "ISATAP"
	}
	return netip.Addr{}, ""
}

func shorten(s string) string {
	if len(s) > 64 {
		return s[:64]
	}
	return s
}
