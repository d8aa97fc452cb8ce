package listen

import (
	"errors"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// rate counts the connections of an address since a moment.
type rate struct {
	since time.Time
	count int
}

const (
	rateWindow = time.Minute
	maxRates   = 10_000 // addresses that are remembered
)

// errBudget ends a connection that sends more than one mail can need.
var errBudget = errors.New("listen: the connection has sent too much")

// accept lets connections through that are within the limits.
func (l *Listener) accept(ln net.Listener) (*guarded, error) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return nil, err
		}
		peer := addrPort(conn.RemoteAddr())
		if why := l.admit(peer.Addr()); why != "" {
			l.event(peer, why, "")
			l.turnAway(conn)
			continue
		}
		// The end of the session is by the clock of the system, as deadlines are.
		c := &guarded{Conn: conn, l: l, end: time.Now().Add(l.opt.Session), left: 2*l.opt.MaxMessage + 64<<10, closed: make(chan struct{})}
		c.SetDeadline(c.end)
		l.mu.Lock()
		l.open[c] = true
		l.mu.Unlock()
		return c, nil
	}
}

// single is a listener for one connection.
type single struct {
	conn *guarded
	gone bool
}

func (s *single) Accept() (net.Conn, error) {
	if !s.gone {
		s.gone = true
		return s.conn, nil
	}
	<-s.conn.closed
	return nil, net.ErrClosed
}

func (s *single) Close() error   { return nil }
func (s *single) Addr() net.Addr { return s.conn.LocalAddr() }

// turnAway says 421 (RFC 5321, Section 3.8). The text fits into an empty buffer of
// the system, so nobody can make us wait.
func (l *Listener) turnAway(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
	// A peer that does not take it learns it from the close.
	_, _ = conn.Write([]byte("421 4.7.0 too many connections, try again later\r\n"))
	conn.Close()
}

// admit counts a connection in, or says why not.
func (l *Listener) admit(a netip.Addr) Kind {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns >= l.opt.MaxConns {
		return TooManyConnections
	}
	now := l.opt.Now()
	key := a.String()
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			key = p.String()
		}
	}
	r := l.recent[key]
	if r == nil || now.Sub(r.since) >= rateWindow {
		if len(l.recent) >= maxRates {
			for k, x := range l.recent {
				if now.Sub(x.since) >= rateWindow {
					delete(l.recent, k)
				}
			}
		}
		if len(l.recent) >= maxRates {
			return RateLimited // whoever has that many addresses is no sender of one mail
		}
		r = &rate{since: now}
		l.recent[key] = r
	}
	if r.count >= l.opt.Rate {
		return RateLimited
	}
	r.count++
	l.conns++
	return ""
}

// guarded is a connection with an end in time and octets.
type guarded struct {
	net.Conn
	l    *Listener
	end  time.Time
	left int64

	once   sync.Once
	closed chan struct{}
}

func (c *guarded) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errBudget
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// No deadline is later than the end of the session.

func (c *guarded) clamp(t time.Time) time.Time {
	if t.IsZero() || t.After(c.end) {
		return c.end
	}
	return t
}

func (c *guarded) SetDeadline(t time.Time) error      { return c.Conn.SetDeadline(c.clamp(t)) }
func (c *guarded) SetReadDeadline(t time.Time) error  { return c.Conn.SetReadDeadline(c.clamp(t)) }
func (c *guarded) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(c.clamp(t)) }

// closeAll ends what the server does not know of yet, or any more.
func (l *Listener) closeAll() {
	l.mu.Lock()
	open := slices.Collect(maps.Keys(l.open))
	l.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
}

func (c *guarded) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.l.mu.Lock()
		c.l.conns--
		delete(c.l.open, c)
		c.l.mu.Unlock()
		close(c.closed)
	})
	return err
}

func addrPort(a net.Addr) netip.AddrPort {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}
