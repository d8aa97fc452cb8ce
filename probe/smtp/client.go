package smtp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

const (
	// MaxTotal is the number of octets read from one connection, TLS included. A
	// probe of a real host reads under 16 KiB.
	MaxTotal = 1 << 20
	// DefaultTimeout bounds one step. RFC 5321, Section 4.5.3.2 would wait for
	// minutes; hosts that delay the banner to unmask spammers take 5 to 20 s.
	DefaultTimeout = 20 * time.Second

	quitTimeout = 3 * time.Second
	maxName     = 255 // octets of the name in EHLO (RFC 5321, Section 4.5.3.1.2)
)

var errBudget = errors.New("budget of octets used up")

// past expires everything that waits on a connection.
var past = time.Unix(1, 0)

// Options of a client. The zero value is usable.
type Options struct {
	// Timeout of one step; 0 means DefaultTimeout. The context bounds all of them.
	Timeout time.Duration
	// Now is the clock of the transcript; nil means time.Now.
	Now func() time.Time
}

// Client holds one conversation. It is not safe for concurrent use.
type Client struct {
	opt        Options
	conn       *meter
	tls        *tls.Conn // nil before the handshake
	in         *bufio.Reader
	start      time.Time
	step       Step
	dead       bool // nothing sensible can be said any more
	transcript Transcript
	size       int
	seen       []Observation
}

