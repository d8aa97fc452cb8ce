package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/probe/smtp"
)

// Steps beyond those of package smtp.
const (
	StepAuth smtp.Step = "auth"
	StepMail smtp.Step = "mail"
	StepRcpt smtp.Step = "rcpt"
	StepData smtp.Step = "data"     // the command
	StepEnd  smtp.Step = "data-end" // the mail, and the dot behind it
)

// Causes beyond those of package smtp.
const (
	Injected   smtp.Cause = "injected-plaintext"      // text in clear behind the 220 of STARTTLS (CVE-2011-0411)
	NotOffered smtp.Cause = "not-offered"             // the host does not offer what was asked for
	Untrusted  smtp.Cause = "certificate-not-trusted" // and it had to be
	BadAuth    smtp.Cause = "bad-authentication"      // the server broke the rules of the login
)

// blanked stands for a secret.
const blanked = "***"

// shortSecret is the length up to which a secret is not looked for in what the
// host says: it would be found in every other word.
const shortSecret = 4

var past = time.Unix(1, 0)

// Options of a client.
type Options struct {
	Timeout time.Duration // of one step; 0 means smtp.DefaultTimeout
	End     time.Duration // of the wait for the answer to the mail; 0 means Timeout
	Now     func() time.Time
}

// Client holds one conversation. It is not safe for concurrent use.
type Client struct {
	opt        Options
	conn       *meter
	tls        net.Conn // nil before the handshake
	in         *bufio.Reader
	start      time.Time
	step       smtp.Step
	dead       bool // nothing sensible can be said any more
	secrets    []string
	transcript smtp.Transcript
	size       int
	seen       []smtp.Observation
	last       string // the last line of a reply, with secrets
	// WroteEnd is true once the dot behind the mail may have reached the host: from
	// then on it may have taken the mail, whatever it answers.
	WroteEnd bool
}

// New takes over a connection that was just made.
func New(conn net.Conn, opt Options) *Client {
	if opt.Timeout <= 0 {
		opt.Timeout = smtp.DefaultTimeout
	}
	if opt.End <= 0 {
		opt.End = opt.Timeout
	}
	c := &Client{opt: opt, conn: &meter{Conn: conn, left: smtp.MaxTotal}, start: opt.Now()}
	c.in = bufio.NewReaderSize(c.conn, smtp.MaxLine)
	return c
}

// Blank keeps texts out of the transcript and of errors.
func (c *Client) Blank(secrets ...string) {
	for _, s := range secrets {
		if len(s) > shortSecret {
			c.secrets = append(c.secrets, s)
		}
	}
}

// Close ends the connection without a word.
func (c *Client) Close() error {
	c.dead = true
	return c.conn.Close()
}

// Transcript is what was said until now.
func (c *Client) Transcript() smtp.Transcript {
	return smtp.Transcript{Entries: slices.Clone(c.transcript.Entries), Dropped: c.transcript.Dropped}
}

// Observations are the oddities seen until now.
func (c *Client) Observations() []smtp.Observation { return slices.Clone(c.seen) }

// Banner reads the greeting.
func (c *Client) Banner(ctx context.Context) (smtp.Reply, error) {
	r, err := c.speak(ctx, smtp.StepBanner, c.opt.Timeout, func() error { return nil })
	if err != nil {
		return r, err
	}
	return r, c.Expect(r, 220)
}

// Hello says EHLO. HELO is not tried: what a probe asks for are extensions.
func (c *Client) Hello(ctx context.Context, name string) (smtp.Hello, error) {
	step := smtp.StepEHLO
	if c.tls != nil {
		step = smtp.StepSecureEHLO
	}
	if err := smtp.CheckName(name); err != nil {
		return smtp.Hello{}, &smtp.Error{Step: step, Cause: smtp.Unexpected, Detail: err.Error(), Err: err}
	}
	r, err := c.Command(ctx, step, "EHLO "+name)
	if err != nil {
		return smtp.Hello{}, err
	}
	h := parseHello(r)
	return h, c.Expect(r, 250)
}

// Command sends a line and reads the reply, of whatever code.
func (c *Client) Command(ctx context.Context, step smtp.Step, line string) (smtp.Reply, error) {
	return c.exchange(ctx, step, line, line)
}

