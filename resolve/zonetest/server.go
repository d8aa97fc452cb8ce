package zonetest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Limits of a server. They are ours, and generous for tests.
const (
	maxInFlight = 1 << 15          // queries being answered; more are dropped
	maxConns    = 1 << 10          // TCP connections; more wait to be accepted
	idle        = 30 * time.Second // for the next query of a TCP connection (RFC 7766, Section 6.2.3)
	readBuffer  = 8 << 20          // octets; the system may grant less
	portTries   = 20               // ports tried until one is free for UDP and TCP
)

// ServerOptions say where and how a [Server] answers. The zero value is an
// authoritative server on a free port of 127.0.0.1.
type ServerOptions struct {
	// Addr is the address and port to listen on, for UDP and TCP alike. Empty:
	// "127.0.0.1:0". It has to be a loopback address unless Exposed is set: a
	// server that answers anybody over UDP serves to attack others.
	Addr    string
	Exposed bool

	// Delay goes before each reply. Queries do not wait for each other.
	Delay time.Duration
	// Recursive makes it look like a recursive resolver: RA is set, AA is not,
	// aliases are followed from zone to zone, and what the zone does not hold is
	// SERVFAIL. Otherwise the server is authoritative: it follows aliases within a
	// zone, refers to delegations and refuses what it does not hold.
	Recursive bool
	// SetAD sets the AD bit of replies with a positive or negative answer.
	SetAD bool
	// Log is called for each question from many goroutines; transport is "udp" or
	// "tcp". Nil: no log.
	Log func(q resolve.Question, transport string)
}

// Server answers from a zone over UDP and TCP. It acts out the zone's faults.
type Server struct {
	opt     ServerOptions
	zone    atomic.Pointer[Zone]
	udp     *net.UDPConn
	tcp     net.Listener
	queries atomic.Int64

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
	slots  chan struct{} // one per query in flight

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// Serve starts a server. The caller must Close it.
func Serve(z *Zone, opt ServerOptions) (*Server, error) {
	if z == nil {
		return nil, errors.New("zonetest: no zone to serve")
	}
	if opt.Addr == "" {
		opt.Addr = "127.0.0.1:0"
	}
	ap, err := netip.ParseAddrPort(opt.Addr)
	if err != nil {
		return nil, fmt.Errorf("zonetest: listen address: %w", err)
	}
	if !ap.Addr().IsLoopback() && !opt.Exposed {
		return nil, fmt.Errorf("zonetest: %s is not a loopback address", ap.Addr())
	}
	s := &Server{opt: opt, slots: make(chan struct{}, maxInFlight), conns: map[net.Conn]bool{}}
	s.zone.Store(z)
	if err := s.listen(ap); err != nil {
		return nil, fmt.Errorf("zonetest: %w", err)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.wg.Add(2)
	go s.serveUDP()
	go s.serveTCP()
	return s, nil
}

// listen opens both sockets on one port.
func (s *Server) listen(ap netip.AddrPort) error {
	var err error
	for range portTries {
		if s.tcp, err = net.Listen("tcp", ap.String()); err != nil {
			return err
		}
		at := s.tcp.Addr().(*net.TCPAddr)
		s.udp, err = net.ListenUDP("udp", &net.UDPAddr{IP: at.IP, Port: at.Port, Zone: at.Zone})
		if err == nil {
			// Hundreds of queries may arrive at once; without room the system drops
			// them. A system that grants less is not an error.
			_ = s.udp.SetReadBuffer(readBuffer)
			return nil
		}
		s.tcp.Close()
		if ap.Port() != 0 {
			return err
		}
	}
	return err
}

// Addr is the address and port it listens on, such as "127.0.0.1:40053".
func (s *Server) Addr() string { return s.udp.LocalAddr().String() }

// Queries counts the well-formed questions so far, over both transports.
func (s *Server) Queries() int64 { return s.queries.Load() }

// SetZone makes the server answer from another zone from now on.
func (s *Server) SetZone(z *Zone) { s.zone.Store(z) }

// Close stops the server, gives up replies that are still delayed and waits
// until all of its goroutines have ended.
func (s *Server) Close() error {
	s.cancel()
	err := errors.Join(s.udp.Close(), s.tcp.Close())
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil // closed before
	}
	return err
}

// spawn runs f as a query in flight, or reports that there are too many.
func (s *Server) spawn(wg *sync.WaitGroup, f func()) bool {
	select {
	case s.slots <- struct{}{}:
	default:
		return false
	}
	wg.Go(func() {
		defer func() { <-s.slots }()
		f()
	})
	return true
}

func (s *Server) serveUDP() {
	defer s.wg.Done()
	var pending sync.WaitGroup
	defer pending.Wait()
	buf := make([]byte, 1<<16)
	for {
		n, from, err := s.udp.ReadFromUDPAddrPort(buf)
		if err != nil {
			if s.ctx.Err() != nil {
				return
			}
			continue // such as a reply that met a closed port
		}
		query := append([]byte(nil), buf[:n]...)
		s.spawn(&pending, func() {
			if reply, _ := s.reply(query, resolve.UDP); reply != nil {
				_, _ = s.udp.WriteToUDPAddrPort(reply, from) // the client is gone: its loss
			}
		})
	}
}

func (s *Server) serveTCP() {
	defer s.wg.Done()
	var pending sync.WaitGroup
	defer pending.Wait()
	conns := make(chan struct{}, maxConns)
	for {
		select {
		case conns <- struct{}{}:
		case <-s.ctx.Done():
			return
		}
		c, err := s.tcp.Accept()
		if err != nil {
			if s.ctx.Err() != nil {
				return
			}
			<-conns
			_ = wait(s.ctx, 10*time.Millisecond) // such as too many open files
			continue
		}
		pending.Go(func() {
			defer func() { <-conns }()
			if s.track(c) {
				s.serveConn(c)
			}
			s.untrack(c)
		})
	}
}

func (s *Server) track(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = true
	return s.ctx.Err() == nil
}

func (s *Server) untrack(c net.Conn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// serveConn answers the queries of a connection as they come, in any order (RFC
// 7766, Section 6.2.1.1).
func (s *Server) serveConn(c net.Conn) {
	var pending sync.WaitGroup
	defer pending.Wait()
	var writing sync.Mutex
	for {
		_ = c.SetReadDeadline(time.Now().Add(idle))
		var head [2]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(head[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		ok := s.spawn(&pending, func() {
			reply, hangUp := s.reply(query, resolve.TCP)
			if hangUp {
				c.Close()
				return
			}
			if reply == nil {
				return
			}
			out := binary.BigEndian.AppendUint16(make([]byte, 0, len(reply)+2), uint16(len(reply)))
			out = append(out, reply...)
			writing.Lock()
			defer writing.Unlock()
			_ = c.SetWriteDeadline(time.Now().Add(idle))
			_, _ = c.Write(out) // the client is gone: its loss
		})
		if !ok {
			return
		}
	}
}
