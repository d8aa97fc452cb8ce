package probetest

import (
	"net"
	"net/netip"
	"sync"
)

// Server is a host on a TCP port.
type Server struct {
	listener net.Listener
	log      log
	wg       sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]bool
	closed   bool
}

// Serve lets a host listen on an address such as "127.0.0.1:0".
func Serve(address string, h Host) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &Server{listener: l, open: map[net.Conn]bool{}}
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if !s.track(conn) {
				return
			}
			s.wg.Go(func() {
				defer s.forget(conn)
				h.serve(conn, &s.log)
			})
		}
	})
	return s, nil
}

// Addr is where the host listens.
func (s *Server) Addr() netip.AddrPort { return s.listener.Addr().(*net.TCPAddr).AddrPort() }

// Commands lists the lines that clients sent, and "SNI name" for handshakes.
func (s *Server) Commands() []string { return s.log.all() }

// Close ends all connections and waits for them.
func (s *Server) Close() {
	s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *Server) track(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return false
	}
	s.open[c] = true
	return true
}

func (s *Server) forget(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}
