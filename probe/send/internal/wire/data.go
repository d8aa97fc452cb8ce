package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/mailcheck-go/mailcheck/probe/smtp"
)

// MaxLine is the longest line of a mail without its CRLF (RFC 5321, Section
// 4.5.3.1.6).
const MaxLine = 998

// ErrForm is a mail that must not be put on the wire.
var ErrForm = errors.New("mail cannot be sent as it is")

// CheckMail refuses a mail that another host could cut in two: every line has to
// end in CRLF, and neither CR nor LF stands anywhere else (RFC 5321, Section
// 2.3.8). NUL is refused as well, and lines that are too long.
func CheckMail(mail []byte) error {
	if !bytes.HasSuffix(mail, []byte("\r\n")) {
		return fmt.Errorf("%w: it does not end with CRLF", ErrForm)
	}
	begin := 0
	for i, b := range mail {
		switch {
		case b == 0:
			return fmt.Errorf("%w: NUL at offset %d", ErrForm, i)
		case b == '\r' && (i+1 == len(mail) || mail[i+1] != '\n'):
			return fmt.Errorf("%w: CR without LF at offset %d", ErrForm, i)
		case b == '\n' && (i == 0 || mail[i-1] != '\r'):
			return fmt.Errorf("%w: LF without CR at offset %d", ErrForm, i)
		case b == '\n':
			if i-1-begin > MaxLine {
				return fmt.Errorf("%w: line of %d octets at offset %d", ErrForm, i-1-begin, begin)
			}
			begin = i + 1
		}
	}
	return nil
}

// Stuff doubles the dots at the beginning of lines (RFC 5321, Section 4.5.2) and
// puts the line with one dot behind the mail.
func Stuff(mail []byte) []byte {
	out := make([]byte, 0, len(mail)+64)
	if bytes.HasPrefix(mail, []byte(".")) {
		out = append(out, '.')
	}
	out = append(out, bytes.ReplaceAll(mail, []byte("\r\n."), []byte("\r\n.."))...)
	return append(out, ".\r\n"...)
}

// Data sends the mail, with DATA before and a dot behind it.
func (c *Client) Data(ctx context.Context, mail []byte) (smtp.Reply, error) {
	c.step = StepData
	if err := CheckMail(mail); err != nil {
		return smtp.Reply{}, &smtp.Error{Step: StepData, Cause: smtp.Unexpected, Detail: err.Error(), Err: err}
	}
	r, err := c.Command(ctx, StepData, "DATA")
	if err == nil {
		err = c.Expect(r, 354)
	}
	if err != nil {
		if r.Code/100 == 2 {
			c.dead = true // neither side knows any more what the other reads
		}
		return r, err
	}
	r, err = c.speak(ctx, StepEnd, c.opt.End, func() error {
		text := Stuff(mail)
		body, dot := text[:len(text)-3], text[len(text)-3:]
		c.Note(fmt.Sprintf("mail of %d octets", len(mail)))
		if _, err := c.stream().Write(body); err != nil {
			return c.early(err)
		}
		// What a host says before it has the mail can only be that it wants none.
		if c.discard(smtp.Unsolicited) {
			return &lineError{smtp.Unexpected, "the host spoke before the mail was over"}
		}
		c.note(smtp.Sent, ".", 0)
		c.WroteEnd = true
		_, err := c.stream().Write(dot)
		return err
	})
	if err != nil {
		return r, err
	}
	return r, c.Expect(r, 250)
}

// early prefers what a host said before it broke off over the break.
func (c *Client) early(err error) error {
	if r, e := c.read(); e == nil && r.Code >= 400 {
		return &lineError{smtp.Closed, fmt.Sprintf("after %d %s", r.Code, quote(string(r.Lines[0])))}
	}
	return err
}
