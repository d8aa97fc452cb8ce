package probe_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/cert"
	"github.com/mailcheck-go/mailcheck/probe/probetest"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var (
	domain = resolve.MustName("example.org")
	// The addresses of documentation stand for public ones.
	examples = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::/32")}
)

const (
	zone = `$ORIGIN example.org.
@   MX 10 mx
@   MX 20 mx2
mx  A 192.0.2.1
mx2 A 192.0.2.2
`
	// control is a host that is always there, in a zone of its own.
	control = `
control.example.net. A 198.51.100.1
control.example.net. AAAA 2001:db8:c::1
`
)

// world is a network with an authority.
type world struct {
	t   *testing.T
	net *probetest.Network
	ca  *probetest.CA
}

// newWorld must be called within a bubble: the network belongs to it.
func newWorld(t *testing.T) *world {
	ca, err := probetest.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, net: &probetest.Network{}, ca: ca}
	t.Cleanup(w.net.Wait)
	return w
}

func (w *world) issue(s probetest.Spec) *tls.Certificate {
	c, err := w.ca.Issue(s)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// good is a host with a fitting certificate.
func (w *world) good(name string) probetest.Host {
	return probetest.Host{Name: name, Certificate: w.issue(probetest.Spec{Names: []string{name}})}
}

func (w *world) options() probe.Options {
	return probe.Options{Name: "probe.example.com", Roots: w.ca.Pool(), Allow: examples, Dial: w.net.DialContext,
		Route: func(to netip.Addr) (netip.Addr, error) {
			if to.Is4() {
				return netip.MustParseAddr("192.0.2.250"), nil
			}
			return netip.MustParseAddr("2001:db8::250"), nil
		}}
}

func (w *world) run(zone string, opt probe.Options) probe.Result {
	w.t.Helper()
	return w.resolve(zonetest.MustParse(zone), opt)
}

func (w *world) resolve(r resolve.Resolver, opt probe.Options) probe.Result {
	w.t.Helper()
	res, err := probe.MX(context.Background(), r, domain, opt)
	if err != nil {
		w.t.Fatal(err)
	}
	survivesJSON(w.t, res)
	return res
}

func survivesJSON(t *testing.T, res probe.Result) {
	t.Helper()
	b, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	var back probe.Result
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(back)
	if string(again) != string(b) {
		t.Errorf("JSON changes:\n%s\n%s", b, again)
	}
	for i := range res.Exchanges {
		for j := range res.Exchanges[i].Attempts {
			x, y := res.Exchanges[i].Attempts[j], back.Exchanges[i].Attempts[j]
			if x.Certificate != nil && !x.TLS.Chain[0].Equal(y.TLS.Chain[0]) {
				t.Error("the certificate changes")
			}
			x.TLS, y.TLS = nil, nil // certificates hold more than can be compared
			if !reflect.DeepEqual(x, y) {
				t.Errorf("attempt changes:\n%+v\n%+v", x, y)
			}
		}
	}
}

// states is "connect greeting starttls secure cause".
func states(a probe.Attempt) string {
	out := a.Connect.String() + " " + a.Greeting.String() + " " + a.STARTTLS.String() + " " + a.Secure.String()
	if a.Failure != nil {
		out += " " + string(a.Failure.Step) + ":" + string(a.Failure.Cause)
	}
	return out
}

func TestMX(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.net.Add("192.0.2.1:25", w.good("mx.example.org")).Add("[2001:db8::1]:25", w.good("mx.example.org")).
			Add("192.0.2.2:25", probetest.Host{Name: "mx2.example.org"})
		res := w.run(zone+"mx AAAA 2001:db8::1\n", w.options())
		if res.MX != resolve.Present || len(res.Exchanges) != 2 || res.NullMX || res.Error != "" {
			t.Fatalf("%+v", res)
		}
		first, second := res.Exchanges[0], res.Exchanges[1]
		if first.Host.String() != "mx.example.org" || first.Preference != 10 || len(first.Attempts) != 2 ||
			first.V4 != resolve.Present || first.V6 != resolve.Present || second.V6 != resolve.Absent || second.Error != "" {
			t.Fatalf("%+v\n%+v", first, second)
		}
		for _, a := range first.Attempts {
			if got := states(a); got != "accepted accepted present accepted" {
				t.Errorf("%s: %s", a.Address, got)
			}
			if a.Banner.Code != 220 || a.Hello.Domain != "mx.example.org" || a.SecureHello == nil || a.Certificate.OK() != cert.Good ||
				a.TLS.ServerName != "mx.example.org" || len(a.TLS.Chain.DER()) != 2 || len(a.Transcript.Entries) == 0 {
				t.Errorf("%+v", a)
			}
		}
		if got := states(second.Attempts[0]); got != "accepted accepted absent unknown" {
			t.Errorf("without TLS: %s", got)
		}
		if len(res.Paths) != 2 || res.Paths[0].State != probe.Open || res.Paths[1].State != probe.Open || res.Paths[1].Family != 6 {
			t.Errorf("paths %+v", res.Paths)
		}
		for _, address := range []string{"192.0.2.1:25", "192.0.2.2:25", "[2001:db8::1]:25"} {
			said := w.net.Commands(address)
			if said[len(said)-1] != "QUIT" {
				t.Errorf("%s heard no QUIT: %q", address, said)
			}
			for _, line := range said {
				for _, never := range []string{"MAIL", "RCPT", "DATA", "VRFY", "EXPN", "AUTH"} {
					if strings.HasPrefix(strings.ToUpper(line), never) {
						t.Errorf("%s heard %q", address, line)
					}
				}
			}
		}
	})
}

