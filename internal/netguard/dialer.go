package netguard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// DialFunc is how a package that connects is told to: the form of
// net.Dialer.DialContext. It is safe for concurrent use.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Limits of a dialer.
const (
	// DefaultTimeout bounds one connection attempt.
	DefaultTimeout = 10 * time.Second
	// MaxAddresses is the number of addresses of one name that are tried.
	MaxAddresses = 8
)

// Dialer connects to what its Guard lets through. The zero value is usable.
type Dialer struct {
	Guard
	// Lookup finds the addresses of a name, best first. Nil asks the resolver
	// of the system; either way every address is checked when it is dialed.
	Lookup func(ctx context.Context, name string) ([]netip.Addr, error)
	// Timeout of one attempt; 0 means DefaultTimeout.
	Timeout time.Duration
}

// DialContext connects over TCP. The address is "host:port"; a host that is not
// an address in canonical form is taken as a name, so 0x7f.1 and 2130706433
// are names. If no address can be connected, the error wraps those of all that
// were tried.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, fmt.Errorf("%w: network %q", ErrForbidden, shorten(network))
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs, err := d.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	var failures []error
	for _, a := range addrs {
		if a = a.Unmap(); network == "tcp4" && !a.Is4() || network == "tcp6" && a.Is4() {
			continue
		}
		conn, err := d.dial(ctx, net.JoinHostPort(a.String(), port))
		if err == nil {
			return conn, nil
		}
		if failures = append(failures, err); ctx.Err() != nil {
			break
		}
	}
	if len(failures) == 0 {
		return nil, fmt.Errorf("%q has no address for %s", shorten(host), network)
	}
	return nil, errors.Join(failures...)
}

func (d *Dialer) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	lookup := d.Lookup
	if lookup == nil {
		lookup = func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		}
	}
	addrs, err := lookup(ctx, host)
	if len(addrs) > MaxAddresses {
		addrs = addrs[:MaxAddresses]
	}
	return addrs, err
}

func (d *Dialer) dial(ctx context.Context, address string) (net.Conn, error) {
	nd := net.Dialer{
		Timeout: d.Timeout,
		Control: d.Control,
		// One address, no second family behind our back.
		FallbackDelay: -1,
		KeepAlive:     -1,
	}
	if nd.Timeout == 0 {
		nd.Timeout = DefaultTimeout
	}
	// MPTCP would be one more thing in which we differ from a mail server.
	nd.SetMultipathTCP(false)
	return nd.DialContext(ctx, "tcp", address)
}
