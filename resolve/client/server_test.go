package client

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// handler answers one query; nil answers nothing.
type handler func(network string, r *dns.Msg) *dns.Msg

// listen serves h over UDP and TCP on one loopback port.
func listen(t testing.TB, h handler) string {
	t.Helper()
	return listenOn(t, "127.0.0.1:0", h, true)
}

func listenOn(t testing.TB, at string, h handler, tcp bool) string {
	t.Helper()
	var pc net.PacketConn
	var l net.Listener
	var err error
	for range 20 {
		if pc, err = net.ListenPacket("udp", at); err != nil {
			t.Fatal(err)
		}
		if !tcp {
			break
		}
		if l, err = net.Listen("tcp", pc.LocalAddr().String()); err == nil {
			break
		}
		pc.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	serve := func(s *dns.Server, network string) {
		s.Handler = dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
			if m := h(network, r); m != nil {
				w.WriteMsg(m)
			}
		})
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		done := make(chan struct{})
		go func() { defer close(done); s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { s.Shutdown(); <-done })
	}
	serve(&dns.Server{PacketConn: pc}, "udp")
	if tcp {
		serve(&dns.Server{Listener: l}, "tcp")
	}
	return pc.LocalAddr().String()
}

// zone answers from records in master file form as a recursive server does.
func zone(t testing.TB, records ...string) handler {
	t.Helper()
	var rrs []dns.RR
	for _, r := range records {
		rr, err := dns.NewRR(r)
		if err != nil {
			t.Fatalf("%q: %v", r, err)
		}
		rrs = append(rrs, rr)
	}
	return func(_ string, r *dns.Msg) *dns.Msg {
		m := new(dns.Msg).SetReply(r)
		m.RecursionAvailable = true
		q := r.Question[0]
		exists := false
		for at, hops := q.Name, 0; hops < 20; hops++ {
			next := ""
			for _, rr := range rrs {
				h := rr.Header()
				if !strings.EqualFold(h.Name, at) {
					exists = exists || dns.IsSubDomain(dns.Fqdn(at), h.Name)
					continue
				}
				exists = true
				if h.Rrtype == q.Qtype || h.Rrtype == dns.TypeCNAME {
					m.Answer = append(m.Answer, rr)
					if c, ok := rr.(*dns.CNAME); ok && q.Qtype != dns.TypeCNAME {
						next = c.Target
					}
				}
			}
			if next == "" {
				break
			}
			at = next
		}
		if len(m.Answer) == 0 {
			for _, rr := range rrs {
				deeper := len(m.Ns) == 0 || len(rr.Header().Name) > len(m.Ns[0].Header().Name)
				if rr.Header().Rrtype == dns.TypeSOA && dns.IsSubDomain(rr.Header().Name, q.Name) && deeper {
					m.Ns = []dns.RR{rr}
				}
			}
			if !exists {
				m.Rcode = dns.RcodeNameError
			}
		}
		return m
	}
}

// code answers every query with a response code.
func code(rcode int) handler {
	return func(_ string, r *dns.Msg) *dns.Msg { return new(dns.Msg).SetRcode(r, rcode) }
}

func silence(string, *dns.Msg) *dns.Msg { return nil }

// edited passes what h answers through change.
func edited(h handler, change func(network string, r, m *dns.Msg)) handler {
	return func(network string, r *dns.Msg) *dns.Msg {
		m := h(network, r)
		change(network, r, m)
		return m
	}
}

func newClient(t testing.TB, opt Options) *Client {
	t.Helper()
	c, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func ask(name string, typ resolve.Type) resolve.Question {
	return resolve.Question{Name: resolve.MustName(name), Type: typ}
}

var txtQ = ask("example.org", resolve.TypeTXT)

const soaRR = "example.org. 300 IN SOA ns1.example.org. hostmaster.example.org. 7 3600 600 86400 60"

// want checks the state of a lookup, and that failures carry no records.
func want(t testing.TB, a resolve.Answer, err, reason error) *resolve.Error {
	t.Helper()
	if reason == nil {
		if err != nil {
			t.Fatalf("error %v, want none", err)
		}
		if len(a.Records) == 0 {
			t.Fatal("no error and no records")
		}
		return nil
	}
	e, ok := errors.AsType[*resolve.Error](err)
	if !ok || !errors.Is(err, reason) {
		t.Fatalf("error %v, want %v", err, reason)
	}
	if len(a.Records) > 0 {
		t.Fatalf("error %v with records %v", err, a.Records)
	}
	return e
}

// packetServer answers datagrams with what reply writes; it sees raw octets.
func packetServer(t testing.TB, reply func(pc net.PacketConn, from net.Addr, q []byte)) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			reply(pc, from, append([]byte(nil), buf[:n]...))
		}
	}()
	t.Cleanup(func() { pc.Close(); <-done })
	return pc.LocalAddr().String()
}

// pack is the wire form of h's answer to a raw query.
func pack(t testing.TB, h handler, q []byte) []byte {
	t.Helper()
	r := new(dns.Msg)
	if err := r.Unpack(q); err != nil {
		t.Error(err)
		return nil
	}
	b, err := h("udp", r).Pack()
	if err != nil {
		t.Error(err)
	}
	return b
}

var ctx = context.Background()

// clock is a settable clock.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }
