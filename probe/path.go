package probe

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sync"

	"github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Paths asks the control hosts, before any run, over which families and to which
// of the ports connections leave this network. The error is about the options.
func Paths(ctx context.Context, r resolve.Resolver, opt Options) ([]Path, error) {
	p, err := newProber(opt)
	if err != nil {
		return nil, err
	}
	p.Paths = nil
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	var out []Path
	for _, f := range []int{4, 6} {
		for _, port := range p.Ports {
			out = append(out, Path{Family: f, Port: port.Number})
		}
	}
	var wg sync.WaitGroup
	for i := range out {
		path := &out[i]
		wg.Go(func() {
			path.Controls = p.controls(ctx, r, path)
			switch {
			case len(path.Controls) > 0 && !slices.ContainsFunc(path.Controls, hasRoute):
				path.State = NoRoute
			case judgePath(true, path.Controls) == Intercepted:
				path.State = Intercepted
			default:
				path.State = settle(ctx, false, path.Controls)
			}
		})
	}
	wg.Wait()
	return out, nil
}

func hasRoute(a Attempt) bool { return a.Failure == nil || a.Failure.Cause != smtp.NoIPv6 }

// settle is judgePath, but proves nothing without time to ask.
func settle(ctx context.Context, heard bool, controls []Attempt) PathState {
	s := judgePath(heard, controls)
	if s == Blocked && ctx.Err() != nil {
		return Unproven
	}
	return s
}

// paths finds out of which silences and gaps we are the cause ourselves, and
// takes back what was noted about the hosts behind them.
func (p *prober) paths(ctx context.Context, r resolve.Resolver, res *Result) {
	behind := map[way][]*Attempt{}
	for i := range res.Exchanges {
		for j := range res.Exchanges[i].Attempts {
			a := &res.Exchanges[i].Attempts[j]
			if a.Failure != nil && a.Failure.Cause == smtp.Forbidden {
				continue // never dialed: it says nothing about the way
			}
			k := wayTo(a.Address)
			behind[k] = append(behind[k], a)
		}
	}
	for k := range behind {
		res.Paths = append(res.Paths, Path{Family: k.family, Port: k.port, Local: k.local})
	}
	slices.SortStableFunc(res.Paths, func(a, b Path) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Port, b.Port), boolOrder(a.Local, b.Local))
	})
	var wg sync.WaitGroup
	for i := range res.Paths {
		path := &res.Paths[i]
		wg.Go(func() { p.prove(ctx, r, path, behind[path.way()]) })
	}
	wg.Wait()
}

// way is what attempts have in common that take one path.
type way struct {
	local  bool
	family int
	port   uint16
}

func wayTo(a netip.AddrPort) way {
	addr := a.Addr()
	w := way{local: addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast(), family: 6, port: a.Port()}
	if addr.Is4() {
		w.family = 4
	}
	return w
}

func (p *Path) way() way { return way{p.Local, p.Family, p.Port} }

// prove settles the state of one path.
func (p *prober) prove(ctx context.Context, r resolve.Resolver, path *Path, behind []*Attempt) {
	heard := slices.ContainsFunc(behind, (*Attempt).heard)
	bare := slices.ContainsFunc(behind, func(a *Attempt) bool { return a.STARTTLS == resolve.Absent }) &&
		!slices.ContainsFunc(behind, func(a *Attempt) bool { return a.STARTTLS == resolve.Present })
	switch known := p.known(path.way()); {
	case known != nil && (known.State == Blocked || known.State == NoRoute):
		path.State = known.State // and nothing was dialed
		return
	case !slices.ContainsFunc(behind, func(a *Attempt) bool { return hasRoute(*a) }):
		path.State = NoRoute
		return
	case heard && !bare:
		path.State = Open
		return
	case known != nil:
		if path.State = known.State; heard && path.State != Intercepted {
			path.State = Open
		}
	default:
		path.Controls = p.controls(ctx, r, path)
		path.State = settle(ctx, heard, path.Controls)
	}
	for _, a := range behind {
		switch {
		case path.State == Blocked:
			a.retract(smtp.Blocked)
		case path.State == Intercepted && a.STARTTLS == resolve.Absent:
			a.STARTTLS, a.Secure = resolve.Unavailable, Unknown
			a.fail(&smtp.Error{Step: smtp.StepSTARTTLS, Cause: smtp.Blocked,
				Detail: "something on the way removes STARTTLS: control hosts show none either"})
		}
	}
}

// judgePath reads what the control hosts tell. Heard says that a host did answer,
// and that only its STARTTLS is in doubt.
func judgePath(heard bool, controls []Attempt) PathState {
	answered, offers, conclusive := false, false, len(controls) > 0
	greeted := false
	for i := range controls {
		c := &controls[i]
		answered = answered || c.heard()
		greeted = greeted || c.Greeting == Accepted
		offers = offers || c.STARTTLS == resolve.Present || c.ImplicitTLS && c.Secure == Accepted
		if c.Failure != nil && (c.Failure.Cause == smtp.Canceled || c.Failure.Cause == smtp.Forbidden) {
			conclusive = false
		}
	}
	switch {
	case heard && greeted && !offers:
		return Intercepted
	case heard || answered:
		return Open
	case conclusive:
		return Blocked
	}
	return Unproven
}

// controls speaks to the control hosts of the path, all at once and briefly.
func (p *prober) controls(ctx context.Context, r resolve.Resolver, path *Path) []Attempt {
	var list []Attempt
	for _, c := range p.Control {
		host, port, err := splitControl(c)
		if err != nil || port != path.Port {
			continue
		}
		for _, a := range p.controlAddresses(ctx, r, path.way(), host) {
			if len(list) == maxControls {
				break
			}
			name, _ := resolve.ParseName(host) // none, if it is an address
			list = append(list, Attempt{Host: name, Address: netip.AddrPortFrom(a, port), ImplicitTLS: p.implicit(port)})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() { p.attempt(ctx, &list[i], true) })
	}
	wg.Wait()
	return list
}

func (p *prober) controlAddresses(ctx context.Context, r resolve.Resolver, want way, host string) []netip.Addr {
	var addrs []netip.Addr
	if a, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, a.WithZone("").Unmap())
	} else if name, err := resolve.ParseName(host); err == nil {
		t := resolve.TypeA
		if want.family == 6 {
			t = resolve.TypeAAAA
		}
		addrs, _ = lookup(ctx, r, name, t) // without addresses the path stays unproven
	}
	addrs = slices.DeleteFunc(addrs, func(a netip.Addr) bool { return wayTo(netip.AddrPortFrom(a, want.port)) != want })
	return addrs[:min(len(addrs), controlAddresses)]
}

func (p *prober) implicit(number uint16) bool {
	return slices.ContainsFunc(p.Ports, func(port Port) bool { return port.Number == number && port.ImplicitTLS })
}

// retract takes back what an attempt said about a host that it did not reach.
func (a *Attempt) retract(cause smtp.Cause) {
	a.Connect, a.Greeting, a.Secure = Unknown, Unknown, Unknown
	a.STARTTLS = resolve.Unavailable
	e := &smtp.Error{Step: smtp.StepConnect, Cause: cause, Detail: "control hosts are silent too"}
	if a.Failure != nil {
		e.Detail += "; seen: " + string(a.Failure.Cause)
	}
	a.Failure = e
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
