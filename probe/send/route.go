package send

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Errors of the way to a domain.
var (
	// ErrNoMail: the domain takes no mail (RFC 7505), or has no host for it.
	ErrNoMail = errors.New("send: the domain takes no mail")
	// ErrRoute: DNS did not tell where mail for the domain goes.
	ErrRoute = errors.New("send: the way to the domain is unknown")
)

// route finds the hosts to try, in order.
func (o *Options) route(ctx context.Context, d draft) (Route, error) {
	if s := o.Submission; s != nil {
		return o.submissionRoute(ctx, s)
	}
	r := Route{Hosts: []RouteHost{}}
	a, err := o.Resolver.Resolve(ctx, resolve.Question{Name: d.to.domain, Type: resolve.TypeMX})
	r.MX, r.Authentic = resolve.StateOf(err), a.AuthenticData
	switch r.MX {
	case resolve.Unavailable:
		return r, fmt.Errorf("%w: %w", ErrRoute, err)
	case resolve.Absent:
		// RFC 5321, Section 5.1: the domain is then its own mail host.
		r.Hosts = append(r.Hosts, RouteHost{name: d.to.domain})
	}
	for _, m := range a.MX() {
		if m.Host.IsRoot() {
			if len(a.MX()) == 1 {
				return r, fmt.Errorf("%w: %s has a null MX (RFC 7505)", ErrNoMail, d.to.domain)
			}
			continue // RFC 7505, Section 3: beside others it is a mistake
		}
		r.Hosts = append(r.Hosts, RouteHost{Preference: m.Preference, name: m.Host})
	}
	// RFC 5321, Section 5.1: hosts of one preference in random order. The token is
	// random, and makes the order repeatable.
	order := func(h RouteHost) string {
		sum := sha256.Sum256([]byte(d.Token + h.name.String()))
		return string(sum[:])
	}
	slices.SortStableFunc(r.Hosts, func(a, b RouteHost) int {
		return cmp.Or(cmp.Compare(a.Preference, b.Preference), cmp.Compare(order(a), order(b)))
	})
	r.Hosts = slices.CompactFunc(r.Hosts, func(a, b RouteHost) bool { return a.name == b.name })
	if more := len(r.Hosts) - MaxHosts; more > 0 {
		r.Skipped, r.Hosts = more, r.Hosts[:MaxHosts]
	}
	found, unknown := false, error(nil)
	for i := range r.Hosts {
		h := &r.Hosts[i]
		h.Host = h.name.String()
		var err error
		if h.Addresses, err = o.addresses(ctx, h.name); err != nil {
			if h.Error = err.Error(); resolve.StateOf(err) == resolve.Unavailable {
				unknown = err
			}
		}
		found = found || len(h.Addresses) > 0
	}
	switch {
	case found:
		return r, nil
	case unknown != nil:
		return r, fmt.Errorf("%w: %w", ErrRoute, unknown)
	}
	return r, fmt.Errorf("%w: no host of %s has an address", ErrNoMail, d.to.domain)
}

func (o *Options) submissionRoute(ctx context.Context, s *Submission) (Route, error) {
	r := Route{Submission: true, MX: resolve.Unavailable}
	h := RouteHost{Host: s.Host}
	if a, err := netip.ParseAddr(s.Host); err == nil {
		h.Addresses = []netip.Addr{a.Unmap().WithZone("")}
		r.Hosts = []RouteHost{h}
		return r, nil
	}
	h.name = resolve.MustName(s.Host) // fill has read it
	h.Host = h.name.String()
	var err error
	h.Addresses, err = o.addresses(ctx, h.name)
	r.Hosts = []RouteHost{h}
	switch {
	case len(h.Addresses) > 0:
		return r, nil
	case resolve.StateOf(err) == resolve.Unavailable:
		return r, fmt.Errorf("%w: %w", ErrRoute, err)
	}
	return r, fmt.Errorf("%w: %s has no address", ErrRoute, h.Host)
}

// addresses are those of a host, IPv6 first as RFC 6724 has it. The error is nil if
// there is any.
func (o *Options) addresses(ctx context.Context, name resolve.Name) ([]netip.Addr, error) {
	var out []netip.Addr
	var bad error
	for _, t := range []resolve.Type{resolve.TypeAAAA, resolve.TypeA} {
		a, err := o.Resolver.Resolve(ctx, resolve.Question{Name: name, Type: t})
		for i, x := range a.Addrs() {
			if addr := x.Unmap().WithZone(""); i < MaxAddresses && !slices.Contains(out, addr) {
				out = append(out, addr)
			}
		}
		if err != nil && (bad == nil || resolve.StateOf(err) == resolve.Unavailable) {
			bad = err
		}
	}
	if len(out) > 0 {
		bad = nil
	}
	return out, bad
}
