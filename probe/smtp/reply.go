package smtp

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// Limits of one reply.
const (
	MaxLine  = 2048     // octets; RFC 5321, Section 4.5.3.1.5 allows 512
	MaxLines = 100      // EHLO of a real host has about 20
	MaxReply = 64 << 10 // octets

	rfcLine   = 512 // with CRLF
	maxParams = 32  // of one extension; AUTH of a real host has about 10
)

// Reply is what a host says to a command (RFC 5321, Section 4.2).
type Reply struct {
	Code     int    `json:"code"`               // of the last line
	Enhanced string `json:"enhanced,omitempty"` // "4.7.1" (RFC 3463), from the first line that has one
	Lines    []Text `json:"lines"`              // without code and end of line
}

// String is the reply as it stands on the wire. It is foreign text.
func (r Reply) String() string {
	var b strings.Builder
	for i, l := range r.Lines {
		sep := byte('-')
		if i == len(r.Lines)-1 {
			sep = ' '
		}
		b.Write([]byte{byte('0' + r.Code/100%10), byte('0' + r.Code/10%10), byte('0' + r.Code%10), sep})
		b.WriteString(string(l) + "\r\n")
	}
	return b.String()
}

// ok reports a positive completion reply (RFC 5321, Section 4.2.1).
func (r Reply) ok() bool { return r.Code/100 == 2 }

// lineError is a line or reply that does not fit or makes no sense.
type lineError struct {
	cause  Cause
	detail string
}

func (e *lineError) Error() string { return e.detail }

// replyReader reads replies within the limits. It calls line for each line, the
// broken last one too, and odd for what is strange about it.
type replyReader struct {
	br   *bufio.Reader
	line func(text []byte, cut int)
	odd  func(ObservationKind, []byte)
}

func (r *replyReader) read() (Reply, error) {
	var reply Reply
	for size := 0; ; {
		l, err := r.readLine()
		if err != nil {
			return reply, err
		}
		if size += len(l); size > MaxReply {
			return reply, &lineError{TooLarge, "the reply has more octets than a reply may have"}
		}
		code, more, text, ok := parseLine(l)
		if !ok {
			return reply, &lineError{NotSMTP, quote(string(l))}
		}
		if len(reply.Lines) > 0 && code != reply.Code {
			r.odd(CodeMismatch, l)
		}
		// RFC 5321, Section 4.2.1: all lines carry the same code. Where they do
		// not, clients act on the last.
		reply.Code = code
		reply.Lines = append(reply.Lines, Text(text))
		if !more {
			reply.Enhanced = enhanced(reply)
			return reply, nil
		}
		if len(reply.Lines) == MaxLines {
			return reply, &lineError{TooLarge, "the reply has more lines than a reply may have"}
		}
	}
}

// readLine reads to LF. The line is without its end, and only valid until the
// next call.
func (r *replyReader) readLine() ([]byte, error) {
	l, err := r.br.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		r.line(l, 1)
		return nil, &lineError{TooLarge, "a line has more octets than a line may have"}
	}
	if err != nil {
		if len(l) > 0 {
			r.inspect(l)
			r.line(l, 0)
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
		}
		return nil, err
	}
	if len(l) > rfcLine {
		r.odd(LongLine, l)
	}
	l = l[:len(l)-1]
	if n := len(l); n > 0 && l[n-1] == '\r' {
		l = l[:n-1]
	} else {
		r.odd(BareLF, l)
	}
	r.inspect(l)
	r.line(l, 0)
	return l, nil
}

func (r *replyReader) inspect(l []byte) {
	var cr, control, high bool
	for _, b := range l {
		switch {
		case b == '\r':
			cr = true
		case b >= 0x80:
			high = true
		case b < ' ' && b != '\t' || b == 0x7f:
			control = true
		}
	}
	if cr {
		r.odd(BareCR, l)
	}
	if control {
		r.odd(ControlOctet, l)
	}
	if high {
		r.odd(NotASCII, l)
	}
}

// parseLine reads "250-text". RFC 5321, Section 4.2 wants a code of three digits,
// then a hyphen, a space or nothing.
func parseLine(l []byte) (code int, more bool, text string, ok bool) {
	if len(l) < 3 || l[0] < '2' || l[0] > '5' || l[1] < '0' || l[1] > '9' || l[2] < '0' || l[2] > '9' {
		return 0, false, "", false
	}
	code = int(l[0]-'0')*100 + int(l[1]-'0')*10 + int(l[2]-'0')
	if len(l) == 3 {
		return code, false, "", true
	}
	if l[3] != '-' && l[3] != ' ' {
		return 0, false, "", false
	}
	return code, l[3] == '-', string(l[4:]), true
}

// enhanced finds the first status code at the start of a line (RFC 2034,
// Section 4; RFC 3463, Section 2): class.subject.detail, of the class of the reply.
func enhanced(r Reply) string {
	for _, l := range r.Lines {
		word, _, _ := strings.Cut(string(l), " ")
		parts := strings.Split(word, ".")
		if len(parts) == 3 && parts[0] == string(rune('0'+r.Code/100)) && parts[0] != "3" && isNumber(parts[1]) && isNumber(parts[2]) {
			return word
		}
	}
	return ""
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 3 && strings.Trim(s, "0123456789") == ""
}

// Hello is the answer to EHLO or HELO.
type Hello struct {
	Verb       string      `json:"verb"`   // "EHLO" or "HELO"
	Domain     Text        `json:"domain"` // the name the host gives itself
	Extensions []Extension `json:"extensions,omitempty"`
	Reply      Reply       `json:"reply"`
	Refused    *Reply      `json:"refused,omitempty"` // what EHLO was answered, if Verb is HELO
}

// Extension is one service extension (RFC 5321, Section 4.1.1.1).
type Extension struct {
	Keyword string `json:"keyword"` // upper case
	Params  []Text `json:"params,omitempty"`
}

// Extension finds an extension by its keyword, in upper case.
func (h Hello) Extension(keyword string) (Extension, bool) {
	for _, x := range h.Extensions {
		if x.Keyword == keyword {
			return x, true
		}
	}
	return Extension{}, false
}

func parseHello(verb string, r Reply) Hello {
	h := Hello{Verb: verb, Reply: r}
	if len(r.Lines) == 0 {
		return h
	}
	first, _, _ := strings.Cut(string(r.Lines[0]), " ")
	h.Domain = Text(first)
	if verb != "EHLO" {
		return h
	}
	for _, l := range r.Lines[1:] {
		f := strings.FieldsFunc(string(l), func(r rune) bool { return r == ' ' || r == '\t' })
		if len(f) == 0 {
			continue
		}
		word, params := f[0], f[1:]
		// Old hosts write AUTH=LOGIN beside AUTH LOGIN.
		if name, rest, ok := strings.Cut(word, "="); ok {
			word, params = name, append([]string{rest}, params...)
		}
		if !isKeyword(word) {
			continue // it stays in Reply
		}
		x := Extension{Keyword: strings.ToUpper(word)}
		for _, p := range params[:min(len(params), maxParams)] {
			x.Params = append(x.Params, Text(p))
		}
		h.Extensions = append(h.Extensions, x)
	}
	return h
}

// isKeyword checks the form: a letter or digit, then letters, digits, hyphens.
func isKeyword(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '-' && i > 0:
		default:
			return false
		}
	}
	return s != ""
}

// masked reports an offer that a firewall wrote over: Cisco's inspection turns
// STARTTLS into XXXXXXXA.
func masked(keyword string) bool {
	return len(keyword) >= 4 && strings.Trim(strings.TrimSuffix(keyword, "A"), "X") == ""
}
