package dnsbl

import (
	"net/netip"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// QueryAddr is the name under which a list holds an address (RFC 5782, Section 2.1
// and 2.4): the octets, or for IPv6 the hexadecimal digits, in reverse order.
func QueryAddr(zone resolve.Name, addr netip.Addr) (resolve.Name, error) {
	const hex = "0123456789abcdef"
	addr = addr.WithZone("")
	var labels []string
	switch b := addr.AsSlice(); {
	case addr.Is4():
		labels = append(labels, netip.AddrFrom4([4]byte{b[3], b[2], b[1], b[0]}).String())
	default:
		for i := len(b) - 1; i >= 0; i-- {
			labels = append(labels, string(hex[b[i]&15]), string(hex[b[i]>>4]))
		}
	}
	return zone.Below(strings.Join(labels, "."))
}

// QueryDomain is the name under which a list holds a domain (RFC 5782, Section 3).
// It fails if that is too long for a name.
func QueryDomain(zone, domain resolve.Name) (resolve.Name, error) {
	if domain.IsZero() || domain.IsRoot() {
		return zone.Below("")
	}
	return resolve.NameFromMaster(domain.FQDN() + zone.FQDN())
}

// controls are the names that test a list for a kind (RFC 5782, Section 5).
func (l List) controls(k Kind) (positive, negative resolve.Name, err error) {
	switch k {
	case IP4:
		positive, _ = QueryAddr(l.Zone, netip.AddrFrom4([4]byte{127, 0, 0, 2}))
		negative, err = QueryAddr(l.Zone, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
		return positive, negative, err
	case IP6:
		// RFC 5782, Section 5: the same two, as IPv4-mapped addresses.
		positive, _ = QueryAddr(l.Zone, netip.MustParseAddr("::ffff:7f00:2"))
		negative, err = QueryAddr(l.Zone, netip.MustParseAddr("::ffff:7f00:1"))
		return positive, negative, err
	}
	yes, no := l.Positive, l.Negative
	if yes == "" {
		yes = "test"
	}
	if no == "" {
		no = "invalid"
	}
	if positive, err = l.Zone.Below(yes); err != nil {
		return positive, negative, err
	}
	negative, err = l.Zone.Below(no)
	return positive, negative, err
}
