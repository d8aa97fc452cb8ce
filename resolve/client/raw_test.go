package client

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// rawServer answers with handle over UDP and TCP on one port.
func rawServer(t *testing.T, handle dns.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{}, 2)
	for _, s := range []*dns.Server{{Listener: l}, {PacketConn: c}} {
		s.Handler, s.NotifyStartedFunc = handle, func() { ready <- struct{}{} }
		go func() { _ = s.ActivateAndServe() }()
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	<-ready
	<-ready
	return l.Addr().String()
}

func TestExchange(t *testing.T) {
	var mu sync.Mutex
	var seen []*dns.Msg
	addr := rawServer(t, func(w dns.ResponseWriter, m *dns.Msg) {
		mu.Lock()
		seen = append(seen, m)
		mu.Unlock()
		var r dns.Msg
		r.SetReply(m)
		switch name := m.Question[0].Name; {
		case strings.HasPrefix(name, "nx."):
			r.Rcode = dns.RcodeNameError
		case strings.HasPrefix(name, "refused."):
			r.Rcode = dns.RcodeRefused
		case strings.HasPrefix(name, "formerr."):
			r.Rcode = dns.RcodeFormatError
		case strings.HasPrefix(name, "bogus."):
			r.Rcode = dns.RcodeServerFailure
			r.SetEdns0(1232, true)
			r.IsEdns0().Option = append(r.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: 6})
		case strings.HasPrefix(name, "long.") && w.RemoteAddr().Network() == "udp":
			r.Truncated = true
		default:
			rr, err := dns.NewRR(name + " 60 IN TYPE65280 \\# 2 abcd") // nothing is made of it
			if err != nil {
				t.Error(err)
			}
			r.Answer = append(r.Answer, rr)
		}
		_ = w.WriteMsg(&r)
	})
	c, err := New(Options{Servers: []string{addr}, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name      string
		reason    error
		rcode     resolve.RCode
		transport resolve.Transport
		detail    string
	}{
		{"www.example.org", nil, resolve.NoError, resolve.UDP, ""},
		{"nx.example.org", nil, resolve.NXDomain, resolve.UDP, ""},
		{"long.example.org", nil, resolve.NoError, resolve.TCP, ""},
		{"refused.example.org", resolve.ErrRefused, resolve.Refused, resolve.UDP, ""},
		{"bogus.example.org", resolve.ErrServFail, resolve.ServFail, resolve.UDP, "DNSSEC bogus"},
		{"formerr.example.org", resolve.ErrServFail, resolve.FormErr, resolve.UDP, ""}, // no try without EDNS
	} {
		t.Run(tt.name, func(t *testing.T) {
			mu.Lock()
			seen = nil
			mu.Unlock()
			q := resolve.Question{Name: resolve.MustName(tt.name), Type: resolve.TypeTXT}
			a, msg, err := c.Exchange(t.Context(), q)
			if resolve.ReasonOf(err) != tt.reason || a.RCode != tt.rcode || a.Transport != tt.transport || a.Server != addr {
				t.Fatalf("%+v, %v", a, err)
			}
			if err != nil {
				if e := (*resolve.Error)(nil); !errors.As(err, &e) || !strings.Contains(e.Detail, tt.detail) || msg != nil {
					t.Errorf("%v with %d octets", err, len(msg))
				}
			} else {
				var m dns.Msg
				if err := m.Unpack(msg); err != nil || m.Truncated || m.Question[0].Name != q.Name.FQDN() || len(msg) != a.Size {
					t.Errorf("%v, %v", m, err)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for _, m := range seen {
				if opt := m.IsEdns0(); opt == nil || !opt.Do() || !m.CheckingDisabled || !m.RecursionDesired {
					t.Errorf("the query is not for a validator: %v", m)
				}
			}
		})
	}
	if _, _, err := c.Exchange(t.Context(), resolve.Question{}); !errors.Is(err, resolve.ErrMalformed) {
		t.Errorf("no name: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.Exchange(ctx, resolve.Question{Name: resolve.Root, Type: resolve.TypeNS}); !errors.Is(err, resolve.ErrCanceled) {
		t.Errorf("canceled: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Exchange(t.Context(), resolve.Question{Name: resolve.Root, Type: resolve.TypeNS}); !errors.Is(err, resolve.ErrCanceled) {
		t.Errorf("closed: %v", err)
	}
}

// The DS of a zone is asked for at the servers of its parent, everything else at
// its own; a server that is not authoritative proves nothing.
func TestExchangeAuthoritative(t *testing.T) {
	zones := map[string]string{"org.": "a.ns.example.", "example.org.": "b.ns.example.", "lame.org.": "b.ns.example.", "ns.example.": "a.ns.example."}
	hosts := map[string]string{"a.ns.example.": "127.0.0.1", "b.ns.example.": "127.0.0.2"}
	find := func(w dns.ResponseWriter, m *dns.Msg) {
		var r dns.Msg
		r.SetReply(m)
		name := m.Question[0].Name
		if !m.CheckingDisabled {
			r.Rcode = dns.RcodeServerFailure // as a validator does to a broken zone
			_ = w.WriteMsg(&r)
			return
		}
		local := netip.MustParseAddrPort(w.LocalAddr().String()).Addr()
		if !m.RecursionDesired {
			r.Authoritative = !strings.HasSuffix(name, "lame.org.")
			r.Answer = []dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTXT, Class: 1}, Txt: []string{local.String()}}}
			_ = w.WriteMsg(&r)
			return
		}
		switch m.Question[0].Qtype {
		case dns.TypeSOA:
			for z := name; ; z = z[strings.Index(z, ".")+1:] {
				if zones[z] != "" {
					soa := &dns.SOA{Hdr: dns.RR_Header{Name: z, Rrtype: dns.TypeSOA, Class: 1}, Ns: ".", Mbox: "."}
					if z == name {
						r.Answer = []dns.RR{soa}
					} else {
						r.Ns = []dns.RR{soa}
					}
					break
				}
			}
		case dns.TypeNS:
			r.Answer = []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeNS, Class: 1}, Ns: zones[name]}}
		case dns.TypeA:
			r.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: 1}, A: net.ParseIP(hosts[name])}}
		}
		_ = w.WriteMsg(&r)
	}
	first := rawServer(t, find)
	port := netip.MustParseAddrPort(first).Port()
	c2, err := net.ListenPacket("udp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), port).String())
	if err != nil {
		t.Skipf("127.0.0.2 cannot be used here: %v", err)
	}
	s2 := &dns.Server{PacketConn: c2, Handler: dns.HandlerFunc(find)}
	go func() { _ = s2.ActivateAndServe() }()
	t.Cleanup(func() { _ = s2.Shutdown() })
	c, err := New(Options{Servers: []string{first}, AuthoritativePort: port, CheckingDisabled: true, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, tt := range []struct {
		name   string
		typ    resolve.Type
		server string
		reason error
	}{
		{"example.org", resolve.TypeDNSKEY, "127.0.0.2", nil},
		{"www.example.org", resolve.TypeDS, "127.0.0.2", nil},
		{"example.org", resolve.TypeDS, "127.0.0.1", nil},
		{"org", resolve.TypeDNSKEY, "127.0.0.1", nil},
		{"lame.org", resolve.TypeDNSKEY, "127.0.0.2", resolve.ErrServFail},
	} {
		a, msg, err := c.ExchangeAuthoritative(t.Context(), resolve.Question{Name: resolve.MustName(tt.name), Type: tt.typ})
		if resolve.ReasonOf(err) != tt.reason || !strings.HasPrefix(a.Server, tt.server+":") {
			t.Errorf("%s %s: %+v, %v, want %s", tt.name, tt.typ, a, err, tt.server)
		}
		if err == nil && !strings.Contains(string(msg), tt.server) {
			t.Errorf("%s %s: not the message of %s", tt.name, tt.typ, tt.server)
		}
	}
}
