package probe

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/mailcheck-go/mailcheck/internal/netguard"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Defaults and limits.
const (
	DefaultHostTimeout = 30 * time.Second
	DefaultTimeout     = 60 * time.Second
	DefaultParallel    = 16

	// MaxExchanges, MaxAddresses and MaxAttempts bound what a zone can make us
	// dial; RFC 5321 sets no limit, and real domains stay far below.
	MaxExchanges = 30
	MaxAddresses = 8  // of one host and family
	MaxAttempts  = 64 // conversations of one run

	controlTimeout   = 8 * time.Second // of a conversation with a control host; the real ones greet within one
	maxControls      = 8               // conversations to find out whether a path is open
	controlAddresses = 2               // of one control host and family
	maxPorts         = 4
)

// Port is a port to look at.
type Port struct {
	Number      uint16 `json:"number"`
	ImplicitTLS bool   `json:"implicit_tls"` // TLS from the first octet (RFC 8314, Section 3.3)
}

// The ports of mail. A domain's MX hosts are spoken to on SMTP only; the other
// two are for submission hosts.
var (
	SMTP        = Port{Number: 25}
	Submission  = Port{Number: 587}
	Submissions = Port{Number: 465, ImplicitTLS: true}
)

// DefaultControl lists hosts of two operators that accept connections to port 25
// from anywhere, over IPv4 and IPv6, and offer STARTTLS.
func DefaultControl() []string {
	return []string{"gmail-smtp-in.l.google.com:25", "outlook-com.olc.protection.outlook.com:25"}
}

// Options of a probe. The zero value is usable, but can never tell a host that
// is down from a network that blocks port 25: give it Control.
type Options struct {
	// Name is what EHLO says; empty means the address of this end of the
	// connection in brackets (RFC 5321, Section 4.1.4). Some hosts refuse that:
	// give the name of this machine if it has one.
	Name string
	// Ports to look at on each address; none means SMTP.
	Ports []Port
	// Control lists hosts as "name:port" or "address:port" that are known to be
	// up and to offer STARTTLS. They are spoken to only if nothing answers on a
	// port of theirs, or nothing offers STARTTLS.
	Control []string
	// Paths is what [Paths] found out. With it no control host is asked again,
	// and hosts behind a path that is blocked are not dialed in vain: take it for
	// runs over many domains.
	Paths []Path

	// Roots are the trusted authorities; nil means those of the system.
	Roots *x509.CertPool
	// Now is the clock that certificates, transcripts and timings go by; nil
	// means time.Now.
	Now func() time.Time

	// Allow lists networks that may be dialed although they are not public.
	Allow []netip.Prefix
	// Dial makes the connections; nil means a TCP dialer that checks the address
	// once more as it connects. It is never called with a forbidden address.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Route returns the address from which packets to the given one leave this
	// machine, or an error if there is no way. Nil asks the system, which sends
	// nothing.
	Route func(to netip.Addr) (netip.Addr, error)

	// ConnectTimeout bounds the connection, 0 means 10 seconds;
	// StepTimeout each reply and the handshake, 0 means smtp.DefaultTimeout;
	// HostTimeout a whole conversation, 0 means DefaultHostTimeout; Timeout the
	// run with its lookups, 0 means DefaultTimeout.
	ConnectTimeout, StepTimeout, HostTimeout, Timeout time.Duration
	// Parallel is the number of conversations at a time; 0 means DefaultParallel.
	Parallel int
}

// prober is a run with its options filled in.
type prober struct {
	Options
	guard netguard.Guard
}

func newProber(opt Options) (*prober, error) {
	p := &prober{Options: opt, guard: netguard.Guard{Allow: opt.Allow}}
	if p.Name != "" {
		if err := smtp.CheckName(p.Name); err != nil {
			return nil, fmt.Errorf("probe: %w", err)
		}
	}
	if len(p.Ports) == 0 {
		p.Ports = []Port{SMTP}
	}
	if len(p.Ports) > maxPorts {
		return nil, fmt.Errorf("probe: %d ports, at most %d can be looked at", len(p.Ports), maxPorts)
	}
	for _, port := range p.Ports {
		if port.Number == 0 {
			return nil, fmt.Errorf("probe: port 0")
		}
	}
	for _, c := range p.Control {
		if _, _, err := splitControl(c); err != nil {
			return nil, err
		}
	}
	p.ConnectTimeout = orDefault(p.ConnectTimeout, netguard.DefaultTimeout)
	p.StepTimeout = orDefault(p.StepTimeout, smtp.DefaultTimeout)
	p.HostTimeout = orDefault(p.HostTimeout, DefaultHostTimeout)
	p.Timeout = orDefault(p.Timeout, DefaultTimeout)
	p.Parallel = orDefault(p.Parallel, DefaultParallel)
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Dial == nil {
		d := &netguard.Dialer{Guard: p.guard, Timeout: p.ConnectTimeout}
		p.Dial = d.DialContext
	}
	if p.Route == nil {
		p.Route = route
	}
	return p, nil
}

func orDefault[T int | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

func splitControl(s string) (host string, port uint16, err error) {
	host, text, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, fmt.Errorf("probe: control %.80q: want host:port", s)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("probe: control %.80q: the port is no number from 1 to 65535", s)
	}
	if _, err := netip.ParseAddr(host); err != nil {
		if _, err := resolve.ParseName(host); err != nil {
			return "", 0, fmt.Errorf("probe: control: %w", err)
		}
	}
	return host, uint16(n), nil
}

// known is the path found out before, nil if there is none.
func (p *prober) known(w way) *Path {
	for i := range p.Paths {
		if k := &p.Paths[i]; k.way() == w {
			return k
		}
	}
	return nil
}

// route connects a UDP socket: the system chooses a source address, and no
// packet leaves.
func route(to netip.Addr) (netip.Addr, error) {
	conn, err := new(net.Dialer).DialContext(context.Background(), "udp", netip.AddrPortFrom(to, 25).String())
	if err != nil {
		return netip.Addr{}, err
	}
	defer conn.Close()
	return addrOf(conn.LocalAddr()), nil
}

func addrOf(a net.Addr) netip.Addr {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().WithZone("").Unmap()
}
