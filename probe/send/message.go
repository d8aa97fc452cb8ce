package send

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/probe/send/internal/wire"
	"github.com/mailcheck-go/mailcheck/probe/token"
)

// Limits of what a caller can put into a probe. The rest of it is fixed.
const (
	MaxSubject = 150      // octets
	MaxURL     = 900      // octets of OneClick; it stands on one line
	MaxMessage = 64 << 10 // octets of the mail as it is sent
)

// ErrMessage matches the error of a message that cannot be made.
var ErrMessage = errors.New("send: not a probe")

// Message is one probe: who sends it to whom, and what is special about it. There
// is no field for a text, and none for a second recipient.
type Message struct {
	From string // address of the author
	To   string // address of the recipient
	// MailFrom is the envelope sender, to which bounces go; empty means From. It has
	// to be in a domain that is proven as well.
	MailFrom string
	// Token tells the mail from all others; empty means a new one, or the one in To if
	// that is the address of a listener.
	Token string
	// PlusTag puts the token into the recipient's address (RFC 5233). Not every
	// receiver takes such addresses.
	PlusTag bool
	// Subject stands before the token; empty means "mailcheck probe".
	Subject string
	// OneClick is an https URL for List-Unsubscribe, with the field of RFC 8058 beside
	// it. Nothing is ever fetched from it here.
	OneClick string
	// UTF8 asks for SMTPUTF8 (RFC 6531) also if the addresses do not need it; the
	// subject then holds a character that does.
	UTF8 bool
	// SpamTest puts the string into the text that every spam filter takes for spam
	// (GTUBE): it shows what the receiver does with such mail.
	SpamTest bool
}

// gtube is the generic test for unsolicited bulk email of SpamAssassin, which
// rspamd and others know as well.
const gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

// draft is a message that was checked.
type draft struct {
	Message
	from, to, mailFrom address
	utf8               bool
	now                time.Time
}

func (m Message) check(now time.Time) (draft, error) {
	d := draft{Message: m, now: now}
	var err error
	if d.from, err = parseAddress(m.From); err != nil {
		return d, fmt.Errorf("from: %w", err)
	}
	if d.to, err = parseAddress(m.To); err != nil {
		return d, fmt.Errorf("to: %w", err)
	}
	d.mailFrom = d.from
	if m.MailFrom != "" {
		if d.mailFrom, err = parseAddress(m.MailFrom); err != nil {
			return d, fmt.Errorf("envelope sender: %w", err)
		}
	}
	if d.Token == "" {
		d.Token = token.InAddress(d.to.String())
	}
	if d.Token == "" {
		d.Token = token.New(nil)
	}
	if !token.Valid(d.Token) {
		return d, fmt.Errorf("%w: %.40q is no token", ErrMessage, d.Token)
	}
	if m.PlusTag {
		d.to.local, _, _ = strings.Cut(token.Tag(d.to.local+"@", d.Token), "@")
		if len(d.to.local) > maxLocal {
			return d, fmt.Errorf("%w: with the token the local-part of %.80q is longer than %d octets", ErrMessage, m.To, maxLocal)
		}
	}
	if d.Subject == "" {
		d.Subject = "mailcheck probe"
	}
	if len(d.Subject) > MaxSubject || strings.IndexFunc(d.Subject, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
		return d, fmt.Errorf("%w: the subject has to be one printable line of at most %d octets", ErrMessage, MaxSubject)
	}
	if err := checkURL(m.OneClick); err != nil {
		return d, err
	}
	d.utf8 = m.UTF8 || !d.from.ascii() || !d.to.ascii() || !d.mailFrom.ascii()
	return d, nil
}

// checkURL refuses what RFC 8058, Section 3.1 does: the URI has to be https, and
// it has to be ASCII on one line.
func checkURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || len(s) > MaxURL ||
		strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' || r == ',' }) >= 0 {
		return fmt.Errorf("%w: %.80q is no https URL for one-click unsubscription (RFC 8058, Section 3.1)", ErrMessage, s)
	}
	return nil
}

// compose writes the mail with CRLF.
func (d draft) compose() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("From: %s", d.from)
	line("To: %s", d.to)
	subject := d.Subject
	switch {
	case d.utf8:
		subject += " \u2013" // a dash that only UTF-8 has
	case !isASCII(subject):
		subject = mime.QEncoding.Encode("utf-8", subject)
	}
	line("Subject: %s\r\n %s", subject, d.Token)
	line("Date: %s", d.now.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	line("Message-ID: %s", token.MessageID(d.Token, d.from.domain.String()))
	line("%s: %s", token.Field, d.Token)
	// RFC 3834, Section 5: nothing shall answer by itself.
	line("Auto-Submitted: auto-generated")
	if d.OneClick != "" {
		line("List-Unsubscribe:\r\n <%s>", d.OneClick)
		line("List-Unsubscribe-Post: List-Unsubscribe=One-Click") // RFC 8058, Section 3.1
	}
	line("MIME-Version: 1.0")
	line("Content-Type: text/plain; charset=utf-8")
	encoding := "7bit"
	if d.utf8 {
		encoding = "8bit"
	}
	line("Content-Transfer-Encoding: %s", encoding)
	line("")
	line("This is a probe. It was sent by mailcheck to find out whether mail from")
	line("%s reaches this mailbox, and how long that takes.", d.from.domain)
	line("")
	line("You got it because somebody who holds the keys or an account of that")
	line("domain asked for one mail to")
	line("%s.", d.to)
	line("No list is behind it, and you need not do anything.")
	line("")
	line("To stop such mail, write to")
	line("%s", d.mailFrom)
	line("or refuse mail with the header field %s.", token.Field)
	line("")
	line("Token: %s", d.Token)
	if d.SpamTest {
		line("")
		line("The next line makes spam filters take this mail for spam, on purpose:")
		line(gtube)
	}
	return b.Bytes()
}

// signed is the mail with its signature, if there is a key.
func (d draft) signed(ctx context.Context, opt *dkim.SignOptions) ([]byte, error) {
	mail := d.compose()
	if opt != nil {
		o := *opt
		if o.Now == nil {
			o.Now = func() time.Time { return d.now }
		}
		var b bytes.Buffer
		if _, err := dkim.Sign(ctx, &b, bytes.NewReader(mail), o); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMessage, err)
		}
		mail = b.Bytes()
	}
	if len(mail) > MaxMessage {
		return nil, fmt.Errorf("%w: %d octets, at most %d", ErrMessage, len(mail), MaxMessage)
	}
	if err := wire.CheckMail(mail); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	return mail, nil
}
