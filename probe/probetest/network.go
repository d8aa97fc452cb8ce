package probetest

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
)

// Network is an Internet in memory. The zero value is an empty one.
type Network struct {
	mu     sync.Mutex
	hosts  map[netip.AddrPort]*Host
	errs   map[netip.AddrPort]error
	logs   map[netip.AddrPort]*log
	dialed []netip.AddrPort
	wg     sync.WaitGroup
}

// client is where connections come from.
var client = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 250), Port: 40000}

// Add puts a host on an address such as "192.0.2.1:25".
func (n *Network) Add(address string, h Host) *Network {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts == nil {
		n.hosts, n.logs = map[netip.AddrPort]*Host{}, map[netip.AddrPort]*log{}
	}
	ap := netip.MustParseAddrPort(address)
	n.hosts[ap], n.logs[ap] = &h, &log{}
	return n
}

// Fail makes connections to an address fail at once, with syscall.ECONNREFUSED
// for instance.
func (n *Network) Fail(address string, err error) *Network {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.errs == nil {
		n.errs = map[netip.AddrPort]error{}
	}
	n.errs[netip.MustParseAddrPort(address)] = err
	return n
}

// Refuse is Fail with the error of a port where nothing listens.
func (n *Network) Refuse(address string) *Network { return n.Fail(address, syscall.ECONNREFUSED) }

// DialContext has the form of net.Dialer.DialContext. An address without a host
// swallows packets: the call returns when ctx ends.
func (n *Network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	n.dialed = append(n.dialed, ap)
	h, l, err := n.hosts[ap], n.logs[ap], n.errs[ap]
	n.mu.Unlock()
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", err)}
	}
	if h == nil {
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: network, Err: ctx.Err()}
	}
	near, far := pipe(client, net.TCPAddrFromAddrPort(ap))
	n.wg.Go(func() { h.serve(far, l) })
	return near, nil
}

// Wait returns when no host is busy with a client any more. A test within
// testing/synctest has to call it before it ends.
func (n *Network) Wait() { n.wg.Wait() }

// Commands lists the lines sent to an address, and "SNI name" for handshakes.
func (n *Network) Commands(address string) []string {
	n.mu.Lock()
	l := n.logs[netip.MustParseAddrPort(address)]
	n.mu.Unlock()
	if l == nil {
		return nil
	}
	return l.all()
}

// Dialed lists the addresses that were dialed, in order.
func (n *Network) Dialed() []netip.AddrPort {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.dialed)
}
