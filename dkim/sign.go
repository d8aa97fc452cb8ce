package dkim

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim/internal/message"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Errors of [Sign]. Each error matches one of them, or is that of the reader, the
// writer or the key.
var (
	ErrMessage  = errors.New("dkim: message cannot be signed") // its form leaves open what would be signed
	ErrSettings = errors.New("dkim: bad settings for signing")
)

// SignOptions say how a message is signed. Domain, Selector and Key are required.
type SignOptions struct {
	Domain   resolve.Name  // d=
	Selector string        // s=
	Key      crypto.Signer // RSA of 1024 bits or more, or Ed25519
	Identity string        // i=; empty leaves it out

	// Headers are the names of the fields to sign; nil means [SignedHeaders].
	// Every field of a name is signed. From must be among them.
	Headers []string
	// Oversign are the names that are listed once more than there are fields, so
	// that none can be added; nil means [OversignedHeaders], an empty list none.
	Oversign []string

	SimpleHeader bool // c=simple/...; breaks at the first relay that folds a line anew
	SimpleBody   bool // c=.../simple

	Now     func() time.Time // nil: time.Now; for t=
	Expires time.Duration    // x= after t=; 0 leaves it out

	MaxBytes int64 // of a message whose reader cannot seek; 0: MaxBuffered
}

// MaxBuffered is how much of a message [Sign] keeps in memory when its reader
// cannot seek. Large providers take mail up to 150 MB; most take 25 to 50.
const MaxBuffered = 64 << 20

// SignedHeaders are the fields that are signed where they are present: those of
// RFC 6376, Section 5.4.1, those that make up the MIME structure, and the pair that
// one-click unsubscription needs signed (RFC 8058, Section 3.1).
func SignedHeaders() []string {
	return []string{
		"From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
		"MIME-Version", "Content-Type", "Content-Transfer-Encoding",
		"List-Id", "List-Help", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Subscribe", "List-Post", "List-Owner", "List-Archive",
		"Resent-Date", "Resent-From", "Resent-To", "Resent-Cc", "Resent-Message-ID",
	}
}

// OversignedHeaders are the fields of which a message has one at most and that
// readers see (RFC 6376, Section 8.15).
func OversignedHeaders() []string {
	return []string{"From", "To", "Cc", "Subject", "Date", "Reply-To"}
}

// Signed is what [Sign] did.
type Signed struct {
	Field   string   // the DKIM-Signature field with CRLF, folded
	Headers []string // the names of h=
	Size    int64    // octets of the message that were read
}

