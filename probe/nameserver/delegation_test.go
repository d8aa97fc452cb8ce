package nameserver_test

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"github.com/mailcheck-go/mailcheck/probe/nameserver"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// delegator knows the delegation as well.
type delegator struct {
	servers
	d     client.Delegation
	extra client.Comparison
	asked *[]client.NameServer
}

func (d delegator) Delegation(context.Context, resolve.Name) (client.Delegation, error) {
	return d.d, d.d.Err
}

func (d delegator) AskServers(_ context.Context, a client.Authority, _ resolve.Question) (client.Comparison, error) {
	*d.asked = a.Servers
	return d.extra, nil
}

func server(host, addr string) client.NameServer {
	return client.NameServer{Host: resolve.MustName(host), Addr: netip.MustParseAddr(addr)}
}

func TestDelegation(t *testing.T) {
	z := zonetest.MustParse("example.org. 60 IN SOA ns1.example.org. h.example.org. 1 2 3 4 5\nexample.org. 60 IN NS ns1.example.org.\n")
	srv, err := zonetest.Serve(z, zonetest.ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, srv.Addr())
	}
	ns1, ns9, glue := server("ns1.example.org", "192.0.2.1"), server("ns9.example.com", "192.0.2.9"), server("ns1.example.org", "192.0.2.77")
	old, now := uint32(6), uint32(7)
	var asked []client.NameServer
	d := delegator{asked: &asked,
		servers: servers{Zone: domain, Agree: true, Answers: []client.ServerAnswer{{Server: ns1, Serial: &now}}},
		d: client.Delegation{Zone: domain, Parent: resolve.MustName("org"), State: resolve.Present,
			NS: []resolve.Name{ns1.Host, ns9.Host}, Own: []resolve.Name{ns1.Host},
			Glue:    []client.Glue{{Host: ns1.Host, Addr: ns1.Addr, State: resolve.Present}, {Host: glue.Host, Addr: glue.Addr, State: resolve.Absent}},
			Servers: []client.NameServer{ns1, ns9, glue}},
		extra: client.Comparison{Answers: []client.ServerAnswer{
			{Server: ns9, Serial: &old, Answer: resolve.Answer{Records: []resolve.Record{{Name: domain, Type: resolve.TypeMX, Data: resolve.MX{Preference: 10, Host: ns9.Host}}}}},
			{Server: glue, Err: &resolve.Error{Reason: resolve.ErrRefused}}}, Lame: []client.NameServer{glue}},
	}
	got, err := nameserver.Look(context.Background(), d, domain, nameserver.Options{Dial: dial})
	if err != nil || len(got.Servers) != 3 || len(asked) != 2 {
		t.Fatalf("%+v, %v; asked %v", got, err, asked)
	}
	s := got.Servers
	if s[0].ParentOnly || s[0].OldGlue || s[0].Stale {
		t.Errorf("the zone's own server: %+v", s[0])
	}
	if !s[1].ParentOnly || !s[1].Stale || s[1].TCP != resolve.Present || got.Agree {
		t.Errorf("the server of the zone above: %+v; agree %v", s[1], got.Agree)
	}
	if !s[2].OldGlue || s[2].ParentOnly || s[2].Answers != resolve.Absent {
		t.Errorf("old glue: %+v", s[2])
	}
	// A zone above that does not answer leaves everything as it is.
	d.d = client.Delegation{Zone: domain, State: resolve.Unavailable, Err: &resolve.Error{Reason: resolve.ErrTimeout}}
	got, err = nameserver.Look(context.Background(), d, domain, nameserver.Options{Dial: dial})
	if err != nil || len(got.Servers) != 1 || !got.Agree || !got.Delegation.Asked || got.Delegation.Problem == "" || got.Servers[0].ParentOnly {
		t.Errorf("%+v, %v", got, err)
	}
}