// NewClient takes over a connection that was just made. Close it with
// [Client.Close].
func NewClient(conn net.Conn, opt Options) *Client {
	if opt.Timeout <= 0 {
		opt.Timeout = DefaultTimeout
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	c := &Client{opt: opt, conn: &meter{Conn: conn, left: MaxTotal}, start: opt.Now()}
	c.in = bufio.NewReaderSize(c.conn, MaxLine)
	return c
}

// Close ends the connection without a word.
func (c *Client) Close() error {
	c.dead = true
	return c.conn.Close()
}

// Transcript is what was said until now.
func (c *Client) Transcript() Transcript {
	return Transcript{Entries: slices.Clone(c.transcript.Entries), Dropped: c.transcript.Dropped}
}

// Observations are the oddities seen until now.
func (c *Client) Observations() []Observation { return slices.Clone(c.seen) }

// Banner reads the greeting (RFC 5321, Section 3.1): 220, or an error.
func (c *Client) Banner(ctx context.Context) (Reply, error) {
	r, err := c.exchange(ctx, StepBanner, "")
	if err != nil {
		return r, err
	}
	return r, c.expect(r, 220)
}

// Hello says EHLO, and HELO to a host that refuses it (RFC 5321, Section 3.2).
// The name is that of this machine, or its address in brackets. After a
// handshake it must be called again, as what was heard in clear does not count
// (RFC 3207, Section 4.2).
func (c *Client) Hello(ctx context.Context, name string) (Hello, error) {
	step := StepEHLO
	if c.tls != nil {
		step = StepSecureEHLO
	}
	if err := CheckName(name); err != nil {
		return Hello{}, &Error{Step: step, Cause: Unexpected, Detail: err.Error(), Err: err}
	}
	r, err := c.exchange(ctx, step, "EHLO "+name)
	if err != nil {
		return Hello{}, err
	}
	if r.ok() {
		h := parseHello("EHLO", r)
		c.inspect(h)
		return h, nil
	}
	refused := c.expect(r, 250)
	if r.Code < 500 || r.Code == 521 || r.Code == 554 {
		return Hello{Verb: "EHLO", Reply: r}, refused
	}
	old, err := c.exchange(ctx, step, "HELO "+name)
	if err != nil || !old.ok() {
		return Hello{Verb: "EHLO", Reply: r}, refused // the first refusal is the one to show
	}
	c.observe(HELOOnly, []byte(fmt.Sprintf("%d", r.Code)))
	h := parseHello("HELO", old)
	h.Refused = &r
	return h, nil
}

func (c *Client) inspect(h Hello) {
	for _, x := range h.Extensions {
		if masked(x.Keyword) {
			c.observe(MaskedExtension, []byte(x.Keyword))
		}
		if x.Keyword == "STARTTLS" && c.tls != nil {
			c.observe(StillSTARTTLS, nil)
		}
	}
}

// Quit says QUIT and closes. It does not wait long, and not at all on a
// conversation that failed.
func (c *Client) Quit(ctx context.Context) error {
	defer c.Close()
	if c.dead {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, quitTimeout)
	defer cancel()
	if _, err := c.exchange(ctx, StepQuit, "QUIT"); err != nil {
		return err
	}
	if c.tls != nil {
		// Whether the host still reads the end of TLS is its own affair.
		_ = c.within(ctx, c.tls.Close)
	}
	return nil
}

// CheckName refuses what must not stand in EHLO: a domain of letters, digits,
// hyphens and dots, or an address in brackets, is well (RFC 5321, Section 4.1.2
// and 4.1.3).
func CheckName(name string) error {
	plain := name
	if inner, ok := strings.CutPrefix(name, "["); ok && strings.HasSuffix(inner, "]") {
		plain = strings.ReplaceAll(inner[:len(inner)-1], ":", "-")
	}
	if plain == "" || len(name) > maxName {
		return fmt.Errorf("name for EHLO %s: want 1 to %d octets", quote(name), maxName)
	}
	for i := range len(plain) {
		b := plain[i]
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '-' && b != '.' && b != '_' {
			return fmt.Errorf("name for EHLO %s: offset %d: want letters, digits, hyphens and dots", quote(name), i)
		}
	}
	return nil
}

// expect turns a reply of another code into an error.
func (c *Client) expect(r Reply, code int) error {
	if r.Code == code {
		return nil
	}
	e := &Error{Step: c.step, Cause: Unexpected, Reply: &r, Detail: fmt.Sprintf("%d", r.Code)}
	if r.Code >= 400 {
		e.Cause = Rejected
	}
	if len(r.Lines) > 0 {
		e.Detail += " " + quote(r.Lines[0])
	}
	if r.Code == 421 {
		c.dead = true // RFC 5321, Section 3.8: the host closes after 421
	}
	return e
}

// exchange sends a line, if there is one, and reads the reply to it.
func (c *Client) exchange(ctx context.Context, step Step, line string) (Reply, error) {
	c.step = step
	if c.dead {
		return Reply{}, &Error{Step: step, Cause: Closed}
	}
	var reply Reply
	err := c.within(ctx, func() error {
		if line != "" {
			// Text that came before the command cannot be the answer to it.
			c.discard(Unsolicited)
			c.note(Sent, []byte(line), 0)
			if _, err := c.stream().Write([]byte(line + "\r\n")); err != nil {
				return err
			}
		}
		rr := replyReader{br: c.in, odd: c.observe,
			line: func(l []byte, cut int) { c.note(Received, l, cut) }}
		var err error
		reply, err = rr.read()
		return err
	})
	if err == nil {
		return reply, nil
	}
	c.dead = true
	if bad, ok := errors.AsType[*lineError](err); ok {
		return reply, &Error{Step: step, Cause: bad.cause, Detail: bad.detail}
	}
	return reply, NewError(step, err)
}

// within runs f and expires the connection when the step or the context ends.
func (c *Client) within(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, c.opt.Timeout)
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

// discard throws away what the host said without being asked.
func (c *Client) discard(kind ObservationKind) {
	n := c.in.Buffered()
	if n == 0 {
		return
	}
	b, _ := c.in.Peek(n)
	c.observe(kind, b)
	c.note(Received, b, 0)
	c.in.Discard(n)
}

func (c *Client) note(d Direction, text []byte, cut int) {
	at := c.opt.Now().Sub(c.start).Milliseconds()
	c.transcript.add(Entry{AtMS: at, Direction: d, Text: Text(text), Cut: cut, Encrypted: c.tls != nil && d != Note}, &c.size)
}

// observe keeps one observation of a kind for each step.
func (c *Client) observe(kind ObservationKind, text []byte) {
	if len(c.seen) >= maxObservations ||
		slices.ContainsFunc(c.seen, func(o Observation) bool { return o.Kind == kind && o.Step == c.step }) {
		return
	}
	if len(text) > maxObserved {
		text = text[:maxObserved]
	}
	c.seen = append(c.seen, Observation{Kind: kind, Step: c.step, Text: Text(text)})
}

// meter counts what is read from a connection and keeps its first octets.
type meter struct {
	net.Conn
	left  int
	first []byte // since arm, up to its capacity
}

// arm begins to keep octets.
func (m *meter) arm(n int) { m.first = make([]byte, 0, n) }

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errBudget
	}
	if len(p) > m.left {
		p = p[:m.left]
	}
	n, err := m.Conn.Read(p)
	m.left -= n
	m.first = append(m.first, p[:min(n, cap(m.first)-len(m.first))]...)
	return n, err
}