// Sign writes the message with a signature in front (RFC 6376, Section 5).
//
// A reader that can seek is read twice, another one is kept in memory. Lines may
// end in CRLF or, all of them, in LF; they are written as they came. A message
// that mixes them, or has a bare CR, or lines in the header that are no field, is
// refused with [ErrMessage] before anything is written, since relays would change
// it and break the signature.
func Sign(ctx context.Context, w io.Writer, r io.Reader, opts SignOptions) (Signed, error) {
	algorithm, err := opts.check()
	if err != nil {
		return Signed{}, err
	}
	src, rewind, err := source(r, opts.MaxBytes)
	if err != nil {
		return Signed{}, err
	}
	m := message.New()
	defer m.Close()
	m.CountEOL()
	spec := message.BodySpec{Relaxed: !opts.SimpleBody, Length: -1}
	err = m.Read(ctx, src, message.Limits{Header: MaxHeaderBytes}, func() []message.BodySpec { return []message.BodySpec{spec} })
	if err != nil {
		return Signed{}, fmt.Errorf("dkim: reading the message: %w", err)
	}
	eol, err := inspect(m)
	if err != nil {
		return Signed{}, err
	}
	sum, _ := m.BodySum(spec)
	out := Signed{Headers: opts.names(&m.Header), Size: int64(len(m.Header.Raw)) + m.Size}
	if out.Field, err = opts.field(m, algorithm, out.Headers, sum.Sum); err != nil {
		return Signed{}, err
	}
	text := out.Field
	if eol == "\n" {
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	if err := rewind(); err != nil {
		return Signed{}, fmt.Errorf("dkim: reading the message again: %w", err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		return Signed{}, fmt.Errorf("dkim: writing the message: %w", err)
	}
	if _, err := io.Copy(w, src); err != nil {
		return Signed{}, fmt.Errorf("dkim: writing the message: %w", err)
	}
	return out, nil
}

// source makes the message readable twice.
func source(r io.Reader, limit int64) (io.Reader, func() error, error) {
	if s, ok := r.(io.ReadSeeker); ok {
		if start, err := s.Seek(0, io.SeekCurrent); err == nil { // a pipe is an *os.File too, and cannot
			return s, func() error { _, err := s.Seek(start, io.SeekStart); return err }, nil
		}
	}
	if limit == 0 {
		limit = MaxBuffered
	}
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("dkim: reading the message: %w", err)
	case int64(len(b)) > limit:
		return nil, nil, fmt.Errorf("%w: it is larger than %d octets and can be read only once", ErrMessage, limit)
	}
	s := bytes.NewReader(b)
	return s, func() error { s.Reset(b); return nil }, nil
}

// check refuses settings that make no valid signature.
func (o *SignOptions) check() (algorithm string, err error) {
	bad := func(format string, args ...any) (string, error) {
		return "", fmt.Errorf("%w: %s", ErrSettings, fmt.Sprintf(format, args...))
	}
	if o.Key == nil {
		return bad("no key")
	}
	switch k := o.Key.Public().(type) {
	case *rsa.PublicKey:
		// RFC 8301, Section 3.2: signers use 1024 bits at least.
		if algorithm = "rsa-sha256"; k.N.BitLen() < minBits {
			return bad("an RSA key of %d bits, receivers refuse less than %d", k.N.BitLen(), minBits)
		}
	case ed25519.PublicKey:
		algorithm = "ed25519-sha256"
	default:
		return bad("a key of type %T, DKIM knows RSA and Ed25519", k)
	}
	if o.Domain.NumLabels() < 2 {
		return bad("domain %+q has fewer than two labels", o.Domain.String())
	}
	if _, err := KeyName(o.Domain, o.Selector); err != nil {
		return "", fmt.Errorf("%w: %w", ErrSettings, err)
	}
	if o.Headers != nil && !lists(o.Headers, "From") {
		return bad("From is not among the fields to sign")
	}
	for _, n := range slices.Concat(o.Headers, o.Oversign) {
		if n == "" || strings.ContainsFunc(n, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' || r == ';' }) {
			return bad("%+q is no name of a field", shorten(n))
		}
	}
	if o.Expires < 0 || o.Expires > 0 && o.Expires < time.Second {
		return bad("a signature that expires after %v", o.Expires)
	}
	return algorithm, o.identity()
}

func (o *SignOptions) identity() error {
	if o.Identity == "" {
		return nil
	}
	at := strings.LastIndexByte(o.Identity, '@')
	n, err := resolve.ParseName(o.Identity[at+1:])
	if at < 0 || err != nil || !n.Within(o.Domain) {
		return fmt.Errorf("%w: identity %+q is no address within %s", ErrSettings, shorten(o.Identity), o.Domain)
	}
	// RFC 6376, Section 2.11: other octets would have to be escaped.
	if strings.ContainsFunc(o.Identity, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ';' || r == '=' }) {
		return fmt.Errorf("%w: identity %+q holds characters that i= cannot", ErrSettings, shorten(o.Identity))
	}
	return nil
}

// inspect refuses a message of which it is not clear what is signed, and tells
// its line end.
func inspect(m *message.Message) (eol string, err error) {
	bad := func(format string, args ...any) (string, error) {
		return "", fmt.Errorf("%w: %s", ErrMessage, fmt.Sprintf(format, args...))
	}
	h := &m.Header
	head := message.CountEOLs(h.Raw)
	crlf, lf, cr := head.CRLF+m.CRLF, head.LF+m.LF, head.CR+m.CR
	switch {
	case m.HeaderOver:
		return bad("the header is longer than %d octets", MaxHeaderBytes)
	case cr > 0:
		return bad("%s without LF", plural(int(cr), "CR"))
	case lf > 0 && crlf > 0:
		return bad("%s without CR beside %s", plural(int(lf), "LF"), plural(int(crlf), "CRLF"))
	case h.Mbox:
		return bad(`it begins with the "From " line of a mailbox file`)
	case h.Junk > 0:
		return bad("line %d of the header is no field", bytes.Count(h.Raw[:h.JunkAt], []byte{'\n'})+1)
	}
	// RFC 5322, Section 3.6: one From field. Readers may show any of several.
	if n := h.Count("from"); n != 1 {
		return bad("%s, there must be one", plural(n, "From field"))
	}
	if lf > 0 {
		return "\n", nil
	}
	return "\r\n", nil
}
