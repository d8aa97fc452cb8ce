package dnssectest

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/miekg/dns"
)

const portTries = 20

// Server answers from a world on a port of 127.0.0.1, over UDP and TCP.
type Server struct {
	udp, tcp *dns.Server
	addr     string
}

// Serve starts a server. The caller must Close it.
func Serve(w *World) (*Server, error) {
	var err error
	for range portTries {
		var l net.Listener
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			break
		}
		var c net.PacketConn
		if c, err = net.ListenPacket("udp", l.Addr().String()); err != nil {
			l.Close()
			continue
		}
		s := &Server{addr: l.Addr().String()}
		ready := make(chan struct{}, 2)
		started := func() { ready <- struct{}{} }
		s.tcp = &dns.Server{Listener: l, Handler: handler(w), NotifyStartedFunc: started}
		s.udp = &dns.Server{PacketConn: c, Handler: handler(w), NotifyStartedFunc: started}
		for _, d := range []*dns.Server{s.tcp, s.udp} {
			go func() { _ = d.ActivateAndServe() }() // ends with Close
		}
		<-ready
		<-ready
		return s, nil
	}
	return nil, fmt.Errorf("dnssectest: %w", err)
}

// Addr is the address and port it listens on.
func (s *Server) Addr() string { return s.addr }

// Close stops the server.
func (s *Server) Close() error {
	err := s.tcp.Shutdown()
	if e := s.udp.Shutdown(); err == nil {
		err = e
	}
	return err
}

func handler(w *World) dns.Handler {
	return dns.HandlerFunc(func(rw dns.ResponseWriter, query *dns.Msg) {
		opt := query.IsEdns0()
		msg, err := w.reply(query, opt != nil && opt.Do())
		if err != nil || len(msg) == 0 {
			return
		}
		size := dns.MinMsgSize
		if opt != nil {
			size = max(size, int(opt.UDPSize()))
		}
		if a, err := netip.ParseAddrPort(rw.RemoteAddr().String()); err == nil && a.IsValid() && rw.LocalAddr().Network() == "udp" && len(msg) > size {
			var m dns.Msg
			m.SetReply(query)
			m.Truncated = true
			if msg, err = m.Pack(); err != nil {
				return
			}
		}
		_, _ = rw.Write(msg) // the client is gone: its loss
	})
}
