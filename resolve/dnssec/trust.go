package dnssec

import (
	"net/netip"
	"net/url"
	"strings"
)

// forwards are loopback addresses behind which no validator runs, but something
// that hands on the AD bit of whoever it asks.
var forwards = []netip.Addr{
	netip.MustParseAddr("127.0.0.11"), // Docker's embedded server
}

// TrustedAD reports whether the AD bit of a server may be believed: whether it
// runs on this machine, so that nobody on the way can set the bit (RFC 6840,
// Section 5.8; RFC 7672, Section 2.1.1). The server is written as in
// resolve.Answer, such as "127.0.0.1:53" or "[::1]:53"; a name is never trusted,
// not even "localhost". It cannot tell whether the resolver there validates or
// hands on what another one claims: the operator has to know that.
func TrustedAD(server string) bool {
	host := server
	if u, err := url.Parse(server); err == nil && u.Host != "" {
		host = u.Host
	}
	addr, ok := parseAddr(host)
	if !ok || !addr.IsLoopback() {
		return false
	}
	for _, f := range forwards {
		if addr == f {
			return false
		}
	}
	return true
}

func parseAddr(host string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(host); err == nil {
		return ap.Addr().Unmap(), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return a.Unmap(), err == nil
}