// Secret is Command for a line that is shown as another.
func (c *Client) Secret(ctx context.Context, step smtp.Step, line, shown string) (smtp.Reply, error) {
	return c.exchange(ctx, step, line, shown+blanked)
}

// Challenge is the text of the last reply as it came: a secret that by chance stands
// in it is not blanked.
func (c *Client) Challenge() string { return c.last }

// Quit says QUIT and closes. It does not wait long.
func (c *Client) Quit(ctx context.Context) {
	defer c.Close()
	if c.dead {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	// The mail is delivered or not by now: what the host says to QUIT is nothing.
	_, _ = c.exchange(ctx, smtp.StepQuit, "QUIT", "QUIT")
}

// Expect turns a reply of another code into an error.
func (c *Client) Expect(r smtp.Reply, codes ...int) error {
	if slices.Contains(codes, r.Code) {
		return nil
	}
	e := &smtp.Error{Step: c.step, Cause: smtp.Unexpected, Reply: &r, Detail: fmt.Sprintf("%d", r.Code)}
	if r.Code >= 400 {
		e.Cause = smtp.Rejected
	}
	if len(r.Lines) > 0 {
		e.Detail += " " + quote(string(r.Lines[0]))
	}
	if r.Code == 421 {
		c.dead = true // RFC 5321, Section 3.8: the host closes after 421
	}
	return e
}

// Fail is an error of this side at a step.
func Fail(step smtp.Step, cause smtp.Cause, format string, args ...any) *smtp.Error {
	return &smtp.Error{Step: step, Cause: cause, Detail: fmt.Sprintf(format, args...)}
}

func (c *Client) exchange(ctx context.Context, step smtp.Step, line, shown string) (smtp.Reply, error) {
	c.step = step
	if strings.ContainsAny(line, "\r\n\x00") {
		// Nothing gets here unchecked. If it did, one line would become two.
		c.dead = true
		return smtp.Reply{}, Fail(step, smtp.Unexpected, "a command with a line end in it was not sent")
	}
	return c.speak(ctx, step, c.opt.Timeout, func() error {
		// Text that came before the command cannot be the answer to it.
		c.discard(smtp.Unsolicited)
		c.note(smtp.Sent, shown, 0)
		_, err := c.stream().Write([]byte(line + "\r\n"))
		return err
	})
}

// speak writes, and reads the reply to what was written.
func (c *Client) speak(ctx context.Context, step smtp.Step, limit time.Duration, write func() error) (smtp.Reply, error) {
	c.step = step
	if c.dead {
		return smtp.Reply{}, &smtp.Error{Step: step, Cause: smtp.Closed}
	}
	var reply smtp.Reply
	err := c.within(ctx, limit, func() error {
		if err := write(); err != nil {
			return err
		}
		var err error
		reply, err = c.read()
		return err
	})
	if err == nil {
		return reply, nil
	}
	c.dead = true
	if bad, ok := errors.AsType[*lineError](err); ok {
		return reply, &smtp.Error{Step: step, Cause: bad.cause, Detail: bad.detail}
	}
	return reply, smtp.NewError(step, err)
}

// within runs f and expires the connection when the time or the context ends.
func (c *Client) within(ctx context.Context, limit time.Duration, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.conn.SetDeadline(past) })
	err := f()
	if !stop() && err != nil {
		return ctx.Err() // the deadline was ours, and this says whose
	}
	return err
}

func (c *Client) stream() net.Conn {
	if c.tls != nil {
		return c.tls
	}
	return c.conn
}

// discard throws away what the host said without being asked, and reports
// whether there was any.
func (c *Client) discard(kind smtp.ObservationKind) bool {
	n := c.in.Buffered()
	if n == 0 {
		return false
	}
	b, _ := c.in.Peek(n)
	c.observe(kind, string(b))
	c.note(smtp.Received, string(b), 0)
	c.in.Discard(n)
	return true
}

// meter counts what is read from a connection.
type meter struct {
	net.Conn
	left int
}

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, &lineError{smtp.TooLarge, "more octets than a conversation may have"}
	}
	n, err := m.Conn.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}
