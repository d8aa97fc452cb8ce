package probe_test

import (
	"context"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/probetest"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// TestKnownPaths: what is blocked is found out once, and then not dialed again.
func TestKnownPaths(t *testing.T) {
	const both = zone + "mx AAAA 2001:db8::1\n" + control
	for _, c := range []struct {
		name   string
		net    func(*world)
		route6 error
		want   [2]probe.PathState // IPv4, IPv6
		mx     [2]string          // the attempts at mx
		dialed int                // by the run after it
	}{
		{"all blocked", func(*world) {}, nil, [2]probe.PathState{probe.Blocked, probe.Blocked},
			[2]string{"unknown unknown unavailable unknown connect:blocked", "unknown unknown unavailable unknown connect:blocked"}, 0},
		{"IPv4 open, no IPv6", func(w *world) { w.net.Add("198.51.100.1:25", w.good("control.example.net")) }, syscall.ENETUNREACH,
			[2]probe.PathState{probe.Open, probe.NoRoute},
			[2]string{"unknown unknown unavailable unknown connect:timeout", "unknown unknown unavailable unknown connect:no-ipv6"}, 2},
		{"middlebox", func(w *world) {
			w.net.Add("198.51.100.1:25", probetest.Host{}).Add("192.0.2.1:25", probetest.Host{}).Add("[2001:db8:c::1]:25", w.good("c"))
		}, nil, [2]probe.PathState{probe.Intercepted, probe.Open},
			[2]string{"accepted accepted unavailable unknown starttls:blocked", "unknown unknown unavailable unknown connect:timeout"}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				c.net(w)
				opt := w.options()
				opt.Control = []string{"control.example.net:25"}
				if route := opt.Route; c.route6 != nil {
					opt.Route = func(to netip.Addr) (netip.Addr, error) {
						if to.Is6() {
							return netip.Addr{}, c.route6
						}
						return route(to)
					}
				}
				paths, err := probe.Paths(context.Background(), zonetest.MustParse(both), opt)
				if err != nil || len(paths) != 2 || paths[0].State != c.want[0] || paths[1].State != c.want[1] {
					t.Fatalf("%+v, %v", paths, err)
				}
				opt.Paths = paths
				before := len(w.net.Dialed())
				res := w.run(both, opt)
				for i, a := range res.Exchanges[0].Attempts {
					if got := states(a); got != c.mx[i] {
						t.Errorf("got  %s\nwant %s", got, c.mx[i])
					}
				}
				if n := len(w.net.Dialed()) - before; n != c.dialed {
					t.Errorf("%d dialed, want %d", n, c.dialed)
				}
				for i, p := range res.Paths {
					if p.State != c.want[i] || len(p.Controls) != 0 {
						t.Errorf("path %+v", p)
					}
				}
			})
		})
	}
}

// TestPathsUnproven: without control hosts nothing is known beforehand.
func TestPathsUnproven(t *testing.T) {
	paths, err := probe.Paths(t.Context(), zonetest.MustParse(zone), probe.Options{})
	if err != nil || len(paths) != 2 || paths[0].State != probe.Unproven || paths[1].State != probe.Unproven {
		t.Errorf("%+v, %v", paths, err)
	}
	if _, err := probe.Paths(t.Context(), zonetest.MustParse(zone), probe.Options{Name: " "}); err == nil {
		t.Error("options are checked")
	}
}

// TestLocalPaths: a port that is blocked on the way out is no reason for a silent
// host next door, and the other way round.
func TestLocalPaths(t *testing.T) {
	const next = "example.org. MX 10 mx.example.org.\nmx.example.org. A 10.0.0.1\n"
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		opt := w.options()
		opt.Allow = append(opt.Allow, netip.MustParsePrefix("10.0.0.0/8"))
		opt.Control = []string{"198.51.100.1:25"}
		if res := w.run(next, opt); len(res.Paths) != 1 || !res.Paths[0].Local || res.Paths[0].State != probe.Unproven || len(res.Paths[0].Controls) != 0 {
			t.Errorf("%+v", res.Paths)
		}
		opt.Control = []string{"10.0.0.9:25", "198.51.100.1:25"}
		res := w.run(next+"mx.example.org. A 192.0.2.1\n", opt)
		if len(res.Paths) != 2 || res.Paths[0].Local || !res.Paths[1].Local || res.Paths[0].State != probe.Blocked || res.Paths[1].State != probe.Blocked {
			t.Errorf("%+v", res.Paths)
		}
	})
}
