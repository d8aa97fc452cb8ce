package cli

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// A plan has the TTL of the zone, and not what a cache has left of it.
func TestWholeTTL(t *testing.T) {
	const zone = `$ORIGIN example.org.
@ 3600 IN SOA ns1 admin 1 7200 3600 1209600 300
@ 3600 NS ns1
ns1 3600 A 127.0.0.1
@ TTL TXT "v=spf1 -all"
`
	// The zone's own server, and a resolver whose cache has 17 seconds left.
	serve := func(ttl string, recursive bool) string {
		s, err := zonetest.Serve(zonetest.MustParse(strings.ReplaceAll(zone, "TTL", ttl)), zonetest.ServerOptions{Recursive: recursive})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s.Addr()
	}
	_, p, err := net.SplitHostPort(serve("3600", false))
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(client.Options{Servers: []string{serve("17", true)}, AuthoritativePort: uint16(port)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	name := resolve.MustName("example.org")
	plan := func() *fix.Plan {
		return &fix.Plan{Steps: []fix.Step{
			{ID: "new", Change: &fix.Change{Verb: fix.Create, Name: resolve.MustName("_dmarc.example.org"), Type: resolve.TypeTXT, TTL: fix.DefaultTTL}},
			{ID: "hand"},
			{ID: "old", Change: &fix.Change{Verb: fix.Update, Name: name, Type: resolve.TypeTXT, TTL: 17}, Wait: fix.Duration(17 * time.Second)},
		}}
	}
	for _, x := range []struct {
		cached bool
		ttl    uint32
	}{{true, 3600}, {false, 17}} {
		p := plan()
		(&resolver{Resolver: c, client: c, cached: x.cached}).wholeTTL(t.Context(), p)
		s := p.Steps[2]
		if s.Change.TTL != x.ttl || s.Wait != fix.Duration(time.Duration(x.ttl)*time.Second) || p.Steps[0].Change.TTL != fix.DefaultTTL {
			t.Errorf("cached %t: TTL %d, wait %s, new %d", x.cached, s.Change.TTL, time.Duration(s.Wait), p.Steps[0].Change.TTL)
		}
	}
}
