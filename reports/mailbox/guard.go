package mailbox

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// slowest is the rate below which a server that sends is taken to be stalling.
const slowest = 2 << 10 // octets a second

// guard stands between the IMAP library and the connection. The library believes
// sizes and waits without end for an answer; here each command has a number of
// octets and a time for what it may bring.
type guard struct {
	net.Conn
	stall time.Duration
	plain bool // without TLS, and allowed to be

	mu     sync.Mutex
	armed  bool
	left   int64         // octets
	waited time.Duration // in Read, since the command began
	extra  time.Duration // earned by what was received
	err    error         // the first of our own; it stays
}

func newGuard(c net.Conn, stall time.Duration) *guard {
	return &guard{Conn: c, stall: stall, armed: true, left: smallAnswer}
}

const smallAnswer = 1 << 20 // octets of the answer to a command that brings no mails

// arm begins a command.
func (g *guard) arm(octets int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.armed, g.left, g.waited, g.extra = true, octets, 0, 0
	g.Conn.SetReadDeadline(time.Now().Add(g.stall)) // also of a Read that waits already
}

// rest ends it: until the next one the server may be silent, and say a little.
func (g *guard) rest() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.armed, g.left = false, smallAnswer
	g.Conn.SetReadDeadline(time.Time{})
}

// cause is the error of the guard, if that is what ended the connection.
func (g *guard) cause() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

func (g *guard) fail(err error) error {
	if g.err == nil {
		g.err = err
	}
	return g.err
}

func (g *guard) Read(b []byte) (int, error) {
	g.mu.Lock()
	if g.err == nil && g.left <= 0 {
		g.fail(ErrTooMuch)
	}
	if g.err != nil {
		defer g.mu.Unlock()
		return 0, g.err
	}
	b = b[:min(int64(len(b)), g.left)]
	if g.armed {
		g.Conn.SetReadDeadline(time.Now().Add(g.stall))
	}
	g.mu.Unlock()

	begun := time.Now()
	n, err := g.Conn.Read(b)

	g.mu.Lock()
	defer g.mu.Unlock()
	g.left -= int64(n)
	if g.armed {
		g.waited += time.Since(begun)
		g.extra += time.Duration(n) * time.Second / slowest
		if g.waited > 2*g.stall+g.extra {
			return n, g.fail(fmt.Errorf("%w: it sends too slowly", ErrStalled))
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if !g.armed {
			return n, g.fail(err)
		}
		return n, g.fail(fmt.Errorf("%w: nothing for %v", ErrStalled, g.stall))
	}
	return n, err
}

func (g *guard) Write(b []byte) (int, error) {
	g.Conn.SetWriteDeadline(time.Now().Add(g.stall))
	n, err := g.Conn.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		g.mu.Lock()
		defer g.mu.Unlock()
		return n, g.fail(fmt.Errorf("%w: it does not read", ErrStalled))
	}
	return n, err
}

// The library's deadlines are not ours.

func (g *guard) SetReadDeadline(time.Time) error  { return nil }
func (g *guard) SetWriteDeadline(time.Time) error { return nil }
func (g *guard) SetDeadline(time.Time) error      { return nil }
