package nameserver

import (
	"context"
	"net"
	"net/netip"

	"github.com/mailcheck-go/mailcheck/internal/netguard"
)

// Dial makes a function that connects to name servers, over UDP and TCP: to public
// addresses, and to those of the networks given. Every address is checked when it is
// dialed, as it comes from the zone.
func Dial(allow ...netip.Prefix) func(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		Timeout: DefaultTimeout,
		Control: netguard.Guard{Allow: allow}.Control,
		// One address, no second family behind our back.
		FallbackDelay: -1,
	}
	d.SetMultipathTCP(false)
	return d.DialContext
}