// TestHosts: what becomes of each kind of host.
func TestHosts(t *testing.T) {
	day := func(n int) time.Time { return time.Now().AddDate(0, 0, n) }
	name := []string{"mx.example.org"}
	on := func(s probetest.Step, a probetest.Action) func(*world) probetest.Host {
		return func(w *world) probetest.Host {
			h := w.good("mx.example.org")
			h.On = map[probetest.Step]probetest.Action{s: a}
			return h
		}
	}
	with := func(spec func() probetest.Spec) func(*world) probetest.Host {
		return func(w *world) probetest.Host { return probetest.Host{Certificate: w.issue(spec())} }
	}
	const fine = "accepted accepted present accepted"
	cases := []struct {
		name  string
		host  func(*world) probetest.Host
		want  string
		chain string // problems of the certificate, "-" for good; empty: none was seen
	}{
		{"good", with(func() probetest.Spec { return probetest.Spec{Names: name} }), fine, "- - - -"},
		{"self-signed", with(func() probetest.Spec { return probetest.Spec{Names: name, SelfSigned: true} }), fine, "self-signed - - -"},
		{"expired", with(func() probetest.Spec { return probetest.Spec{Names: name, From: day(-9), To: day(-1)} }), fine, "- - expired -"},
		{"wrong name", with(func() probetest.Spec { return probetest.Spec{Names: []string{"x.example"}} }), fine, "- name-mismatch - -"},
		{"RSA 1024", with(func() probetest.Spec { return probetest.Spec{Names: name, RSA: 1024} }), fine, "- - - weak-key"},
		{"no intermediate", with(func() probetest.Spec { return probetest.Spec{Names: name, Bare: true} }), fine, "incomplete - - -"},
		{"TLS 1.0 only", func(w *world) probetest.Host {
			h := probetest.Host{Certificate: w.issue(probetest.Spec{Names: name, RSA: 1024})}
			h.TLS = func(c *tls.Config) { c.MaxVersion = tls.VersionTLS10 }
			return h
		}, fine, "- - - weak-key"},
		{"STARTTLS stripped", func(w *world) probetest.Host { h := w.good(name[0]); h.HideSTARTTLS = true; return h },
			"accepted accepted absent unknown", ""},
		{"injected plaintext", on("starttls", probetest.Say("220 go\r\n250 x\r\n")), fine, "- - - -"},
		{"busy", on("banner", probetest.Say("421 later\r\n")), "accepted unknown unavailable unknown banner:rejected", ""},
		{"no service", on("banner", probetest.Say("554 no\r\n")), "accepted refused unavailable unknown banner:rejected", ""},
		{"greylisted at EHLO", on("ehlo", probetest.Say("450 4.7.1 later\r\n")), "accepted unknown unavailable unknown ehlo:rejected", ""},
		{"old", on("ehlo", probetest.Say("502 what\r\n")), "accepted accepted absent unknown", ""},
		{"dislikes our name", on("ehlo", probetest.Say("550 bad name\r\n")), "accepted accepted unavailable unknown", ""},
		{"TLS not now", on("starttls", probetest.Say("454 4.7.0 later\r\n")), "accepted accepted present unknown starttls:rejected", ""},
		{"TLS never", on("starttls", probetest.Say("502 no\r\n")), "accepted accepted present refused starttls:rejected", ""},
		{"TLS garbage", on("handshake", probetest.Say("what is this")), "accepted accepted present refused tls:tls-garbage", ""},
		{"dropped in TLS", on("handshake", probetest.Drop()), "accepted accepted present unknown tls:closed", ""},
		{"dropped after TLS", on("secure-ehlo", probetest.Drop()), "accepted accepted present unknown ehlo-tls:closed", "- - - -"},
		{"refuses after TLS", on("secure-ehlo", probetest.Say("554 no\r\n")), "accepted accepted present refused ehlo-tls:rejected", "- - - -"},
		{"silent", on("banner", probetest.Hang()), "accepted unknown unavailable unknown banner:timeout", ""},
		{"endless", on("ehlo", probetest.Endless("250-x\r\n")), "accepted unknown unavailable unknown ehlo:too-large", ""},
		{"not mail", on("banner", probetest.Say("HTTP/1.1 400 Bad Request\r\n\r\n")), "accepted unknown unavailable unknown banner:not-smtp", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.net.Add("192.0.2.1:25", c.host(w))
				a := w.run("example.org. MX 10 mx.example.org.\nmx.example.org. A 192.0.2.1\n", w.options()).Exchanges[0].Attempts[0]
				if got := states(a); got != c.want {
					t.Errorf("got  %s\nwant %s\n%v", got, c.want, a.Failure)
				}
				var chain []string
				if v := a.Certificate; v != nil {
					for _, p := range []cert.Check{v.Chain, v.Name, v.Time, v.Key} {
						chain = append(chain, cmp.Or(string(p.Problem), "-"))
					}
				}
				if got := strings.Join(chain, " "); got != c.chain {
					t.Errorf("certificate %q, want %q", got, c.chain)
				}
			})
		})
	}
}

