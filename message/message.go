package message

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Limits that hold where [Options] are zero.
const (
	MaxBytes   = 64 << 20  // octets of a mail; large receivers take 25 to 150 MB
	MaxHeader  = 256 << 10 // octets of one header
	MaxFields  = 1000      // of one header
	MaxParts   = 500       // of one mail
	MaxDepth   = 20        // parts in each other
	MaxDecoded = 32 << 20  // octets of nested mails that had to be decoded to be read
)

// MaxLine is the longest line that may be sent, without its CRLF (RFC 5322,
// Section 2.1.1).
const MaxLine = 998

// Options are limits. Zero stands for the constant of that name, and a negative
// number for one that is unlimited.
type Options struct {
	MaxBytes   int64
	MaxHeader  int
	MaxFields  int
	MaxParts   int
	MaxDepth   int // never above [MaxDepth]: it bounds the stack
	MaxDecoded int64
}

// Message is one mail. It keeps the octets it was read from and must not be
// changed; several goroutines may use it.
type Message struct {
	Size     int64     `json:"size"`   // octets, those above the limit left out
	Header   Header    `json:"header"` // of the mail itself, the same as that of Root
	Root     *Part     `json:"root"`
	Lines    Lines     `json:"lines"`
	Problems []Problem `json:"problems,omitempty"` // of the mail as a whole, and of its limits

	data []byte
}

// Problem is something in a mail that is against the letter, or was cut.
type Problem struct {
	Code Code   `json:"code"`
	At   int64  `json:"at"`             // offset in the mail; -1 if it has no place
	Text string `json:"text,omitempty"` // foreign text, shortened: escape before showing
}

// String is for logs: it quotes foreign text.
func (p Problem) String() string {
	s := string(p.Code)
	if p.At >= 0 {
		s += fmt.Sprintf(" at offset %d", p.At)
	}
	if p.Text != "" {
		s += fmt.Sprintf(": %q", p.Text)
	}
	return s
}

// Code is the kind of a [Problem]. The words are stable.
type Code string

// Codes.
const (
	Cut              Code = "limit"             // a limit cut something; Text says which
	NoHeader         Code = "no-header"         // the first line is no field: all is body
	LeadingLines     Code = "leading-lines"     // empty lines before the header
	MboxLine         Code = "mbox-line"         // a "From " line of a mailbox file before the header
	JunkLine         Code = "junk-line"         // a line of the header that is no field
	SpaceBeforeColon Code = "space-in-name"     // white space before the colon (obsolete form)
	BlankFold        Code = "blank-fold"        // a folded line of white space alone
	NoBlankLine      Code = "no-blank-line"     // the body begins without the empty line
	BadType          Code = "content-type"      // a Content-Type that cannot be read
	RepeatedType     Code = "repeated-mime"     // a MIME field given twice; readers differ in which they take
	RepeatedParam    Code = "repeated-param"    // a parameter given twice; the first counts
	BadEncoding      Code = "transfer-encoding" // an unknown Content-Transfer-Encoding; read as it is
	EncodedComposite Code = "encoded-composite" // an encoding that multiparts and mails may not have
	BadBase64        Code = "base64"            // octets in base64 that do not belong there
	BadQuoted        Code = "quoted-printable"  // an "=" that begins no code
	NoBoundary       Code = "no-boundary"       // a multipart without usable boundary
	GuessedBoundary  Code = "guessed-boundary"  // the boundary is not the one that Content-Type names
	NoParts          Code = "no-parts"          // a multipart with nothing in it
	NotClosed        Code = "not-closed"        // the last boundary line is missing
	BadCharset       Code = "charset"           // an unknown charset, or octets that are none of its
	BadAddress       Code = "address"           // text that is no address
)

// ErrRead is the error of [Read].
var ErrRead = errors.New("message: the mail could not be read")

// Read reads a mail up to the limit of octets. Only a reader that fails gives an
// error, which is ErrRead with the cause; whatever comes is a mail otherwise.
func Read(r io.Reader, opt Options) (*Message, error) {
	limit := opt.bytes()
	if limit < 0 {
		limit = 1<<62 - 1
	}
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRead, err)
	}
	return Parse(data, opt), nil
}

// Parse reads a mail from memory, which belongs to the result from then on. It
// takes anything for a mail, and never fails.
func Parse(data []byte, opt Options) *Message {
	m := &Message{}
	if limit := opt.bytes(); limit >= 0 && int64(len(data)) > limit {
		data = data[:limit]
		m.Problems = append(m.Problems, Problem{Cut, limit, fmt.Sprintf("mail of more than %d octets", limit)})
	}
	m.data, m.Size = data, int64(len(data))
	p := &parser{m: m, opt: opt, left: opt.MaxDecoded, parts: pick(opt.MaxParts, MaxParts)}
	if p.left == 0 {
		p.left = MaxDecoded
	}
	src := source{data: data, eol: eolOf(data)}
	m.Root = p.message(src, span{0, len(data)}, "", 0, true)
	m.Header = m.Root.Header
	m.Lines = countLines(data, int(m.Header.End), src.eol)
	return m
}

// Bytes are the octets of the mail. They must not be changed.
func (m *Message) Bytes() []byte { return m.data }

func (o Options) bytes() int64 {
	if o.MaxBytes == 0 {
		return MaxBytes
	}
	return o.MaxBytes
}

// pick is the limit that holds: the default for zero, a large one for none.
func pick(set, otherwise int) int {
	switch {
	case set == 0:
		return otherwise
	case set < 0:
		return 1<<31 - 1
	}
	return set
}

// source is a run of octets that offsets count in: the mail, or a part that had
// to be decoded.
type source struct {
	data []byte
	eol  byte // '\n', or '\r' for text of an old system with no LF in it
}

type span struct{ start, end int }

// eolOf tells which octet ends lines.
func eolOf(b []byte) byte {
	if bytes.IndexByte(b, '\n') < 0 && bytes.IndexByte(b, '\r') >= 0 {
		return '\r'
	}
	return '\n'
}

// line returns where the line at at ends without its line end, and where the next
// begins.
func (s source) line(at, limit int) (end, next int) {
	i := bytes.IndexByte(s.data[at:limit], s.eol)
	if i < 0 {
		return limit, limit
	}
	end, next = at+i, at+i+1
	if s.eol == '\n' && end > at && s.data[end-1] == '\r' {
		end--
	}
	return end, next
}

const maxQuote = 80 // octets of foreign text in a Problem

func shorten(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}
