package client

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Pace of the queries to one server.
const (
	minRetransmit = 300 * time.Millisecond // most answers of a resolver come sooner
	maxRetransmit = time.Second
	yieldAfter    = 2 // queries sent without a response
	lateFactor    = 2 // such lookups for each one in flight; each has a socket
	downAfter     = 3 // lookups without any response in a row
	downFor       = 15 * time.Second
)

// server is one server that can be asked.
type server struct {
	endpoint
	slots chan struct{} // in flight
	late  chan struct{} // in flight, but given up hope for: they hold none of slots
	srtt  atomic.Int64  // smoothed round trip time in ns; 0: not measured
	fails atomic.Int32  // lookups in a row without a response
	down  atomic.Int64  // UnixNano until which it is asked last

	mu     sync.Mutex
	idle   []*stream
	closed bool
	once   bool // connections are not kept

	streams chan struct{} // connections in use
	http    *http.Client
	trans   *http.Transport
}

func (c *Client) newServer(e endpoint) *server {
	s := &server{
		endpoint: e,
		slots:    make(chan struct{}, c.opt.InFlight),
		late:     make(chan struct{}, lateFactor*c.opt.InFlight),
		streams:  make(chan struct{}, min(c.opt.InFlight, maxStreams)),
	}
	if e.transport == resolve.HTTPS {
		s.http, s.trans = c.newHTTP()
	}
	return s
}

// acquire takes a slot; it waits while the server has enough to do.
func (s *server) acquire(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *server) release() { <-s.slots }

// slot is one query's place among those in flight.
type slot struct {
	s    *server
	late bool
}

// yield lets another query go ahead while this one still waits: a lookup of a
// dead domain takes seconds, and some hundred of them must not hold up all
// others. It stays as it is when too many wait already.
func (l *slot) yield() {
	if l == nil || l.late {
		return
	}
	select {
	case l.s.late <- struct{}{}:
		l.late = true
		l.s.release()
	default:
	}
}

// release gives back what is held.
func (l *slot) release() {
	if l.late {
		<-l.s.late
		return
	}
	l.s.release()
}

// retransmitAfter is the time to wait for a response before asking again.
func (s *server) retransmitAfter() time.Duration {
	return min(max(minRetransmit, 3*time.Duration(s.srtt.Load())), maxRetransmit)
}

// measured takes in a round trip time as RFC 6298, Section 2, smooths it.
func (s *server) measured(d time.Duration) {
	if old := s.srtt.Load(); old != 0 {
		d = (7*time.Duration(old) + d) / 8
	}
	s.srtt.Store(int64(d))
	s.alive()
}

// alive notes that the server responds.
func (s *server) alive() {
	if s.fails.Load() != 0 {
		s.fails.Store(0)
		s.down.Store(0)
	}
}

// silent counts a lookup without a response: a dead first server must not
// delay every lookup of an audit.
func (s *server) silent(now time.Time) {
	if s.fails.Add(1) >= downAfter {
		s.down.Store(now.Add(downFor).UnixNano())
	}
}

func (s *server) isDown(now time.Time) bool {
	until := s.down.Load()
	return until != 0 && now.UnixNano() < until
}

// close ends the connections that wait for use.
func (s *server) close() {
	s.mu.Lock()
	idle := s.idle
	s.idle, s.closed = nil, true
	s.mu.Unlock()
	for _, st := range idle {
		st.conn.Close()
	}
	if s.trans != nil {
		s.trans.CloseIdleConnections()
	}
}

// dial opens a connection to the server.
func (c *Client) dial(ctx context.Context, network string, s *server) (net.Conn, error) {
	if c.opt.Dial != nil {
		return c.opt.Dial(ctx, network, s.addr)
	}
	if network == "udp" && s.ip.IsValid() {
		// The kernel chooses a random source port (RFC 5452, Section 9.2) and, as
		// the socket is connected, drops packets from elsewhere.
		return net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.ip))
	}
	var d net.Dialer
	return d.DialContext(ctx, network, s.addr)
}