// TestDNS: the three states of what comes before the first connection.
func TestDNS(t *testing.T) {
	fault := func(z *zonetest.Zone, name string, typ resolve.Type) *zonetest.Zone {
		z.Inject(resolve.MustName(name), typ, zonetest.Fault{RCode: resolve.ServFail})
		return z
	}
	parse := zonetest.MustParse
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.net.Add("192.0.2.1:25", w.good("example.org"))
		res := w.resolve(parse("example.org. A 192.0.2.1\n"), w.options())
		if res.MX != resolve.Absent || len(res.Exchanges) != 1 || res.Exchanges[0].Host != domain || res.Exchanges[0].Attempts[0].Secure != probe.Accepted {
			t.Errorf("RFC 5321, Section 5.1: without MX the domain is the host: %+v", res)
		}
		res = w.resolve(parse("example.org. TXT x\n"), w.options())
		if res.MX != resolve.Absent || len(res.Exchanges) != 0 {
			t.Errorf("no host at all: %+v", res)
		}
		res = w.resolve(parse("example.org. MX 0 .\n"), w.options())
		if !res.NullMX || res.MX != resolve.Present || len(res.Exchanges) != 0 {
			t.Errorf("RFC 7505: %+v", res)
		}
		res = w.resolve(fault(parse(zone), "example.org", resolve.TypeMX), w.options())
		if res.MX != resolve.Unavailable || len(res.Exchanges) != 0 || !strings.Contains(res.Error, "server failure") {
			t.Errorf("MX could not be read: %+v", res)
		}
		res = w.resolve(fault(parse("example.org. MX 10 mx.example.org.\nmx.example.org. A 192.0.2.1\n"), "mx.example.org", resolve.TypeAAAA), w.options())
		if x := res.Exchanges[0]; x.V4 != resolve.Present || x.V6 != resolve.Unavailable || !strings.Contains(x.Error, "AAAA") || len(x.Attempts) != 1 {
			t.Errorf("one family could not be read: %+v", x)
		}
		res = w.resolve(parse("example.org. MX 10 mx.example.org.\nmx.example.org. AAAA ::ffff:192.0.2.1\nmx.example.org. A 192.0.2.1\n"), w.options())
		if x := res.Exchanges[0]; len(x.Attempts) == 0 || x.Attempts[0].Address.String() != "192.0.2.1:25" {
			t.Errorf("an IPv4-mapped address is IPv4: %+v", x)
		}
	})
}

