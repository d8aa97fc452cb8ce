package wire

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/mailcheck-go/mailcheck/probe/smtp"
)

const (
	maxEntry        = 1 << 10 // octets of one line in the transcript
	maxObservations = 20
	maxObserved     = 200 // octets of an observation's text
	maxParams       = 32  // of one extension
)

// lineError is a line or reply that does not fit or makes no sense.
type lineError struct {
	cause  smtp.Cause
	detail string
}

func (e *lineError) Error() string { return e.detail }

// read reads a reply (RFC 5321, Section 4.2.1) within the limits of package smtp.
func (c *Client) read() (smtp.Reply, error) {
	var r smtp.Reply
	for size := 0; ; {
		line, err := c.readLine()
		if err != nil {
			return r, err
		}
		if size += len(line); size > smtp.MaxReply {
			return r, &lineError{smtp.TooLarge, "the reply has more octets than a reply may have"}
		}
		code, more, text, ok := parseLine(line)
		if !ok {
			return r, &lineError{smtp.NotSMTP, quote(c.clean(line))}
		}
		if len(r.Lines) > 0 && code != r.Code {
			c.observe(smtp.CodeMismatch, line)
		}
		r.Code, c.last = code, text
		r.Lines = append(r.Lines, smtp.Text(c.clean(text)))
		if !more {
			r.Enhanced = enhanced(r)
			return r, nil
		}
		if len(r.Lines) == smtp.MaxLines {
			return r, &lineError{smtp.TooLarge, "the reply has more lines than a reply may have"}
		}
	}
}

func (c *Client) readLine() (string, error) {
	l, err := c.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		c.note(smtp.Received, string(l), 1)
		return "", &lineError{smtp.TooLarge, "a line has more octets than a line may have"}
	}
	if err != nil {
		if len(l) > 0 {
			c.note(smtp.Received, string(l), 0)
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
		}
		return "", err
	}
	line, found := strings.CutSuffix(string(l[:len(l)-1]), "\r")
	if !found {
		c.observe(smtp.BareLF, line)
	}
	if strings.IndexFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) >= 0 {
		c.observe(smtp.ControlOctet, line)
	}
	c.note(smtp.Received, line, 0)
	return line, nil
}

// parseLine reads "250-text".
func parseLine(l string) (code int, more bool, text string, ok bool) {
	if len(l) < 3 || l[0] < '2' || l[0] > '5' || l[1] < '0' || l[1] > '9' || l[2] < '0' || l[2] > '9' {
		return 0, false, "", false
	}
	code, _ = strconv.Atoi(l[:3])
	if len(l) == 3 {
		return code, false, "", true
	}
	if l[3] != '-' && l[3] != ' ' {
		return 0, false, "", false
	}
	return code, l[3] == '-', l[4:], true
}

// enhanced finds the first status code of the class of the reply (RFC 2034,
// Section 4).
func enhanced(r smtp.Reply) string {
	for _, l := range r.Lines {
		word, _, _ := strings.Cut(string(l), " ")
		p := strings.Split(word, ".")
		if len(p) == 3 && p[0] == strconv.Itoa(r.Code/100) && p[0] != "3" && number(p[1]) && number(p[2]) {
			return word
		}
	}
	return ""
}

func number(s string) bool { return s != "" && len(s) <= 3 && strings.Trim(s, "0123456789") == "" }

func parseHello(r smtp.Reply) smtp.Hello {
	h := smtp.Hello{Verb: "EHLO", Reply: r}
	for i, l := range r.Lines {
		f := strings.Fields(string(l))
		if len(f) == 0 {
			continue
		}
		if i == 0 {
			h.Domain = smtp.Text(f[0])
			continue
		}
		// Old hosts write AUTH=LOGIN beside AUTH LOGIN.
		if name, rest, ok := strings.Cut(f[0], "="); ok {
			f = append([]string{name, rest}, f[1:]...)
		}
		x := smtp.Extension{Keyword: strings.ToUpper(f[0])}
		for _, p := range f[1:min(len(f), 1+maxParams)] {
			x.Params = append(x.Params, smtp.Text(p))
		}
		h.Extensions = append(h.Extensions, x)
	}
	return h
}

// clean blanks the secrets in a text.
func (c *Client) clean(s string) string {
	for _, secret := range c.secrets {
		s = strings.ReplaceAll(s, secret, blanked)
	}
	return s
}

// note keeps a line of the transcript if it fits.
func (c *Client) note(d smtp.Direction, text string, cut int) {
	t := &c.transcript
	text = c.clean(text)
	if len(t.Entries) >= smtp.MaxEntries || c.size >= smtp.MaxTranscript {
		t.Dropped++
		return
	}
	if room := min(maxEntry, smtp.MaxTranscript-c.size); len(text) > room {
		cut += len(text) - room
		text = text[:room]
	}
	c.size += len(text)
	t.Entries = append(t.Entries, smtp.Entry{AtMS: c.opt.Now().Sub(c.start).Milliseconds(), Direction: d,
		Text: smtp.Text(strings.Clone(text)), Cut: cut, Encrypted: c.tls != nil && d != smtp.Note})
}

// Note keeps what this side did.
func (c *Client) Note(text string) { c.note(smtp.Note, text, 0) }

func (c *Client) observe(kind smtp.ObservationKind, text string) {
	if len(c.seen) >= maxObservations ||
		slices.ContainsFunc(c.seen, func(o smtp.Observation) bool { return o.Kind == kind && o.Step == c.step }) {
		return
	}
	text = c.clean(text)
	c.seen = append(c.seen, smtp.Observation{Kind: kind, Step: c.step, Text: smtp.Text(strings.Clone(text[:min(len(text), maxObserved)]))})
}

// quote makes foreign text fit for an error string.
func quote(s string) string { return strconv.QuoteToASCII(s[:min(len(s), 160)]) }
