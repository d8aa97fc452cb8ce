package nameserver_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/internal/netguard"
	"github.com/mailcheck-go/mailcheck/probe/nameserver"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var domain = resolve.MustName("example.org")

// servers is an Asker that knows the servers without asking.
type servers client.Comparison

func (s servers) AskAuthoritative(context.Context, resolve.Question) (client.Comparison, error) {
	return client.Comparison(s), nil
}

func ns(addr string) client.NameServer {
	return client.NameServer{Host: resolve.MustName("ns1.example.org"), Addr: netip.MustParseAddr(addr)}
}

func TestLook(t *testing.T) {
	z := zonetest.MustParse("example.org. 60 IN SOA ns1.example.org. h.example.org. 1 2 3 4 5\nexample.org. 60 IN NS ns1.example.org.\n")
	srv, err := zonetest.Serve(z, zonetest.ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	serial := uint32(7)
	c := servers{Zone: domain, Agree: true,
		Answers: []client.ServerAnswer{
			{Server: ns("192.0.2.1"), Serial: &serial}, {Server: ns("192.0.2.2")},
			{Server: ns("192.0.2.3"), Err: &resolve.Error{Reason: resolve.ErrRefused}},
			{Server: client.NameServer{Host: resolve.MustName("gone.example"), Err: &resolve.Error{Reason: resolve.ErrNXDomain}}},
		},
		Stale: []client.NameServer{ns("192.0.2.2")}, Lame: []client.NameServer{ns("192.0.2.3")}}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if network == "tcp" && address == "192.0.2.2:53" {
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		}
		return (&net.Dialer{}).DialContext(ctx, network, srv.Addr())
	}
	got, err := nameserver.Look(context.Background(), c, domain, nameserver.Options{Dial: dial})
	if err != nil || len(got.Servers) != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	s := got.Servers
	if s[0].Answers != resolve.Present || s[0].TCP != resolve.Present || s[0].EDNS != resolve.Present || *s[0].Serial != 7 {
		t.Errorf("good server: %+v", s[0])
	}
	if !s[1].Stale || s[1].TCP != resolve.Absent {
		t.Errorf("stale server without TCP: %+v", s[1])
	}
	if s[2].Answers != resolve.Absent || s[2].TCP != resolve.Unavailable {
		t.Errorf("lame server: %+v", s[2])
	}
	if s[3].HostState != resolve.Absent || s[3].Problem == "" {
		t.Errorf("host without address: %+v", s[3])
	}
}

// deaf answers only queries without the OPT record.
func TestEDNSBroken(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	go func() {
		b := make([]byte, 512)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			if b[11] == 0 {
				b[2] |= 0x80
				_, _ = pc.WriteTo(b[:n], from)
			}
		}
	}()
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		if network == "tcp" {
			return nil, syscall.EHOSTUNREACH
		}
		return (&net.Dialer{}).DialContext(ctx, network, pc.LocalAddr().String())
	}
	c := servers{Zone: domain, Answers: []client.ServerAnswer{{Server: ns("192.0.2.1")}}}
	got, err := nameserver.Look(context.Background(), c, domain, nameserver.Options{Dial: dial, Timeout: 50 * time.Millisecond})
	if err != nil || got.Servers[0].EDNS != resolve.Absent {
		t.Errorf("%+v, %v", got, err)
	}
	// Nothing shows that TCP leaves this network, so its silence proves nothing.
	if got.Servers[0].TCP != resolve.Unavailable {
		t.Errorf("TCP is %v", got.Servers[0].TCP)
	}
}

func TestForbidden(t *testing.T) {
	c := servers{Zone: domain, Answers: []client.ServerAnswer{{Server: ns("127.0.0.1")}}}
	got, err := nameserver.Look(context.Background(), c, domain, nameserver.Options{})
	if err != nil || got.Servers[0].TCP != resolve.Unavailable || got.Servers[0].EDNS != resolve.Unavailable {
		t.Errorf("%+v, %v", got, err)
	}
}

// Name servers are asked over UDP first, so a dialer that takes TCP alone is none.
func TestDial(t *testing.T) {
	z := zonetest.MustParse("example.org. 60 IN SOA ns1.example.org. h.example.org. 1 2 3 4 5\n")
	srv, err := zonetest.Serve(z, zonetest.ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	for _, network := range []string{"udp", "tcp"} {
		if conn, err := nameserver.Dial()(t.Context(), network, srv.Addr()); !errors.Is(err, netguard.ErrForbidden) {
			t.Errorf("%s to %s: %v, %v", network, srv.Addr(), conn, err)
		}
		conn, err := nameserver.Dial(netip.MustParsePrefix("127.0.0.0/8"))(t.Context(), network, srv.Addr())
		if err != nil {
			t.Errorf("%s: %v", network, err)
			continue
		}
		conn.Close()
	}
}