// TestForbidden: MX records that point inside are not followed.
func TestForbidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		res := w.run(`$ORIGIN example.org.
@ MX 10 a
@ MX 20 localhost.
a A 127.0.0.1
a A 10.0.0.1
a A 169.254.169.254
a A 100.64.0.1
a AAAA ::1
a AAAA ::ffff:127.0.0.1
a AAAA 64:ff9b::7f00:1
a AAAA 2002:7f00:1::1
a AAAA fe80::1
localhost. A 127.0.0.1
`, w.options())
		n := 0
		for _, x := range res.Exchanges {
			for _, a := range x.Attempts {
				if n++; states(a) != "unknown unknown unavailable unknown connect:forbidden" || !strings.Contains(a.Failure.Detail, "not public") {
					t.Errorf("%s: %s", a.Address, states(a))
				}
			}
		}
		if n < 9 || len(w.net.Dialed()) != 0 || len(res.Paths) != 0 {
			t.Errorf("%d attempts, dialed %v, paths %v", n, w.net.Dialed(), res.Paths)
		}
	})
}

// TestGuardWhenDialing: with the dialer of the package the check is made by the
// socket, too.
func TestGuardWhenDialing(t *testing.T) {
	s, err := probetest.Serve("127.0.0.1:0", probetest.Host{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at := s.Addr()
	a, err := probe.Address(t.Context(), resolve.MustName("mx.example.org"), at.Addr(), probe.Port{Number: at.Port()}, probe.Options{})
	if err != nil || a.Failure == nil || !errors.Is(a.Failure, smtp.Forbidden) || len(s.Commands()) != 0 {
		t.Errorf("%+v, %v", a, err)
	}
	allow := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	a, err = probe.Address(t.Context(), resolve.MustName("mx.example.org"), at.Addr(), probe.Port{Number: at.Port()}, probe.Options{Allow: allow})
	if err != nil || a.Greeting != probe.Accepted || !slices.Equal(s.Commands(), []string{"EHLO [127.0.0.1]", "QUIT"}) {
		t.Errorf("%+v, %v: %q", a, err, s.Commands())
	}
}

// TestPaths: a silence of which we are the cause is nobody's fault.
func TestPaths(t *testing.T) {
	const v4 = "example.org. MX 10 mx.example.org.\nmx.example.org. A 192.0.2.1\n" + control
	const v6 = "example.org. MX 10 mx.example.org.\nmx.example.org. AAAA 2001:db8::1\n" + control
	noRoute := func(o *probe.Options) {
		o.Route = func(netip.Addr) (netip.Addr, error) { return netip.Addr{}, syscall.ENETUNREACH }
	}
	local := func(o *probe.Options) {
		o.Route = func(netip.Addr) (netip.Addr, error) { return netip.MustParseAddr("fd00::2"), nil }
	}
	asked := func(o *probe.Options) { o.Control = []string{"control.example.net:25"} }
	cases := []struct {
		name  string
		zone  string
		net   func(*world)
		opt   func(*probe.Options)
		want  string
		path  probe.PathState
		spoke int // control hosts spoken to
	}{
		{"host down, control up", v4, func(w *world) { w.net.Add("198.51.100.1:25", w.good("control.example.net")) }, asked,
			"unknown unknown unavailable unknown connect:timeout", probe.Open, 1},
		{"all silent", v4, func(*world) {}, asked, "unknown unknown unavailable unknown connect:blocked", probe.Blocked, 1},
		{"all refused", v4, func(w *world) { w.net.Refuse("192.0.2.1:25").Refuse("198.51.100.1:25") }, asked,
			"unknown unknown unavailable unknown connect:blocked", probe.Blocked, 1},
		{"host refuses, control up", v4, func(w *world) { w.net.Refuse("192.0.2.1:25").Add("198.51.100.1:25", w.good("control.example.net")) }, asked,
			"refused unknown unavailable unknown connect:connection-refused", probe.Open, 1},
		{"a firewall that takes connections and is silent", v4, func(w *world) {
			mute := probetest.Host{On: map[probetest.Step]probetest.Action{"banner": probetest.Hang()}}
			w.net.Add("192.0.2.1:25", mute).Add("198.51.100.1:25", mute)
		}, asked, "unknown unknown unavailable unknown connect:blocked", probe.Blocked, 1},
		{"silent, nobody to ask", v4, func(*world) {}, func(*probe.Options) {}, "unknown unknown unavailable unknown connect:timeout", probe.Unproven, 0},
		{"refused, nobody to ask", v4, func(w *world) { w.net.Refuse("192.0.2.1:25") }, func(*probe.Options) {},
			"refused unknown unavailable unknown connect:connection-refused", probe.Unproven, 0},
		{"control of another port", v4, func(*world) {}, func(o *probe.Options) { o.Control = []string{"control.example.net:465"} },
			"unknown unknown unavailable unknown connect:timeout", probe.Unproven, 0},
		{"control without address", v4, func(*world) {}, func(o *probe.Options) { o.Control = []string{"nowhere.example.net:25"} },
			"unknown unknown unavailable unknown connect:timeout", probe.Unproven, 0},
		{"control that may not be dialed", v4, func(*world) {}, func(o *probe.Options) { o.Control = []string{"203.0.113.1:25"} },
			"unknown unknown unavailable unknown connect:timeout", probe.Unproven, 1},
		{"no STARTTLS, control has it", v4, func(w *world) {
			w.net.Add("192.0.2.1:25", probetest.Host{}).Add("198.51.100.1:25", w.good("control.example.net"))
		}, asked, "accepted accepted absent unknown", probe.Open, 1},
		{"no STARTTLS anywhere", v4, func(w *world) { w.net.Add("192.0.2.1:25", probetest.Host{}).Add("198.51.100.1:25", probetest.Host{}) }, asked,
			"accepted accepted unavailable unknown starttls:blocked", probe.Intercepted, 1},
		{"no STARTTLS, control silent", v4, func(w *world) { w.net.Add("192.0.2.1:25", probetest.Host{}) }, asked,
			"accepted accepted absent unknown", probe.Open, 1},
		{"no IPv6 here", v6, func(*world) {}, noRoute, "unknown unknown unavailable unknown connect:no-ipv6", probe.NoRoute, 0},
		{"IPv6 within the house only", strings.ReplaceAll(v6, "2001:db8::1", "2600::1"), func(*world) {}, local,
			"unknown unknown unavailable unknown connect:no-ipv6", probe.NoRoute, 0},
		{"IPv6 blocked", v6, func(*world) {}, asked, "unknown unknown unavailable unknown connect:blocked", probe.Blocked, 1},
		{"IPv6 host down", v6, func(w *world) { w.net.Add("[2001:db8:c::1]:25", w.good("control.example.net")) }, asked,
			"unknown unknown unavailable unknown connect:timeout", probe.Open, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				c.net(w)
				opt := w.options()
				c.opt(&opt)
				res := w.run(c.zone, opt)
				if got := states(res.Exchanges[0].Attempts[0]); got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
				if len(res.Paths) != 1 || res.Paths[0].State != c.path || len(res.Paths[0].Controls) != c.spoke {
					t.Errorf("path %+v, want %s", res.Paths, c.path)
				}
			})
		})
	}
}

