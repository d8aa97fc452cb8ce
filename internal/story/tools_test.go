//go:build story

package story

import (
	"net/netip"
	"strings"
)

// reverseName is the name of the PTR record of an address, without the last dot.
func reverseName(ip string) string {
	a := netip.MustParseAddr(ip)
	var labels []string
	if a.Is4() {
		parts := strings.Split(ip, ".")
		for i := range parts {
			labels = append(labels, parts[3-i])
		}
		return strings.Join(labels, ".") + ".in-addr.arpa"
	}
	const hex = "0123456789abcdef"
	b := a.As16()
	for i := 15; i >= 0; i-- {
		labels = append(labels, hex[b[i]&15:b[i]&15+1], hex[b[i]>>4:b[i]>>4+1])
	}
	return strings.Join(labels, ".") + ".ip6.arpa"
}
