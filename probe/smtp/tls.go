package smtp

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strings"
)

// Limits of what is kept of a host's certificates.
const (
	MaxChain       = 10
	MaxChainOctets = 64 << 10
)

// Chain is a list of certificates as presented, the host's own first. In JSON it
// is a list of DER in base64.
type Chain []*x509.Certificate

// DER lists the certificates as they came.
func (c Chain) DER() [][]byte {
	out := make([][]byte, len(c))
	for i, x := range c {
		out[i] = x.Raw
	}
	return out
}

// MarshalJSON writes DER.
func (c Chain) MarshalJSON() ([]byte, error) { return json.Marshal(c.DER()) }

// UnmarshalJSON reads DER.
func (c *Chain) UnmarshalJSON(b []byte) error {
	var list [][]byte
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*c = nil
	for i, der := range list {
		x, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("certificate %d: %w", i+1, err)
		}
		*c = append(*c, x)
	}
	return nil
}

// Session is a TLS connection, or as much of one as came about. A handshake that
// failed may still have shown the certificates.
type Session struct {
	Established bool   `json:"established"`
	Version     string `json:"version,omitempty"` // "TLS 1.3"
	Cipher      string `json:"cipher,omitempty"`  // the IANA name
	Curve       string `json:"curve,omitempty"`   // of the key exchange
	ServerName  string `json:"server_name"`       // sent as SNI; empty if none was
	Chain       Chain  `json:"chain"`             // not verified here
}

// StartTLS turns on TLS (RFC 3207). The server name goes into SNI; RFC 7672,
// Section 8.1 and RFC 8461, Section 4.1 want the MX host there.
func (c *Client) StartTLS(ctx context.Context, serverName string) (Session, error) {
	r, err := c.exchange(ctx, StepSTARTTLS, "STARTTLS")
	if err != nil {
		return Session{ServerName: serverName}, err
	}
	if err := c.expect(r, 220); err != nil {
		return Session{ServerName: serverName}, err
	}
	// RFC 3207, Section 5 (and CVE-2011-0411): whoever sits in between can put
	// text here that a careless client takes for the answer to its first
	// encrypted command.
	c.discard(InjectedPlaintext)
	return c.Handshake(ctx, serverName)
}

// Handshake turns on TLS at once, as on port 465 (RFC 8314, Section 3.3). Any
// certificate is taken, as a probe has nothing to lose: judge the chain after.
func (c *Client) Handshake(ctx context.Context, serverName string) (Session, error) {
	c.step = StepTLS
	s := Session{ServerName: serverName}
	if c.dead || c.tls != nil {
		return s, &Error{Step: StepTLS, Cause: Closed}
	}
	c.conn.arm(64)
	conn := tls.Client(c.conn, c.config(&s))
	err := c.within(ctx, func() error { return conn.HandshakeContext(ctx) })
	if err != nil {
		c.dead = true
		e := c.tlsError(err)
		c.note(Note, []byte(e.Error()), 0)
		return s, e
	}
	cs := conn.ConnectionState()
	s.Established = true
	s.describe(cs)
	c.note(Note, fmt.Appendf(nil, "%s %s", s.Version, s.Cipher), 0)
	c.tls = conn
	c.in = bufio.NewReaderSize(conn, MaxLine)
	return s, nil
}

// config offers everything that the library has, to see what the host takes.
func (c *Client) config(s *Session) *tls.Config {
	cfg := &tls.Config{
		ServerName: s.ServerName,
		Time:       c.opt.Now,
		// The chain is judged after, question by question.
		InsecureSkipVerify: true,
		// Old versions are to be seen and named (RFC 8996), not to be trusted.
		MinVersion: tls.VersionTLS10,
		VerifyConnection: func(cs tls.ConnectionState) error {
			// It runs before the rest of the handshake, which may fail.
			s.describe(cs)
			s.keep(cs.PeerCertificates, c)
			return nil
		},
		SessionTicketsDisabled: true,
	}
	if _, err := netip.ParseAddr(cfg.ServerName); err == nil {
		s.ServerName = "" // RFC 6066, Section 3: no address in SNI
	}
	for _, suite := range tls.CipherSuites() {
		cfg.CipherSuites = append(cfg.CipherSuites, suite.ID)
	}
	for _, suite := range tls.InsecureCipherSuites() {
		cfg.CipherSuites = append(cfg.CipherSuites, suite.ID)
	}
	return cfg
}

func (s *Session) describe(cs tls.ConnectionState) {
	s.Version = tls.VersionName(cs.Version)
	s.Cipher = tls.CipherSuiteName(cs.CipherSuite)
	if cs.CurveID != 0 {
		s.Curve = cs.CurveID.String()
	}
}

func (s *Session) keep(certs []*x509.Certificate, c *Client) {
	size := 0
	for i, x := range certs {
		if size += len(x.Raw); i == MaxChain || size > MaxChainOctets {
			c.observe(ChainTooLong, fmt.Appendf(nil, "%d certificates", len(certs)))
			return
		}
		s.Chain = append(s.Chain, x)
	}
}

// tlsError says why a handshake failed, as far as it can be told.
func (c *Client) tlsError(err error) *Error {
	e := NewError(StepTLS, err)
	if e.Cause != Network {
		return e
	}
	first := c.conn.first
	if rh, ok := errors.AsType[tls.RecordHeaderError](err); ok && !looksLikeTLS(first) {
		e.Cause, e.Detail = TLSGarbage, "got "+quote(string(first))
		if _, _, _, reply := parseLine(rh.RecordHeader[:4]); reply {
			// A reply where TLS should begin came from somebody who read no
			// ClientHello: it was injected, only too late to be seen before.
			c.observe(InjectedPlaintext, first)
		}
		return e
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		e.Cause, e.Detail = TLSAlert, quote(strings.TrimPrefix(op.Err.Error(), "tls: "))
		// RFC 5246, Section 7.2.2: 40 is handshake_failure, 71 insufficient_security:
		// the host may well agree with a client that offers more.
		if alert := reflect.ValueOf(op.Err); alert.Kind() == reflect.Uint8 && (alert.Uint() == 40 || alert.Uint() == 71) {
			e.Cause = TLSNoCommon
		}
		return e
	}
	e.Cause, e.Detail = TLSFailed, quote(strings.TrimPrefix(err.Error(), "tls: "))
	if v := helloVersion(first); v != 0 && v < tls.VersionTLS10 {
		e.Cause, e.Detail = TLSVersion, "the host speaks "+tls.VersionName(v)
	}
	return e
}

// looksLikeTLS knows the header of a record (RFC 8446, Section 5.1).
func looksLikeTLS(b []byte) bool {
	return len(b) >= 3 && b[0] >= 20 && b[0] <= 24 && b[1] == 3
}

// helloVersion is the version in a ServerHello (RFC 5246, Section 7.4.1.3), 0 if
// there is none.
func helloVersion(b []byte) uint16 {
	if len(b) < 11 || b[0] != 22 || b[5] != 2 {
		return 0
	}
	return uint16(b[9])<<8 | uint16(b[10])
}
