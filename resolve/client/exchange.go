package client

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// malformedPatience is the time in which a proper response may still follow a
// malformed one, which anybody could have sent.
const malformedPatience = time.Second

// buffers hold one datagram. We announce 1232 octets; what fills the buffer is
// taken as truncated.
var buffers = sync.Pool{New: func() any { return new([datagramBuffer]byte) }}

const datagramBuffer = 4096

// truncatedError is the failure of TCP after a truncated UDP response.
type truncatedError struct {
	msg *message
	err error
}

func (e *truncatedError) Error() string {
	return "the UDP response was truncated and TCP failed: " + e.err.Error()
}
func (e *truncatedError) Unwrap() error { return e.err }

// exchange puts one query to one server and falls back to a query without EDNS
// if the server does not know it.
func (c *Client) exchange(ctx context.Context, s *server, qy query) (*message, error) {
	qy.edns = true
	m, err := c.roundTrip(ctx, s, qy)
	// RFC 6891, Sections 6.1.3 and 7: these codes may mean that EDNS is the trouble.
	// Without EDNS there are no signatures, so a raw query has no use for that.
	if err == nil && !qy.raw && (m.rcode == resolve.FormErr || m.rcode == resolve.NotImp || m.rcode == badVers) {
		qy.edns = false
		if plain, perr := c.roundTrip(ctx, s, qy); perr == nil {
			return plain, nil
		}
	}
	return m, err
}

func (c *Client) roundTrip(ctx context.Context, s *server, qy query) (*message, error) {
	var m *message
	var err error
	switch s.transport {
	case resolve.HTTPS:
		m, err = c.overHTTPS(ctx, s, qy)
	case resolve.UDP:
		m, err = c.overUDP(ctx, s, qy)
		if err == nil && m.has(bitTC) {
			return c.retryTCP(ctx, s, qy, m)
		}
	default:
		m, err = c.overStream(ctx, s, qy)
	}
	if err == nil && m.has(bitTC) {
		// Part of an RRset must never pass for all of it.
		return nil, malformed("the response is truncated, though not over UDP")
	}
	return m, err
}

// retryTCP repeats a query of which the response was truncated (RFC 7766, Section 5).
func (c *Client) retryTCP(ctx context.Context, s *server, qy query, cut *message) (*message, error) {
	c.stats.tcp.Add(1)
	m, err := c.overStream(ctx, s, qy)
	if err == nil && m.has(bitTC) {
		err = malformed("the response is truncated over TCP too")
	}
	if err != nil {
		return nil, &truncatedError{cut, err}
	}
	m.retried = true
	return m, nil
}

// overUDP sends the query from a fresh port, again while nothing comes, and
// waits for a response until ctx ends.
func (c *Client) overUDP(ctx context.Context, s *server, qy query) (*message, error) {
	conn, err := c.dial(ctx, "udp", s)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var room [maxQuery]byte
	sent, err := qy.pack(room[:])
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(past) })
	defer stop()
	end, _ := ctx.Deadline()
	wait := s.retransmitAfter()
	var broken error
	for n := 1; ; n++ {
		at := time.Now()
		until := end
		if n < c.sends && at.Add(wait).Before(end) {
			until = at.Add(wait)
		}
		if broken != nil && at.Add(malformedPatience).Before(until) {
			until = at.Add(malformedPatience)
		}
		conn.SetDeadline(until)
		if ctx.Err() != nil {
			return nil, better(broken, ctx.Err())
		}
		if _, err := conn.Write(sent); err != nil {
			return nil, better(broken, err)
		}
		c.stats.queries.Add(1)
		if n > 1 {
			c.stats.retransmits.Add(1)
		}
		m, err := c.listen(ctx, conn, sent, qy, until)
		if err == nil {
			// Karn: a response after a retransmit does not tell which query it answers.
			if n == 1 {
				s.measured(time.Since(at))
			} else {
				s.alive()
			}
			return m, nil
		}
		if _, ok := errors.AsType[malformed](err); ok {
			broken = err
		} else if !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, better(broken, err)
		}
		if n >= c.sends || ctx.Err() != nil || broken != nil && n > 1 {
			return nil, better(broken, err)
		}
		if n == yieldAfter {
			qy.slot.yield()
		}
		wait = min(2*wait, 4*maxRetransmit)
	}
}

// past is a deadline that ends what waits on a connection.
var past = time.Unix(1, 0)

func better(broken, err error) error {
	if broken != nil {
		return broken
	}
	return err
}

// listen reads until a response to the query comes or the deadline passes.
// Packets that are no response to it are ignored: they may be forged (RFC 5452,
// Section 9.1). A malformed one is the error only if nothing better follows.
func (c *Client) listen(ctx context.Context, conn net.Conn, sent []byte, qy query, until time.Time) (*message, error) {
	buf := buffers.Get().(*[datagramBuffer]byte)
	defer buffers.Put(buf)
	var broken error
	for {
		n, err := conn.Read(buf[:])
		if err != nil {
			return nil, better(broken, err)
		}
		m, err := parse(buf[:n], sent, qy)
		switch {
		case err == nil:
			if n == len(buf) {
				m.flags |= bitTC
			}
			m.transport = resolve.UDP
			return m, nil
		case err == errForeign:
			c.stats.ignored.Add(1)
		default:
			if broken == nil {
				conn.SetReadDeadline(time.Now().Add(min(malformedPatience, time.Until(until))))
				if ctx.Err() != nil {
					return nil, err
				}
			}
			broken = err
		}
	}
}
