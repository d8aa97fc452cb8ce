package client

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Limits of the authoritative mode.
const (
	maxHosts     = 16              // name servers of a zone that are looked at
	maxPerHost   = 4               // addresses of each family
	maxZones     = 8192            // zones, cuts and servers remembered, each
	zoneTTL      = 5 * time.Minute // how long a zone's servers are remembered
	brokenTTL    = 15 * time.Second
	authInFlight = 32              // queries to one server; they limit the rate of one client
	authTimeout  = 3 * time.Second // of one server, when others are asked too
)

// Authority is a zone and the servers that are to answer for it.
type Authority struct {
	Zone    resolve.Name
	Servers []NameServer // by host, IPv4 first
}

// NameServer is one address of a zone's name server. A host without a usable
// address is listed once, with Err and no Addr.
type NameServer struct {
	Host resolve.Name
	Addr netip.Addr
	Err  error // why the host has no address

	// Alias is the name that the host is an alias of, which no name server may be
	// (RFC 2181, Section 10.3); zero if it is none.
	Alias resolve.Name
}

// String is "ns1.example.org (192.0.2.1)".
func (n NameServer) String() string {
	if !n.Addr.IsValid() {
		return n.Host.String()
	}
	return n.Host.String() + " (" + n.Addr.String() + ")"
}

// zoneCache remembers zone cuts, so that one audit finds them once.
type zoneCache struct {
	mu      sync.Mutex
	cuts    map[resolve.Name]kept[resolve.Name] // name → its zone
	zones   map[resolve.Name]kept[Authority]
	servers map[netip.Addr]*server
}

type kept[T any] struct {
	value T
	until time.Time
}

// remember keeps v; a full map starts anew.
func remember[K comparable, V any](m map[K]V, k K, v V) map[K]V {
	if m == nil || len(m) >= maxZones {
		m = map[K]V{}
	}
	m[k] = v
	return m
}

// FindZone returns the zone that holds name and the addresses of its servers.
// It asks the configured servers. The error is that of the lookup that failed;
// servers without an address are no error as long as one has one.
func (c *Client) FindZone(ctx context.Context, name resolve.Name) (Authority, error) {
	zone, err := c.findCut(ctx, name)
	if err != nil {
		return Authority{}, err
	}
	return c.authority(ctx, zone)
}

// findCut walks up from name to the owner of the SOA.
func (c *Client) findCut(ctx context.Context, name resolve.Name) (resolve.Name, error) {
	for at := name; !at.IsZero(); at = at.Parent() {
		if z, ok := c.zones.cut(at, c.opt.Now()); ok {
			c.zones.setCut(name, z, c.opt.Now())
			return z, nil
		}
		a, err := c.Resolve(ctx, resolve.Question{Name: at, Type: resolve.TypeSOA})
		var zone resolve.Name
		switch {
		// RFC 2181, Section 10.1: an alias owns nothing else, so it is no zone.
		case len(a.Chain) > 0:
			continue
		case err == nil:
			zone = at
		case !errors.Is(err, resolve.ErrAbsent):
			return resolve.Name{}, err
		case a.SOA != nil:
			zone = a.SOA.Name
		default:
			continue
		}
		c.zones.setCut(name, zone, c.opt.Now())
		return zone, nil
	}
	q := resolve.Question{Name: name, Type: resolve.TypeSOA}
	return resolve.Name{}, &resolve.Error{Reason: resolve.ErrServFail, Question: q, Detail: "no zone found"}
}