// TestControlCutShort: without time to ask, nothing is proven.
func TestControlCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		opt := w.options()
		opt.Control, opt.Timeout = []string{"198.51.100.1:25"}, 12*time.Second
		res := w.run(zone, opt)
		if res.Paths[0].State != probe.Unproven || res.ElapsedMS != 12000 {
			t.Errorf("%+v after %d ms", res.Paths, res.ElapsedMS)
		}
	})
}

// TestTarpit: a host that drips costs its own deadline, and nobody else's.
func TestTarpit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		drip := probetest.Host{On: map[probetest.Step]probetest.Action{"banner": probetest.Drip(strings.Repeat("220-slow\r\n", 10), 9*time.Second)}}
		w.net.Add("192.0.2.1:25", drip).Add("192.0.2.2:25", w.good("mx2.example.org"))
		opt := w.options()
		opt.HostTimeout = 15 * time.Second
		res := w.run(zone, opt)
		slow, quick := res.Exchanges[0].Attempts[0], res.Exchanges[1].Attempts[0]
		if states(slow) != "accepted unknown unavailable unknown banner:timeout" || slow.Timing.TotalMS != 15000 {
			t.Errorf("tarpit: %s after %d ms", states(slow), slow.Timing.TotalMS)
		}
		if states(quick) != "accepted accepted present accepted" || quick.Timing.TotalMS != 0 || res.ElapsedMS != 15000 {
			t.Errorf("beside it: %s after %d ms, all after %d ms", states(quick), quick.Timing.TotalMS, res.ElapsedMS)
		}
		if e := slow.Transcript.Entries; len(e) != 1 || e[0].Text != "2" {
			t.Errorf("what had come is kept: %+v", e)
		}
	})
}

