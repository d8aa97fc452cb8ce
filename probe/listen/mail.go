package listen

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"time"

	wire "github.com/mailcheck-go/mailcheck/probe/smtp"
)

// Mail is one mail, with all that the receiving host knows of it. Its texts are
// foreign.
type Mail struct {
	Token    string   `json:"token"`
	Envelope Envelope `json:"envelope"`
	// Raw is the mail as the sender gave it: with CRLF, without the dots of the
	// transfer and without any field of ours.
	Raw []byte `json:"-"`
	// Peer is who handed it over: the address that SPF is about.
	Peer  netip.AddrPort `json:"peer"`
	Local netip.AddrPort `json:"local"`
	Host  string         `json:"host"` // the name of this host
	TLS   *TLS           `json:"tls"`  // nil: it came in clear
	At    time.Time      `json:"at"`
}

// Envelope is what was said before the mail.
type Envelope struct {
	Helo     string `json:"helo"`
	MailFrom string `json:"mail_from"` // without brackets
	Null     bool   `json:"null"`      // the null reverse-path <>
	RcptTo   string `json:"rcpt_to"`

	SMTPUTF8   bool   `json:"smtputf8"`
	RequireTLS bool   `json:"requiretls"`
	Body       string `json:"body,omitempty"` // 7BIT or 8BITMIME
	Size       int64  `json:"size,omitempty"` // as declared
	// RFC 3461.
	Return            string   `json:"ret,omitempty"`
	EnvelopeID        string   `json:"envid,omitempty"`
	Notify            []string `json:"notify,omitempty"`
	OriginalRecipient string   `json:"orcpt,omitempty"`
}

// TLS is how a mail was protected on its way here.
type TLS struct {
	Version    string `json:"version"` // "TLS 1.3"
	Cipher     string `json:"cipher"`
	ServerName string `json:"server_name,omitempty"` // SNI
}

// WithTrace is the mail with the fields that a receiving host puts above it
// (RFC 5321, Section 4.4): Return-Path and Received.
func (m Mail) WithTrace() []byte {
	helo := m.Envelope.Helo
	if wire.CheckName(helo) != nil {
		helo = "unknown" // a name that is none cannot stand in a field
	}
	peer := m.Peer.Addr().String()
	if m.Peer.Addr().Is6() {
		peer = "IPv6:" + peer
	}
	protocol := "ESMTP"
	if m.Envelope.SMTPUTF8 {
		protocol = "UTF8SMTP" // RFC 6531, Section 4.3
	}
	secure := ""
	if m.TLS != nil {
		protocol += "S" // RFC 3848
		secure = fmt.Sprintf("\r\n\t(using %s with cipher %s)", strings.ReplaceAll(m.TLS.Version, " ", "v"), m.TLS.Cipher)
	}
	var b bytes.Buffer
	if strings.IndexFunc(m.Envelope.MailFrom, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' }) < 0 {
		fmt.Fprintf(&b, "Return-Path: <%s>\r\n", m.Envelope.MailFrom)
	}
	fmt.Fprintf(&b, "Received: from %s (unknown [%s])%s\r\n\tby %s with %s id %s;\r\n\t%s\r\n",
		helo, peer, secure, m.Host, protocol, m.Token, m.At.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	return append(b.Bytes(), m.Raw...)
}

// Kind is why something was refused.
type Kind string

// Kinds.
const (
	RelayDenied        Kind = "relay-denied"    // a recipient in another domain
	NoSuchAddress      Kind = "no-such-address" // not given out, used up or expired
	BareLineEnd        Kind = "bare-line-end"   // CR, LF or NUL where none may be: what smuggling needs
	TooLarge           Kind = "too-large"
	LongLine           Kind = "long-line"
	Broken             Kind = "broken-off" // the mail did not come to its end
	TooManyConnections Kind = "too-many-connections"
	RateLimited        Kind = "rate-limited"
)

// Event is something that was refused.
type Event struct {
	At   time.Time      `json:"at"`
	Peer netip.AddrPort `json:"peer"`
	Kind Kind           `json:"kind"`
	Text string         `json:"text,omitempty"` // foreign, shortened
}

func (l *Listener) event(peer netip.AddrPort, k Kind, text string) {
	l.opt.Event(Event{At: l.opt.Now().Round(0).UTC(), Peer: peer, Kind: k, Text: strings.Clone(text[:min(len(text), 200)])})
}

// SelfSigned makes a certificate for a name, good for a week. Senders that do not
// verify, as most do not, take it.
func SelfSigned(name string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(7 * 24 * time.Hour), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
