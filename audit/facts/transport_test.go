package facts_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/nameserver"
	"github.com/mailcheck-go/mailcheck/probe/probetest"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const twoMX = mx + "example.org. 3600 IN MX 20 slow.example.org.\nslow.example.org. 3600 IN A 192.0.2.26\n"

// A host that never greets costs its own time, and nothing else waits for it.
func TestTarpit(t *testing.T) {
	n := (&probetest.Network{}).
		Add("192.0.2.25:25", probetest.Host{}).
		Add("192.0.2.26:25", probetest.Host{On: map[probetest.Step]probetest.Action{probetest.Banner: probetest.Hang()}})
	opt := facts.Options{Probe: &probe.Options{Dial: n.DialContext, Name: "probe.example.net",
		Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, HostTimeout: 300 * time.Millisecond}}
	begin := time.Now()
	s := gather(zonetest.MustParse(twoMX+spf), opt)
	if d := time.Since(begin); d > 1500*time.Millisecond {
		t.Errorf("took %v", d)
	}
	if !s.Transport.ProbeAsked || len(s.Transport.Probe.Exchanges) != 2 {
		t.Fatalf("%+v", s.Transport.Probe)
	}
	x := s.Transport.Probe.Exchanges
	if x[0].Attempts[0].Greeting != probe.Accepted || x[1].Attempts[0].Greeting != probe.Unknown {
		t.Errorf("greetings %v and %v", x[0].Attempts[0].Greeting, x[1].Attempts[0].Greeting)
	}
	if m, _ := s.Missing(facts.MailHosts); m != 0 {
		t.Error("one host was seen")
	}
}

// What was not asked is no gap: the rules say that it was not.
func TestNetworkIsOptional(t *testing.T) {
	s := gather(zonetest.MustParse(mx+spf), facts.Options{})
	if m, err := s.Missing(facts.Network); m != 0 {
		t.Errorf("missing %v: %v", m, err)
	}
	if s.Transport.ProbeAsked || s.Transport.PolicyAsked || s.Transport.ServersAsked || s.Transport.SecurityAsked {
		t.Error("something was asked")
	}
	if s.Around.WildcardState != resolve.Absent || s.Around.WildcardName != (resolve.Name{}) {
		t.Errorf("RFC 4592: an absent name tells that there is no wildcard; asked %v", s.Around.WildcardName)
	}
}

func TestForbiddenHosts(t *testing.T) {
	dialed := false
	n := &probetest.Network{}
	opt := facts.Options{Probe: &probe.Options{Dial: n.DialContext}}
	s := gather(zonetest.MustParse("example.org. 1 IN MX 1 m.example.org.\nm.example.org. 1 IN A 169.254.169.254\nm.example.org. 1 IN A 127.0.0.1\n"), opt)
	dialed = len(n.Dialed()) > 0
	if m, err := s.Missing(facts.MailHosts); m == 0 || err == nil || dialed {
		t.Errorf("missing %v, %v, dialed %v", m, err, dialed)
	}
}

func TestInjected(t *testing.T) {
	asked := map[resolve.Question]int{}
	done := make(chan struct{}, 1)
	done <- struct{}{}
	s := gather(zonetest.MustParse(mx+spf+"_25._tcp.mail.example.org. 1 IN TLSA 3 1 1 00\n"), facts.Options{
		Validate: func(_ context.Context, q resolve.Question) dnssec.Result {
			<-done
			asked[q]++
			done <- struct{}{}
			return dnssec.Result{Question: q, Status: dnssec.Secure}
		},
		NameServers: func(context.Context, resolve.Name) (nameserver.Zone, error) {
			return nameserver.Zone{}, &resolve.Error{Reason: resolve.ErrNXDomain}
		},
	})
	for q, n := range asked {
		if n != 1 {
			t.Errorf("%v was validated %d times", q, n)
		}
	}
	set, ok := s.Transport.Set(resolve.MustName("mail.example.org"))
	if !ok || set.State != resolve.Present || set.Security.String() != "secure" {
		t.Errorf("TLSA %+v", set)
	}
	if m, _ := s.Missing(facts.NameServers); m == 0 {
		t.Error("the zone's servers are unknown, whatever the reason")
	}
}
