package nameserver

import (
	"context"
	"net/netip"
	"slices"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

// Delegator asks the zone above as well; *client.Client is one. An [Asker] that is
// none leaves the delegation unasked.
type Delegator interface {
	Delegation(ctx context.Context, zone resolve.Name) (client.Delegation, error)
	AskServers(ctx context.Context, auth client.Authority, q resolve.Question) (client.Comparison, error)
}

// Delegation is what the zone above says of the zone, held against what the zone
// says itself (RFC 1034, Section 4.2.2).
type Delegation struct {
	Asked  bool
	Parent resolve.Name // the zone above
	Server string       // of it, that answered

	// State is Present if the zone above names servers, Absent if it is proven not to
	// know the zone. Problem tells why it is not Present.
	State   resolve.State
	Problem string
	// Shared says that the same servers hold both zones, so that there is nothing to
	// compare.
	Shared bool

	NS []resolve.Name // that the zone above names
	// Own are the servers that the zone names, if OwnState is Present.
	Own      []resolve.Name
	OwnState resolve.State

	Glue    []Glue         // addresses that the zone above gives, compared
	Missing []resolve.Name // hosts within the zone that it gives no address for
}

// Glue is an address that the zone above gives for a host of the zone. State is
// Present if the zone says the same, Absent if it is proven not to.
type Glue struct {
	Host  resolve.Name
	Addr  netip.Addr
	State resolve.State
}

// Lists reports whether the zone names a host itself; unknown is yes.
func (d Delegation) Lists(host resolve.Name) bool {
	return d.OwnState != resolve.Present || slices.Contains(d.Own, host)
}

// delegation asks the zone above, and the servers that only it, or only the zone,
// leads to.
func (z *Zone) delegation(ctx context.Context, a Asker, c *client.Comparison) {
	by, ok := a.(Delegator)
	if !ok {
		return
	}
	got, err := by.Delegation(ctx, c.Zone)
	if got.Err == nil {
		got.Err = err
	}
	d := &z.Delegation
	*d = Delegation{Asked: true, Parent: got.Parent, Server: got.Server, State: got.State, Shared: got.Shared, NS: got.NS,
		Own: got.Own, OwnState: resolve.StateOf(got.OwnErr), Missing: got.Unglued}
	for _, g := range got.Glue {
		d.Glue = append(d.Glue, Glue(g))
	}
	if len(d.Own) == 0 {
		d.OwnState = resolve.Unavailable // a zone that names no server is one that was not read
	}
	if got.Err != nil {
		d.Problem = got.Err.Error()
	}
	more := client.Authority{Zone: c.Zone}
	for _, n := range got.Servers {
		if !slices.ContainsFunc(c.Answers, func(x client.ServerAnswer) bool { return x.Server.Host == n.Host && x.Server.Addr == n.Addr }) {
			more.Servers = append(more.Servers, n)
		}
	}
	if len(more.Servers) == 0 {
		return
	}
	x, err := by.AskServers(ctx, more, c.Question)
	if err != nil {
		return
	}
	c.Answers = append(c.Answers, x.Answers...)
	c.Lame, c.Failed = append(c.Lame, x.Lame...), append(c.Failed, x.Failed...)
	c.Stale = stale(c.Answers)
}

// stale lists the servers that hold an older serial than another one (RFC 1982,
// Section 3.2).
func stale(answers []client.ServerAnswer) []client.NameServer {
	var newest *uint32
	for _, a := range answers {
		if a.Serial != nil && (newest == nil || int32(*a.Serial-*newest) > 0) {
			newest = a.Serial
		}
	}
	var out []client.NameServer
	for _, a := range answers {
		if a.Serial != nil && int32(*newest-*a.Serial) > 0 {
			out = append(out, a.Server)
		}
	}
	return out
}

// oldGlue reports an address that the zone above gives for a host, and the zone
// does not.
func (d Delegation) oldGlue(host resolve.Name, addr netip.Addr) bool {
	return slices.ContainsFunc(d.Glue, func(g Glue) bool {
		return g.Host == host && g.Addr == addr && g.State == resolve.Absent
	})
}

// look asks what the comparison did not.
func (s *Server) look(ctx context.Context, opt Options, zone resolve.Name, wg *sync.WaitGroup) {
	wg.Go(func() { s.TCP = opt.tcp(ctx, s.Addr, zone) })
	wg.Go(func() { s.EDNS = opt.edns(ctx, s.Addr, zone) })
}
