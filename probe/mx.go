package probe

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// MX looks at every address of every MX host of a domain, or of the domain
// itself if it has no MX record. The error is about the options; all else,
// failed lookups included, is in the Result.
func MX(ctx context.Context, r resolve.Resolver, domain resolve.Name, opt Options) (Result, error) {
	p, err := newProber(opt)
	if err != nil {
		return Result{Domain: domain}, err
	}
	start := p.Now()
	// Without its monotonic part a time survives JSON.
	res := Result{Domain: domain, At: start.Round(0).UTC(), Exchanges: []Exchange{}, Paths: []Path{}}
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	p.exchanges(ctx, r, &res)
	p.plan(&res)

	hosts, done := p.hostsBudget(ctx)
	p.run(hosts, &res)
	done()
	p.paths(ctx, r, &res)
	res.ElapsedMS = p.since(start)
	return res, nil
}

// hostsBudget leaves time for the control hosts.
func (p *prober) hostsBudget(ctx context.Context) (context.Context, context.CancelFunc) {
	budget := p.Timeout
	if reserve := controlTimeout + time.Second; len(p.Control) > 0 && budget > 2*reserve {
		budget -= reserve
	}
	return context.WithTimeout(ctx, budget)
}

// exchanges finds the hosts and their addresses. Attempts hold the addresses
// only; plan makes the rest of them.
func (p *prober) exchanges(ctx context.Context, r resolve.Resolver, res *Result) {
	a, err := r.Resolve(ctx, resolve.Question{Name: res.Domain, Type: resolve.TypeMX})
	if res.MX = resolve.StateOf(err); err != nil {
		res.Error = err.Error()
	}
	switch res.MX {
	case resolve.Present:
		for _, m := range a.MX() {
			if m.Host.IsRoot() {
				res.NullMX = true // RFC 7505, Section 3
				continue
			}
			res.Exchanges = append(res.Exchanges, Exchange{Preference: m.Preference, Host: m.Host})
		}
	case resolve.Absent:
		// RFC 5321, Section 5.1: the domain is then its own mail host.
		res.Exchanges = append(res.Exchanges, Exchange{Host: res.Domain})
	}
	slices.SortStableFunc(res.Exchanges, func(a, b Exchange) int {
		if a.Preference != b.Preference {
			return int(a.Preference) - int(b.Preference)
		}
		return strings.Compare(a.Host.String(), b.Host.String())
	})
	res.Exchanges = slices.CompactFunc(res.Exchanges, func(a, b Exchange) bool { return a.Host == b.Host })
	if more := len(res.Exchanges) - MaxExchanges; more > 0 {
		res.Skipped, res.Exchanges = more, res.Exchanges[:MaxExchanges]
	}
	var wg sync.WaitGroup
	for i := range res.Exchanges {
		wg.Go(func() { res.Exchanges[i].resolve(ctx, r) })
	}
	wg.Wait()
	if x := res.Exchanges; res.MX == resolve.Absent && x[0].V4 == resolve.Absent && x[0].V6 == resolve.Absent {
		res.Exchanges = []Exchange{} // no mail host at all
	}
}

func (x *Exchange) resolve(ctx context.Context, r resolve.Resolver) {
	var v4, v6 []netip.Addr
	var err4, err6 error
	var wg sync.WaitGroup
	wg.Go(func() { v4, err4 = lookup(ctx, r, x.Host, resolve.TypeA) })
	wg.Go(func() { v6, err6 = lookup(ctx, r, x.Host, resolve.TypeAAAA) })
	wg.Wait()
	x.V4, x.V6 = resolve.StateOf(err4), resolve.StateOf(err6)
	for _, err := range []error{err4, err6} {
		absent := resolve.StateOf(err) == resolve.Absent
		if err != nil && (!absent || len(v4)+len(v6) == 0) && x.Error == "" {
			x.Error = err.Error()
		}
	}
	for _, family := range [][]netip.Addr{v4, v6} {
		more := max(0, len(family)-MaxAddresses)
		x.Skipped += more
		for _, a := range family[:len(family)-more] {
			x.Attempts = append(x.Attempts, Attempt{Host: x.Host, Address: netip.AddrPortFrom(a, 0)})
		}
	}
}

// lookup returns the addresses of one family, each once.
func lookup(ctx context.Context, r resolve.Resolver, name resolve.Name, t resolve.Type) ([]netip.Addr, error) {
	a, err := r.Resolve(ctx, resolve.Question{Name: name, Type: t})
	var out []netip.Addr
	for _, d := range a.Addrs() {
		// An AAAA record may hold an IPv4-mapped address: it is dialed as IPv4.
		if addr := d.Unmap(); !slices.Contains(out, addr) {
			out = append(out, addr)
		}
	}
	return out, err
}

// plan makes one attempt for each address and port, within MaxAttempts. The best
// hosts come first, so what is left out is what senders try last.
func (p *prober) plan(res *Result) {
	left := MaxAttempts
	for i := range res.Exchanges {
		x := &res.Exchanges[i]
		attempts := []Attempt{}
		for _, a := range x.Attempts {
			for _, port := range p.Ports {
				if left == 0 {
					x.Skipped++
					continue
				}
				left--
				a.Address, a.ImplicitTLS = netip.AddrPortFrom(a.Address.Addr(), port.Number), port.ImplicitTLS
				attempts = append(attempts, a)
			}
		}
		x.Attempts = attempts
	}
}

// run holds the conversations. Those with one address come one after the other:
// a host under two names does not get two connections from us at once.
func (p *prober) run(ctx context.Context, res *Result) {
	var order []netip.Addr
	groups := map[netip.Addr][]*Attempt{}
	for i := range res.Exchanges {
		for j := range res.Exchanges[i].Attempts {
			a := &res.Exchanges[i].Attempts[j]
			addr := a.Address.Addr()
			if groups[addr] == nil {
				order = append(order, addr)
			}
			groups[addr] = append(groups[addr], a)
		}
	}
	slots := make(chan struct{}, p.Parallel)
	var wg sync.WaitGroup
	for _, addr := range order {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			// The attempts are made all the same: each notes that it came too late.
			slots = make(chan struct{}, len(order))
			slots <- struct{}{}
		}
		slots := slots
		wg.Go(func() {
			defer func() { <-slots }()
			for _, a := range groups[addr] {
				p.attempt(ctx, a, false)
			}
		})
	}
	wg.Wait()
}