// TestTotal: the run ends when it should, and what was not tried says so.
func TestTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		opt := w.options()
		opt.Parallel, opt.Timeout = 1, 15*time.Second
		res := w.run(zone, opt) // both hosts are black holes
		first, second := res.Exchanges[0].Attempts[0], res.Exchanges[1].Attempts[0]
		if first.Timing.TotalMS != 10000 || second.Timing.TotalMS != 5000 || res.ElapsedMS != 15000 {
			t.Errorf("%d + %d = %d ms", first.Timing.TotalMS, second.Timing.TotalMS, res.ElapsedMS)
		}
		opt.Timeout = 5 * time.Second
		late := w.run(zone, opt).Exchanges[1].Attempts[0]
		if states(late) != "unknown unknown unavailable unknown connect:timeout" || !strings.Contains(late.Failure.Detail, "not tried") {
			t.Errorf("%+v", late.Failure)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		gone, err := probe.MX(ctx, zonetest.MustParse(zone), domain, w.options())
		if err != nil || len(gone.Exchanges) > 0 && !errors.Is(gone.Exchanges[0].Attempts[0].Failure, smtp.Canceled) {
			t.Errorf("canceled: %+v, %v", gone, err)
		}
	})
}

// TestOneConnection: an address under several names is spoken to once at a time.
func TestOneConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		h := w.good("mx.example.org")
		h.On = map[probetest.Step]probetest.Action{"banner": probetest.Then(probetest.Wait(time.Second), probetest.Say("220 mx\r\n"))}
		w.net.Add("192.0.2.1:25", h)
		res := w.run("example.org. MX 10 a.example.org.\nexample.org. MX 10 b.example.org.\na.example.org. A 192.0.2.1\nb.example.org. A 192.0.2.1\n", w.options())
		if res.ElapsedMS != 2000 {
			t.Errorf("took %d ms, want one after the other", res.ElapsedMS)
		}
		var names []string
		for _, line := range w.net.Commands("192.0.2.1:25") {
			if sni, ok := strings.CutPrefix(line, "SNI "); ok {
				names = append(names, sni)
			}
		}
		if !slices.Equal(names, []string{"a.example.org", "b.example.org"}) {
			t.Errorf("SNI %v", names)
		}
	})
}

func TestImplicitTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		h := w.good("mx.example.org")
		w.net.Add("192.0.2.1:587", h)
		h.ImplicitTLS = true
		w.net.Add("192.0.2.1:465", h)
		opt := w.options()
		opt.Ports = []probe.Port{probe.Submissions, probe.Submission}
		at := w.run("example.org. MX 10 mx.example.org.\nmx.example.org. A 192.0.2.1\n", opt).Exchanges[0].Attempts
		if len(at) != 2 || states(at[0]) != "accepted accepted unavailable accepted" || states(at[1]) != "accepted accepted present accepted" {
			t.Fatalf("%+v", at)
		}
		if at[0].Hello != nil || at[0].SecureHello == nil || at[0].Certificate.OK() != cert.Good || at[0].Banner == nil {
			t.Errorf("%+v", at[0])
		}
	})
}

