package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/mailcheck-go/mailcheck/probe/smtp"
)

// StartTLS turns on TLS (RFC 3207). The certificate is not judged here: look at
// Session.Chain before anything is said. Text in clear behind the 220 ends the
// conversation: somebody put it there for a client that takes it for an answer
// given inside TLS.
func (c *Client) StartTLS(ctx context.Context, serverName string, minVersion uint16) (smtp.Session, error) {
	r, err := c.Command(ctx, smtp.StepSTARTTLS, "STARTTLS")
	if err == nil {
		err = c.Expect(r, 220)
	}
	if err != nil {
		return smtp.Session{ServerName: serverName}, err
	}
	if c.discard(smtp.InjectedPlaintext) {
		c.dead = true
		return smtp.Session{ServerName: serverName}, Fail(smtp.StepSTARTTLS, Injected, "text in clear came with the answer to STARTTLS")
	}
	return c.Handshake(ctx, serverName, minVersion)
}

// Handshake turns on TLS at once (RFC 8314, Section 3.3).
func (c *Client) Handshake(ctx context.Context, serverName string, minVersion uint16) (smtp.Session, error) {
	c.step = smtp.StepTLS
	s := smtp.Session{ServerName: serverName}
	if c.dead || c.tls != nil {
		return s, &smtp.Error{Step: smtp.StepTLS, Cause: smtp.Closed}
	}
	if _, err := netip.ParseAddr(serverName); err == nil {
		s.ServerName = "" // RFC 6066, Section 3: no address in SNI
	}
	conn := tls.Client(c.conn, &tls.Config{
		ServerName: serverName, Time: c.opt.Now, MinVersion: minVersion,
		// The chain is judged by the caller, question by question, before anything
		// is said.
		InsecureSkipVerify: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			keep(&s, cs.PeerCertificates)
			return nil
		},
	})
	err := c.within(ctx, c.opt.Timeout, func() error { return conn.HandshakeContext(ctx) })
	if err != nil {
		c.dead = true
		e := tlsError(err)
		c.Note(e.Error())
		return s, e
	}
	cs := conn.ConnectionState()
	s.Established, s.Version, s.Cipher = true, tls.VersionName(cs.Version), tls.CipherSuiteName(cs.CipherSuite)
	if cs.CurveID != 0 {
		s.Curve = cs.CurveID.String()
	}
	c.Note(fmt.Sprintf("%s %s", s.Version, s.Cipher))
	c.tls = conn
	c.in = bufio.NewReaderSize(conn, smtp.MaxLine)
	return s, nil
}

func keep(s *smtp.Session, certs []*x509.Certificate) {
	size := 0
	for i, x := range certs {
		if size += len(x.Raw); i == smtp.MaxChain || size > smtp.MaxChainOctets {
			return
		}
		s.Chain = append(s.Chain, x)
	}
}

func tlsError(err error) *smtp.Error {
	e := smtp.NewError(smtp.StepTLS, err)
	if e.Cause != smtp.Network {
		return e
	}
	if bad, ok := errors.AsType[*lineError](err); ok {
		e.Cause, e.Detail = bad.cause, bad.detail
		return e
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		e.Cause, e.Detail = smtp.TLSGarbage, ""
		return e
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		e.Cause, e.Detail = smtp.TLSAlert, quote(strings.TrimPrefix(op.Err.Error(), "tls: "))
		return e
	}
	e.Cause, e.Detail = smtp.TLSFailed, quote(strings.TrimPrefix(err.Error(), "tls: "))
	return e
}
