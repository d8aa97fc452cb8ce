package probetest

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// window is the number of octets that one side may write before the other reads,
// as in TCP. Without it, two sides that write at once wait for each other.
const window = 64 << 10

// half is one direction of a connection.
type half struct {
	mu        sync.Mutex
	cond      *sync.Cond
	buf       []byte
	closed    bool // no more is written
	gone      bool // nobody reads any more
	readBy    deadline
	writtenBy deadline
}

// deadline is a moment after which waiting is over.
type deadline struct {
	passed bool
	timer  *time.Timer
}

func newHalf() *half {
	h := &half{}
	h.cond = sync.NewCond(&h.mu)
	return h
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.gone:
			return 0, net.ErrClosed
		case h.readBy.passed:
			return 0, os.ErrDeadlineExceeded
		case len(h.buf) > 0:
			n := copy(p, h.buf)
			h.buf = h.buf[n:]
			h.cond.Broadcast()
			return n, nil
		case h.closed:
			return 0, io.EOF
		}
		h.cond.Wait()
	}
}

func (h *half) write(p []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.closed:
			return n, net.ErrClosed
		case h.gone:
			return n, io.ErrClosedPipe
		case h.writtenBy.passed:
			return n, os.ErrDeadlineExceeded
		case len(p) == 0:
			return n, nil
		}
		if room := window - len(h.buf); room > 0 {
			m := min(room, len(p))
			h.buf = append(h.buf, p[:m]...)
			n, p = n+m, p[m:]
			h.cond.Broadcast()
			continue
		}
		h.cond.Wait()
	}
}

func (h *half) set(d *deadline, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.passed = false
	if t.IsZero() {
		return
	}
	left := time.Until(t)
	if d.passed = left <= 0; d.passed {
		h.cond.Broadcast()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(left, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if d.timer == timer {
			d.passed = true
			h.cond.Broadcast()
		}
	})
	d.timer = timer
}

func (h *half) end(closed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if closed {
		h.closed = true
	} else {
		h.gone = true
	}
	for _, d := range []*deadline{&h.readBy, &h.writtenBy} {
		if closed == (d == &h.writtenBy) && d.timer != nil {
			d.timer.Stop()
			d.timer = nil
		}
	}
	h.cond.Broadcast()
}

// end is one side of a connection.
type end struct {
	in, out       *half
	local, remote net.Addr
}

func pipe(a, b net.Addr) (near, far net.Conn) {
	x, y := newHalf(), newHalf()
	return &end{x, y, a, b}, &end{y, x, b, a}
}

func (e *end) Read(p []byte) (int, error)  { return e.in.read(p) }
func (e *end) Write(p []byte) (int, error) { return e.out.write(p) }
func (e *end) LocalAddr() net.Addr         { return e.local }
func (e *end) RemoteAddr() net.Addr        { return e.remote }

func (e *end) Close() error {
	e.out.end(true)
	e.in.end(false)
	return nil
}

func (e *end) SetReadDeadline(t time.Time) error {
	e.in.set(&e.in.readBy, t)
	return nil
}

func (e *end) SetWriteDeadline(t time.Time) error {
	e.out.set(&e.out.writtenBy, t)
	return nil
}

func (e *end) SetDeadline(t time.Time) error {
	e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}