// TestLimits: a zone cannot make us dial as much as it likes.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var b strings.Builder
		for i := range 40 {
			host := "h" + string(rune('a'+i/26)) + string(rune('a'+i%26)) + ".example.org."
			b.WriteString("example.org. MX 10 " + host + "\n")
			for j := range 12 {
				b.WriteString(host + " A 192.0.2." + string(rune('0'+j/10)) + string(rune('0'+j%10)) + "\n")
			}
		}
		res := w.run(strings.ReplaceAll(b.String(), "192.0.2.0", "192.0.2."), w.options())
		n, skipped := 0, 0
		for _, x := range res.Exchanges {
			n, skipped = n+len(x.Attempts), skipped+x.Skipped
		}
		if len(res.Exchanges) != probe.MaxExchanges || res.Skipped != 10 || n != probe.MaxAttempts || n+skipped != 30*12 {
			t.Errorf("%d exchanges, %d skipped, %d attempts, %d skipped", len(res.Exchanges), res.Skipped, n, skipped)
		}
	})
}

// TestMemory: all the hosts of a domain are hostile at once, and all of it fits
// into 64 MiB.
func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var b strings.Builder
		b.WriteString("example.org. MX 10 mx.example.org.\nexample.org. MX 20 mx2.example.org.\n")
		huge := *w.issue(probetest.Spec{Names: []string{"mx.example.org"}})
		for len(huge.Certificate) < 100 {
			huge.Certificate = append(huge.Certificate, huge.Certificate[1])
		}
		big := probetest.Say(strings.Repeat("250-"+strings.Repeat("\x1b", 600)+"\r\n", 90) + "250 STARTTLS\r\n")
		hosts := []probetest.Host{
			{Certificate: &huge, On: map[probetest.Step]probetest.Action{"ehlo": big, "secure-ehlo": big}},
			{On: map[probetest.Step]probetest.Action{"banner": probetest.Flood("220 ", 1<<30)}},
			{On: map[probetest.Step]probetest.Action{"ehlo": probetest.Endless("250-MORE\r\n")}},
			{Certificate: &huge, On: map[probetest.Step]probetest.Action{"secure-ehlo": probetest.Endless("250-MORE\r\n")}},
		}
		for i := range 16 {
			addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)})
			b.WriteString([]string{"mx", "mx2"}[i/8] + ".example.org. A " + addr.String() + "\n")
			w.net.Add(netip.AddrPortFrom(addr, 25).String(), hosts[i%len(hosts)])
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		res, err := probe.MX(t.Context(), zonetest.MustParse(b.String()), domain, w.options())
		if err != nil {
			t.Fatal(err)
		}
		w.net.Wait()
		runtime.ReadMemStats(&after)
		// All that was ever allocated, hosts included: the peak cannot be above it.
		if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 64 {
			t.Errorf("%d MiB", used)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if kept := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20; kept > 8 {
			t.Errorf("%d MiB are kept", kept)
		}
		runtime.KeepAlive(res)
	})
}

func TestOptions(t *testing.T) {
	r := zonetest.MustParse(zone)
	for _, opt := range []probe.Options{
		{Name: "a b"}, {Name: "x\r\nMAIL FROM:<a@b>"}, {Control: []string{"nohost"}}, {Control: []string{"a.example:0"}},
		{Control: []string{"a.example:smtp"}}, {Control: []string{"a b:25"}}, {Ports: []probe.Port{{}}}, {Ports: make([]probe.Port, 9)},
	} {
		if _, err := probe.MX(t.Context(), r, domain, opt); err == nil || !strings.HasPrefix(err.Error(), "probe: ") {
			t.Errorf("%+v: %v", opt, err)
		}
		if _, err := probe.Address(t.Context(), domain, netip.MustParseAddr("192.0.2.1"), probe.SMTP, opt); err == nil {
			t.Errorf("%+v: no error", opt)
		}
	}
	for _, c := range probe.DefaultControl() {
		if _, port, err := net.SplitHostPort(c); err != nil || port != "25" {
			t.Errorf("%s: %v", c, err)
		}
	}
}

func TestStateWords(t *testing.T) {
	for _, s := range []probe.State{probe.Unknown, probe.Refused, probe.Accepted} {
		b, _ := s.MarshalText()
		var back probe.State
		if err := back.UnmarshalText(b); err != nil || back != s {
			t.Errorf("%s: %v, %v", b, back, err)
		}
	}
	if new(probe.State).UnmarshalText([]byte("ok")) == nil || probe.State(9).String() != "unknown" {
		t.Error("a state that does not exist")
	}
}