// authority looks up the servers of a zone.
func (c *Client) authority(ctx context.Context, zone resolve.Name) (Authority, error) {
	if z, ok := c.zones.zone(zone, c.opt.Now()); ok {
		return z, nil
	}
	a, err := c.Resolve(ctx, resolve.Question{Name: zone, Type: resolve.TypeNS})
	if err != nil {
		return Authority{Zone: zone}, err
	}
	var hosts []resolve.Name
	for _, h := range a.Hosts() {
		hosts = append(hosts, h.Name)
	}
	slices.SortFunc(hosts, func(a, b resolve.Name) int { return cmp.Compare(a.String(), b.String()) })
	hosts = slices.Compact(hosts)
	hosts = hosts[:min(len(hosts), maxHosts)]
	found := make([][]NameServer, len(hosts))
	var wg sync.WaitGroup
	for i, h := range hosts {
		wg.Go(func() { found[i] = c.addresses(ctx, h) })
	}
	wg.Wait()
	auth := Authority{Zone: zone, Servers: slices.Concat(found...)}
	ttl, usable := zoneTTL, false
	for _, s := range auth.Servers {
		usable = usable || s.Addr.IsValid()
		if s.Err != nil {
			ttl = brokenTTL
			err = s.Err
		}
	}
	if !usable {
		if err == nil {
			q := resolve.Question{Name: zone, Type: resolve.TypeNS}
			err = &resolve.Error{Reason: resolve.ErrServFail, Question: q, Detail: "the zone has no name server"}
		}
		return auth, err
	}
	c.zones.setZone(auth, c.opt.Now().Add(ttl))
	return auth, nil
}

