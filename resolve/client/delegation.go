package client

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const (
	maxParentHosts = 3  // name servers of the zone above that are asked in turn
	maxDelegated   = 64 // name servers in a delegation
)

// Delegation is what the zone above says of a zone, and what the zone says itself
// (RFC 1034, Section 4.2.2: the two have to be the same).
type Delegation struct {
	Zone   resolve.Name
	Parent resolve.Name // the zone above
	Server string       // of it, that answered

	// State is Present if the zone above refers to servers, Absent if it is proven
	// not to know the zone. Err tells why it is not Present.
	State resolve.State
	Err   error
	// Shared says that the servers of the zone above answer for the zone too, so that
	// no referral is to be seen.
	Shared bool

	NS   []resolve.Name // that the zone above names
	Glue []Glue         // addresses given with them, of hosts within the zone
	// Unglued are hosts within the zone whose address the zone above does not give,
	// so that nobody can ask them (RFC 9471, Section 3.1).
	Unglued []resolve.Name

	Own    []resolve.Name // that the zone names itself
	OwnErr error          // why that is not known

	// Servers are the addresses of all hosts that either names; glue is among them.
	Servers []NameServer
}

// Glue is an address that the zone above gives for a host of the zone.
type Glue struct {
	Host resolve.Name
	Addr netip.Addr
	// State tells whether the zone says the same: Present if it does, Absent if it is
	// proven to say something else.
	State resolve.State
}

// Delegation asks the servers of the zone above for their referral to a zone, and
// the servers of the zone for its NS records. It fails only if nothing can be
// asked; what did not answer is Unavailable in the result.
func (c *Client) Delegation(ctx context.Context, zone resolve.Name) (Delegation, error) {
	q := resolve.Question{Name: zone, Type: resolve.TypeNS}
	d := Delegation{Zone: zone, State: resolve.Unavailable}
	ctx, done, err := c.begin(ctx, q)
	if err != nil {
		d.Err = err
		return d, err
	}
	defer done()
	if zone.IsZero() || zone.IsRoot() {
		d.Err = &resolve.Error{Reason: resolve.ErrMalformed, Question: q, Detail: "no zone is above it"}
		return d, d.Err
	}
	var wg sync.WaitGroup
	wg.Go(func() { d.referral(ctx, c, q) })
	var own []resolve.Name
	var ownErr error
	wg.Go(func() { own, ownErr = c.ownServers(ctx, q) })
	wg.Wait()
	d.Own, d.OwnErr = own, ownErr
	if d.State == resolve.Present {
		d.compareGlue(ctx, c)
		d.Servers = d.all(ctx, c)
	}
	return d, nil
}

// ownServers asks the zone's servers for the NS records.
func (c *Client) ownServers(ctx context.Context, q resolve.Question) ([]resolve.Name, error) {
	auth, err := c.FindZone(ctx, q.Name)
	if err != nil {
		return nil, noZone(q, err)
	}
	o := c.askServers(ctx, auth, q)
	if o.err != nil {
		return nil, o.err
	}
	var out []resolve.Name
	for _, h := range o.a.Hosts() {
		out = append(out, h.Name)
	}
	return sorted(out), nil
}

func sorted(names []resolve.Name) []resolve.Name {
	slices.SortFunc(names, func(a, b resolve.Name) int { return cmp.Compare(a.String(), b.String()) })
	return slices.Compact(names)
}

// referral asks the zone above.
func (d *Delegation) referral(ctx context.Context, c *Client, q resolve.Question) {
	parent, err := c.findCut(ctx, d.Zone.Parent())
	if err != nil {
		d.Err = noZone(q, err)
		return
	}
	d.Parent = parent
	auth, err := c.someServers(ctx, parent)
	if err != nil {
		d.Err = noZone(q, err)
		return
	}
	msg, o := c.refer(ctx, auth, q)
	d.Server = o.a.Server
	if o.err != nil {
		d.Err = o.err
		return
	}
	d.read(msg, q)
	if d.State != resolve.Present {
		return
	}
	// An answer over UDP may leave out glue that is there, so who has none is asked
	// for by name.
	for _, h := range d.Unglued {
		if msg, o := c.refer(ctx, auth, resolve.Question{Name: h, Type: resolve.TypeA}); o.err == nil {
			d.glue(msg.Answer, h)
			d.glue(msg.Extra, h)
		} else {
			d.Unglued = nil // nothing is proven
			return
		}
	}
	d.Unglued = slices.DeleteFunc(d.Unglued, d.has)
}

func (d *Delegation) has(host resolve.Name) bool {
	return slices.ContainsFunc(d.Glue, func(g Glue) bool { return g.Host == host })
}

// someServers finds a few servers of a zone: that of a registry has dozens.
func (c *Client) someServers(ctx context.Context, zone resolve.Name) (Authority, error) {
	a, err := c.Resolve(ctx, resolve.Question{Name: zone, Type: resolve.TypeNS})
	if err != nil {
		return Authority{}, err
	}
	var hosts []resolve.Name
	for _, h := range a.Hosts() {
		hosts = append(hosts, h.Name)
	}
	hosts = sorted(hosts)
	hosts = hosts[:min(len(hosts), maxParentHosts)]
	found := make([][]NameServer, len(hosts))
	var wg sync.WaitGroup
	for i, h := range hosts {
		wg.Go(func() { found[i] = c.addresses(ctx, h) })
	}
	wg.Wait()
	out := Authority{Zone: zone, Servers: slices.Concat(found...)}
	if !slices.ContainsFunc(out.Servers, func(n NameServer) bool { return n.Addr.IsValid() }) {
		return out, &resolve.Error{Reason: resolve.ErrServFail, Question: resolve.Question{Name: zone, Type: resolve.TypeNS}, Detail: "no server of it has a known address"}
	}
	return out, nil
}

