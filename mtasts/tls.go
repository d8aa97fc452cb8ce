package mtasts

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// handshake starts TLS and judges the certificate. It returns nil if there is no
// TLS, and a connection also when the certificate does not verify.
func (f *Fetched) handshake(ctx context.Context, conn net.Conn, opt Options) net.Conn {
	c := tls.Client(conn, &tls.Config{
		// RFC 8461, Section 3.3: the host name is sent as SNI.
		ServerName: f.Host.String(),
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		// The certificate is judged below, to tell its faults apart.
		InsecureSkipVerify: true,
	})
	if err := c.HandshakeContext(ctx); err != nil {
		var plain tls.RecordHeaderError
		var alert tls.AlertError
		message := fmt.Sprintf("%s does not speak TLS 1.2 or later with us%s", f.Host, late(ctx))
		if errors.As(err, &alert) || errors.As(err, &plain) || strings.Contains(err.Error(), "remote error") {
			f.fault(FaultTLS, message, err)
		} else {
			f.unsure(FaultTLS, message, err)
		}
		return nil
	}
	state := c.ConnectionState()
	f.TLSVersion, f.Chain = state.Version, state.PeerCertificates
	f.Faults = append(f.Faults, CheckCertificate(f.Chain, f.Host, opt.Roots, opt.Now())...)
	return c
}

// CheckCertificate judges the chain that a server sent, its own certificate first,
// as RFC 8461 has it for the policy host (Section 3.3) and for an MX host under a
// policy (Section 4.2): a name of the host among its DNS names, not expired, and a
// way to a root, nil being those of the system. Each fault is told apart: an
// expired certificate is also judged by its name and chain. There is none if the
// certificate is good.
func CheckCertificate(chain []*x509.Certificate, host resolve.Name, roots *x509.CertPool, now time.Time) []Fault {
	if len(chain) == 0 {
		return []Fault{{Kind: FaultTLS, Effect: Ignored, Message: fmt.Sprintf("%s sent no certificate", host)}}
	}
	var faults []Fault
	add := func(k FaultKind, err error, format string, args ...any) {
		faults = append(faults, Fault{Kind: k, Effect: Ignored, Message: fmt.Sprintf(format, args...), Err: err})
	}
	leaf := chain[0]
	// RFC 8461, Section 3.3 and 4.2: DNS names only, the common name does not count.
	if err := leaf.VerifyHostname(host.String()); err != nil {
		add(FaultName, err, "the certificate of %s is for %s", host, certNames(leaf))
	}
	at := now
	switch {
	case now.After(leaf.NotAfter):
		add(FaultExpired, nil, "the certificate of %s expired on %s", host, leaf.NotAfter.UTC().Format(time.DateOnly))
		at = leaf.NotAfter
	case now.Before(leaf.NotBefore):
		add(FaultExpired, nil, "the certificate of %s is not valid before %s", host, leaf.NotBefore.UTC().Format(time.DateTime))
		at = leaf.NotBefore
	}
	pool := x509.NewCertPool()
	for _, c := range chain[1:] {
		pool.AddCert(c)
	}
	// The time is one at which the certificate itself is valid, so that what is left
	// is the fault of the chain.
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: pool, CurrentTime: at})
	if err == nil {
		return faults
	}
	var system x509.SystemRootsError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &system):
		faults = append(faults, Fault{Kind: FaultChain, Effect: Ignored, Temporary: true, Message: "no roots are known on this system", Err: err})
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		add(FaultExpired, err, "a certificate in the chain of %s is expired: %s", host, clip(invalid.Cert.Subject.String()))
	case leaf.CheckSignatureFrom(leaf) == nil || string(leaf.RawIssuer) == string(leaf.RawSubject):
		add(FaultChain, err, "the certificate of %s is self-signed", host)
	case len(chain) == 1:
		add(FaultChain, err, "%s sends its certificate without the intermediate one of %s, or no one trusts that", host, clip(leaf.Issuer.String()))
	default:
		add(FaultChain, err, "the certificate of %s leads to no root that is trusted; it is issued by %s", host, clip(leaf.Issuer.String()))
	}
	return faults
}

// certNames lists some names of a certificate for a message.
func certNames(c *x509.Certificate) string {
	if len(c.DNSNames) == 0 {
		return "no DNS name at all"
	}
	var s []string
	for _, n := range c.DNSNames[:min(len(c.DNSNames), maxNamed)] {
		s = append(s, clip(n))
	}
	if more := len(c.DNSNames) - len(s); more > 0 {
		s = append(s, fmt.Sprintf("%d more", more))
	}
	return strings.Join(s, ", ")
}

// errPrivate refuses an address that no stranger's policy can be at.
var errPrivate = errors.New("mtasts: not a public address")

// dialPublic connects to public addresses only, so that a name in foreign DNS leads
// to no machine of ours.
func dialPublic(ctx context.Context, network, address string) (net.Conn, error) {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	if !isPublic(ap.Addr()) {
		return nil, fmt.Errorf("%w: %s", errPrivate, ap.Addr())
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// special are ranges that are not public, besides those that netip knows (IANA
// special-purpose address registries, RFC 6890).
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20"), netip.MustParsePrefix("fec0::/10"),
}

func isPublic(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
