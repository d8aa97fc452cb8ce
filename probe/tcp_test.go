package probe_test

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/cert"
	"github.com/mailcheck-go/mailcheck/probe/probetest"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// TestTCP: sockets of the system behave as those in memory do.
func TestTCP(t *testing.T) {
	ca, err := probetest.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Issue(probetest.Spec{Names: []string{"mx.example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	on := func(s probetest.Step, a probetest.Action) map[probetest.Step]probetest.Action {
		return map[probetest.Step]probetest.Action{s: a}
	}
	reset := func(conn net.Conn) bool {
		if tc, ok := conn.(*net.TCPConn); ok {
			tc.SetLinger(0)
		}
		return false
	}
	for _, c := range []struct {
		name string
		host probetest.Host
		want string
	}{
		{"good", probetest.Host{}, "accepted accepted present accepted"},
		{"TLS 1.0", probetest.Host{TLS: func(c *tls.Config) { c.MaxVersion = tls.VersionTLS10 }}, "accepted accepted present accepted"},
		{"injected", probetest.Host{On: on("starttls", probetest.Say("220 go\r\n250 x\r\n"))}, "accepted accepted present accepted"},
		{"line of 1 GiB", probetest.Host{On: on("banner", probetest.Flood("220 ", 1<<30))}, "accepted unknown unavailable unknown banner:too-large"},
		{"endless EHLO", probetest.Host{On: on("ehlo", probetest.Endless("250-x\r\n"))}, "accepted unknown unavailable unknown ehlo:too-large"},
		{"silent", probetest.Host{On: on("banner", probetest.Hang())}, "accepted unknown unavailable unknown banner:timeout"},
		{"drip", probetest.Host{On: on("banner", probetest.Drip("220 slow\r\n", 50*time.Millisecond))}, "accepted unknown unavailable unknown banner:timeout"},
		{"dropped", probetest.Host{On: on("ehlo", probetest.Drop())}, "accepted unknown unavailable unknown ehlo:closed"},
		{"reset", probetest.Host{On: on("ehlo", reset)}, "accepted unknown unavailable unknown ehlo:reset"},
		{"TLS garbage", probetest.Host{On: on("handshake", probetest.Say("what is this"))}, "accepted accepted present refused tls:tls-garbage"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.host.Certificate = pair
			s, err := probetest.Serve("127.0.0.1:0", c.host)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			opt := probe.Options{Name: "probe.example.com", Roots: ca.Pool(), Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
			if strings.Contains(c.want, "timeout") {
				opt.StepTimeout = 200 * time.Millisecond
			}
			a, err := probe.Address(t.Context(), resolve.MustName("mx.example.org"), s.Addr().Addr(), probe.Port{Number: s.Addr().Port()}, opt)
			if err != nil {
				t.Fatal(err)
			}
			if got := states(a); got != c.want {
				t.Errorf("got  %s\nwant %s\n%v", got, c.want, a.Failure)
			}
			if a.Secure == probe.Accepted && a.Certificate.OK() != cert.Good {
				t.Errorf("certificate %+v", a.Certificate)
			}
		})
	}
}

func TestTCPRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close() // now nothing listens there
	a, err := probe.Address(t.Context(), resolve.MustName("mx.example.org"), at.Addr(), probe.Port{Number: at.Port()},
		probe.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil || a.Connect != probe.Refused || !errors.Is(a.Failure, smtp.ConnectionRefused) {
		t.Errorf("%s, %v", states(a), err)
	}
}