// addresses looks up both families of a host.
func (c *Client) addresses(ctx context.Context, host resolve.Name) []NameServer {
	var answers [2]resolve.Answer
	var errs [2]error
	var wg sync.WaitGroup
	for i, t := range []resolve.Type{resolve.TypeA, resolve.TypeAAAA} {
		wg.Go(func() { answers[i], errs[i] = c.Resolve(ctx, resolve.Question{Name: host, Type: t}) })
	}
	wg.Wait()
	var out []NameServer
	var alias resolve.Name
	for _, a := range answers {
		if len(a.Chain) > 0 {
			alias = a.Chain[0].Target
		}
	}
	for _, a := range answers {
		for i, d := range a.Addrs() {
			// Unspecified and multicast addresses are no servers, and some systems
			// take the former for this machine.
			if i < maxPerHost && !d.IsUnspecified() && !d.IsMulticast() {
				out = append(out, NameServer{Host: host, Addr: d.Unmap(), Alias: alias})
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	err := errs[0]
	if err == nil || errors.Is(err, resolve.ErrAbsent) && errs[1] != nil && !errors.Is(errs[1], resolve.ErrAbsent) {
		err = errs[1]
	}
	if err == nil {
		q := resolve.Question{Name: host, Type: resolve.TypeA}
		err = &resolve.Error{Reason: resolve.ErrMalformed, Question: q, Detail: "no usable address"}
	}
	return []NameServer{{Host: host, Err: err, Alias: alias}}
}

// zoneFor returns the zone to ask for q: the deepest one known, which may turn
// out to delegate q, or else the one found by walking.
func (c *Client) zoneFor(ctx context.Context, q resolve.Question) (auth Authority, exact bool, err error) {
	name := q.Name
	if q.Type == resolve.TypeDS && !name.IsRoot() {
		name = name.Parent() // RFC 4035, Section 3.1.4.1: the parent zone holds the DS
	}
	now := c.opt.Now()
	for at := name; !at.IsZero(); at = at.Parent() {
		// Above two labels are the registries, whose servers would only refer.
		if at != name && at.NumLabels() < 2 {
			break
		}
		if z, ok := c.zones.cut(at, now); ok {
			auth, err = c.authority(ctx, z)
			return auth, at == name, err
		}
	}
	auth, err = c.FindZone(ctx, name)
	return auth, true, err
}

// authServers lists the servers of a zone in the order in which they are asked: IPv4
// first, as not every machine has IPv6.
func (c *Client) authServers(auth Authority) []*server {
	var four, six []*server
	for _, n := range auth.Servers {
		switch {
		case n.Addr.Is4():
			four = append(four, c.serverAt(n.Addr))
		case n.Addr.IsValid():
			six = append(six, c.serverAt(n.Addr))
		}
	}
	return append(four, six...)
}

func (c *Client) serverAt(addr netip.Addr) *server {
	z := &c.zones
	z.mu.Lock()
	defer z.mu.Unlock()
	if s := z.servers[addr]; s != nil {
		return s
	}
	ip := netip.AddrPortFrom(addr, c.opt.AuthoritativePort)
	s := &server{
		endpoint: endpoint{transport: resolve.UDP, label: ip.String(), addr: ip.String(), ip: ip},
		slots:    make(chan struct{}, min(c.opt.InFlight, authInFlight)),
		streams:  make(chan struct{}, min(c.opt.InFlight, maxStreams)),
		once:     true,
	}
	z.servers = remember(z.servers, addr, s)
	return s
}

// Authoritative returns a resolver that asks the servers of each name's zone
// instead of a resolver's cache. The zones are found with c. A chain of aliases
// is followed from zone to zone.
func (c *Client) Authoritative() resolve.Resolver {
	return resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		ctx, done, err := c.begin(ctx, q)
		if err != nil {
			return resolve.Answer{Question: q}, err
		}
		defer done()
		return chase(ctx, q, c.askZone)
	})
}

// askZone is one hop of the authoritative resolver.
func (c *Client) askZone(ctx context.Context, q resolve.Question) outcome {
	auth, exact, err := c.zoneFor(ctx, q)
	for {
		if err != nil {
			return outcome{a: resolve.Answer{Question: q}, err: noZone(q, err)}
		}
		o := c.askServers(ctx, auth, q)
		if o.more || exact || !errors.Is(o.err, resolve.ErrReferral) {
			return o
		}
		auth, err = c.FindZone(ctx, q.Name)
		exact = true
	}
}

// noZone makes a failure to find the servers one of the question that was asked.
// That the zone could not be found proves nothing about the record.
func noZone(q resolve.Question, err error) error {
	e := &resolve.Error{Reason: resolve.ReasonOf(err), Question: q, Detail: "finding the servers of its zone: " + err.Error(), Err: err}
	if errors.Is(err, resolve.ErrAbsent) {
		e.Reason, e.Err = resolve.ErrServFail, nil
	}
	return e
}

func (c *Client) askServers(ctx context.Context, auth Authority, q resolve.Question) outcome {
	if c.opt.OnDisagreement != nil {
		all := c.compare(ctx, auth, q, false)
		if !all.Agree && all.distinct > 1 {
			c.opt.OnDisagreement(all)
		}
		a, err := all.Best()
		return outcome{a: a, err: err, more: len(a.Chain) > 0 && errors.Is(err, resolve.ErrReferral)}
	}
	budget := c.opt.Timeout
	o := c.ask(ctx, inOrder(c.authServers(auth)), query{q: q, zone: auth.Zone, dnssec: c.opt.DNSSEC}, &budget)
	if o.err != nil && ctx.Err() != nil {
		o.err = gaveUp(q, ctx.Err())
	}
	return o
}

func (z *zoneCache) cut(name resolve.Name, now time.Time) (resolve.Name, bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	k, ok := z.cuts[name]
	return k.value, ok && now.Before(k.until)
}

func (z *zoneCache) setCut(name, zone resolve.Name, now time.Time) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.cuts = remember(z.cuts, name, kept[resolve.Name]{zone, now.Add(zoneTTL)})
	z.cuts = remember(z.cuts, zone, kept[resolve.Name]{zone, now.Add(zoneTTL)})
}

func (z *zoneCache) zone(name resolve.Name, now time.Time) (Authority, bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	k, ok := z.zones[name]
	k.value.Servers = slices.Clone(k.value.Servers)
	return k.value, ok && now.Before(k.until)
}

func (z *zoneCache) setZone(a Authority, until time.Time) {
	z.mu.Lock()
	defer z.mu.Unlock()
	a.Servers = slices.Clone(a.Servers)
	z.zones = remember(z.zones, a.Zone, kept[Authority]{a, until})
}