// refer asks servers of a zone for what lies below it, and reads the whole response.
func (c *Client) refer(ctx context.Context, auth Authority, q resolve.Question) (*dns.Msg, outcome) {
	budget := c.opt.Timeout
	o := c.ask(ctx, inOrder(c.authServers(auth)), query{q: q, zone: auth.Zone, refer: true}, &budget)
	if o.err != nil {
		if ctx.Err() != nil {
			o.err = gaveUp(q, ctx.Err())
		}
		return nil, o
	}
	msg := &dns.Msg{}
	if err := msg.Unpack(o.raw); err != nil {
		o.err = &resolve.Error{Reason: resolve.ErrMalformed, Question: q, Server: o.a.Server, Detail: shorten(err.Error())}
	}
	return msg, o
}

// read takes the servers out of a response of the zone above.
func (d *Delegation) read(msg *dns.Msg, q resolve.Question) {
	answered := false
	for _, rr := range msg.Answer {
		answered = answered || nameOf(rr) == d.Zone
	}
	for _, rr := range msg.Ns {
		if ns, ok := rr.(*dns.NS); ok && nameOf(rr) == d.Zone && len(d.NS) < maxDelegated {
			if h, err := resolve.NameFromMaster(ns.Ns); err == nil {
				d.NS = append(d.NS, h)
			}
		}
	}
	switch {
	case msg.Authoritative && answered:
		d.Shared, d.NS = true, nil
		d.Err = &resolve.Error{Reason: resolve.ErrServFail, Question: q, Server: d.Server, Detail: "it answers for the zone itself, so no referral is to be seen"}
	case len(d.NS) > 0:
		d.State = resolve.Present
	case msg.Authoritative && msg.Rcode == dns.RcodeNameError:
		d.State, d.Err = resolve.Absent, &resolve.Error{Reason: resolve.ErrNXDomain, Question: q, Server: d.Server, RCode: resolve.NXDomain}
	case msg.Authoritative:
		d.State, d.Err = resolve.Absent, &resolve.Error{Reason: resolve.ErrNoData, Question: q, Server: d.Server}
	default:
		d.Err = &resolve.Error{Reason: resolve.ErrServFail, Question: q, Server: d.Server, Detail: "lame: it neither refers to the zone nor denies it"}
	}
	d.NS = sorted(d.NS)
	for _, h := range d.NS {
		if !h.Within(d.Zone) {
			continue
		}
		d.glue(msg.Extra, h)
		if !d.has(h) && len(d.Unglued) < maxPerHost {
			d.Unglued = append(d.Unglued, h)
		}
	}
}

// glue takes the addresses of a host out of a section.
func (d *Delegation) glue(section []dns.RR, host resolve.Name) {
	n := 0
	for _, rr := range section {
		var addr netip.Addr
		switch r := rr.(type) {
		case *dns.A:
			addr, _ = netip.AddrFromSlice(r.A)
		case *dns.AAAA:
			addr, _ = netip.AddrFromSlice(r.AAAA)
		}
		if addr = addr.Unmap(); addr.IsValid() && n < 2*maxPerHost && nameOf(rr) == host {
			d.Glue = append(d.Glue, Glue{Host: host, Addr: addr, State: resolve.Unavailable})
			n++
		}
	}
}

func nameOf(rr dns.RR) resolve.Name {
	n, _ := resolve.NameFromMaster(rr.Header().Name)
	return n
}

// compareGlue holds the glue against the zone's own records, as its servers give
// them.
func (d *Delegation) compareGlue(ctx context.Context, c *Client) {
	zone := c.Authoritative()
	var wg sync.WaitGroup
	for i := range d.Glue[:min(len(d.Glue), maxHosts)] {
		g := &d.Glue[i]
		wg.Go(func() {
			t := resolve.TypeAAAA
			if g.Addr.Is4() {
				t = resolve.TypeA
			}
			a, err := zone.Resolve(ctx, resolve.Question{Name: g.Host, Type: t})
			switch {
			case err == nil:
				g.State = resolve.Absent
				if slices.ContainsFunc(a.Addrs(), func(x resolve.Addr) bool { return x.Unmap() == g.Addr }) {
					g.State = resolve.Present
				}
			case errors.Is(err, resolve.ErrAbsent):
				g.State = resolve.Absent
			}
		})
	}
	wg.Wait()
}

// all finds the addresses of every host, and adds the glue.
func (d *Delegation) all(ctx context.Context, c *Client) []NameServer {
	hosts := sorted(slices.Concat(d.NS, d.Own))
	hosts = hosts[:min(len(hosts), maxHosts)]
	found := make([][]NameServer, len(hosts))
	var wg sync.WaitGroup
	for i, h := range hosts {
		wg.Go(func() { found[i] = c.addresses(ctx, h) })
	}
	wg.Wait()
	out := slices.Concat(found...)
	for _, g := range d.Glue {
		if !slices.ContainsFunc(out, func(n NameServer) bool { return n.Host == g.Host && n.Addr == g.Addr }) {
			out = append(out, NameServer{Host: g.Host, Addr: g.Addr})
		}
	}
	return out
}
