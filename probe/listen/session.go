package listen

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"

	"github.com/emersion/go-smtp"

	"github.com/mailcheck-go/mailcheck/probe/token"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// session is the conversation with one client, from EHLO on.
type session struct {
	l    *Listener
	conn *smtp.Conn
	tap  *tap
	peer netip.AddrPort
	mail Mail // what is known of the one under way
	// refused and taken count what makes a client no sender of one mail.
	refused, begun int
}

// Reset forgets the envelope (RFC 5321, Section 4.1.1.5).
func (s *session) Reset() { s.mail = Mail{} }

// Logout ends the session.
func (s *session) Logout() error { return nil }

// Mail takes any sender: who may send is what the mail is about.
func (s *session) Mail(from string, opt *smtp.MailOptions) error {
	if s.begun++; s.begun > maxTransactions {
		s.conn.Close()
		return refusal(421, smtp.EnhancedCode{4, 7, 0}, "too many mails")
	}
	s.mail = Mail{Envelope: Envelope{MailFrom: from, Null: from == "", SMTPUTF8: opt.UTF8, RequireTLS: opt.RequireTLS,
		Size: opt.Size, Body: string(opt.Body), Return: string(opt.Return), EnvelopeID: opt.EnvelopeID}}
	return nil
}

// Rcpt takes the addresses that were given out, and no other.
func (s *session) Rcpt(to string, opt *smtp.RcptOptions) error {
	err := s.recipient(to)
	if err == nil {
		e := &s.mail.Envelope
		e.RcptTo = to
		for _, n := range opt.Notify {
			e.Notify = append(e.Notify, string(n))
		}
		e.OriginalRecipient = opt.OriginalRecipient
		return nil
	}
	if s.refused++; s.refused > maxRefused {
		s.conn.Close() // who guesses has to begin anew
	}
	return err
}

func (s *session) recipient(to string) error {
	at := strings.LastIndexByte(to, '@')
	name, err := resolve.ParseName(to[at+1:])
	if at < 0 || err != nil || name != s.l.opt.Domain {
		s.l.event(s.peer, RelayDenied, to)
		return refusal(550, smtp.EnhancedCode{5, 7, 1}, "this host relays no mail")
	}
	tok := token.InAddress(to)
	if tok == "" {
		s.l.event(s.peer, NoSuchAddress, to)
		return refusal(550, smtp.EnhancedCode{5, 1, 1}, "no such address here")
	}
	if e := s.l.live(tok); e != nil {
		s.l.event(s.peer, NoSuchAddress, to)
		return e
	}
	s.mail.Token = tok
	return nil
}

// Data reads the mail to its end, and hands it over.
func (s *session) Data(r io.Reader) error {
	var b bytes.Buffer
	_, err := b.ReadFrom(io.LimitReader(r, s.l.opt.MaxMessage+1))
	switch {
	case errors.Is(err, smtp.ErrDataTooLarge) || err == nil && int64(b.Len()) > s.l.opt.MaxMessage:
		s.l.event(s.peer, TooLarge, s.mail.Envelope.RcptTo)
		return smtp.ErrDataTooLarge
	case errors.Is(err, smtp.ErrTooLongLine):
		s.l.event(s.peer, LongLine, s.mail.Envelope.RcptTo)
		return refusal(550, smtp.EnhancedCode{5, 6, 0}, "a line is too long (RFC 5321, Section 4.5.3.1.6)")
	case err != nil:
		s.l.event(s.peer, Broken, err.Error())
		return refusal(451, smtp.EnhancedCode{4, 4, 2}, "the mail broke off")
	}
	raw := b.Bytes()
	if at, what := illFormed(raw); what != "" {
		s.l.event(s.peer, BareLineEnd, fmt.Sprintf("%s at offset %d", what, at))
		return refusal(550, smtp.EnhancedCode{5, 6, 0}, what+" is not allowed in mail (RFC 5321, Section 2.3.8)")
	}
	if what := s.tap.bare(); what != "" {
		s.l.event(s.peer, BareLineEnd, what)
		return refusal(550, smtp.EnhancedCode{5, 6, 0}, what+" is not allowed in SMTP (RFC 5321, Section 2.3.8)")
	}
	m := s.mail
	if e := s.l.take(m.Token); e != nil {
		s.l.event(s.peer, NoSuchAddress, m.Envelope.RcptTo)
		return e
	}
	m.Raw, m.Peer, m.At = raw, s.peer, s.l.opt.Now().Round(0).UTC()
	m.Local, m.Host = addrPort(s.conn.Conn().LocalAddr()), s.l.opt.Host
	m.Envelope.Helo = s.conn.Hostname()
	if cs, ok := s.conn.TLSConnectionState(); ok {
		m.TLS = &TLS{Version: tls.VersionName(cs.Version), Cipher: tls.CipherSuiteName(cs.CipherSuite), ServerName: cs.ServerName}
	}
	// The answer to the sender does not wait for what is made of the mail.
	s.l.serving.Go(func() { s.l.opt.Deliver(m) })
	return nil
}

// illFormed finds what two hosts could read differently. The reader before it has
// ended the mail at CRLF.CRLF and nowhere else, so all of this is inside.
func illFormed(raw []byte) (int, string) {
	for i, b := range raw {
		switch {
		case b == 0:
			return i, "NUL"
		case b == '\r' && (i+1 == len(raw) || raw[i+1] != '\n'):
			return i, "CR without LF"
		case b == '\n' && (i == 0 || raw[i-1] != '\r'):
			return i, "LF without CR"
		}
	}
	return 0, ""
}

// tap sees all that is said in a connection, inside TLS too. The reader of the
// library takes "CRLF . CR x" for a dot to be removed and removes the CR with it,
// so that a line end that is none would stay unseen.
type tap struct {
	mu      sync.Mutex
	cr      bool // the last octet from the client was CR
	what    string
	scanned int64
}

// Write gets what was read and what was written, in pieces.
func (t *tap) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.what != "" || reply(p) {
		return len(p), nil
	}
	for i, b := range p {
		if t.cr != (b == '\n') {
			if t.what = "LF without CR"; t.cr {
				t.what = "CR without LF"
			}
			t.what = fmt.Sprintf("%s at octet %d of the connection", t.what, t.scanned+int64(i))
			break
		}
		t.cr = b == '\r'
	}
	t.scanned += int64(len(p))
	return len(p), nil
}

// reply tells a piece that we said: one line that begins with a code. A client
// that says such a line says a command that is none, or a line of a mail, which is
// then read by the other check alone.
func reply(p []byte) bool {
	return len(p) > 5 && p[0] >= '2' && p[0] <= '5' && p[1] >= '0' && p[1] <= '9' && p[2] >= '0' && p[2] <= '9' &&
		(p[3] == ' ' || p[3] == '-') && bytes.HasSuffix(p, []byte("\r\n")) && bytes.Count(p, []byte("\n")) == 1
}

func (t *tap) bare() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.what
}
