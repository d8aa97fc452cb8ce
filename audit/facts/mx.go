package facts

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// MaxExchanges is the number of MX hosts whose addresses are looked up. RFC 5321
// sets no limit; senders give up long before, and a hostile zone may hold
// thousands.
const MaxExchanges = 30

// MailExchange is the inbound side of a domain. The fact is Present when there
// are MX records, Absent when there are none.
type MailExchange struct {
	Answer    resolve.Answer
	Exchanges []Exchange // by preference, then name; at most MaxExchanges are looked up
	Skipped   int        // exchanges beyond MaxExchanges
	// Fallback holds the domain's own addresses, to which mail goes when there is
	// no MX record (RFC 5321, Section 5.1). It is gathered only then.
	Fallback Fact[[]netip.Addr]
}

// Exchange is one MX record and where it leads.
type Exchange struct {
	Preference uint16
	Host       resolve.Name
	Null       bool       // the root: "no mail" (RFC 7505)
	Literal    netip.Addr // valid if the host name is an address written as a name
	Alias      []resolve.Alias
	V4, V6     Fact[[]netip.Addr]
}

// Addresses joins the addresses of both families.
func (x Exchange) Addresses() []netip.Addr { return slices.Concat(x.V4.Value, x.V6.Value) }

// State of the host's addresses: Present if it has any, Absent if it is proven
// to have none, else Unavailable.
func (x Exchange) State() resolve.State { return bothStates(x.V4.State, x.V6.State) }

func bothStates(a, b resolve.State) resolve.State {
	switch {
	case a == resolve.Present || b == resolve.Present:
		return resolve.Present
	case a == resolve.Absent && b == resolve.Absent:
		return resolve.Absent
	}
	return resolve.Unavailable
}

// NullMX reports whether the set holds a null MX; it is proper only alone.
func (m MailExchange) NullMX() bool {
	return slices.ContainsFunc(m.Exchanges, func(x Exchange) bool { return x.Null })
}

// maxOwnHosts is the number of the domain's own MX hosts that are looked at for
// records of their own.
const maxOwnHosts = 4

// OwnHosts lists the MX hosts within the domain: its own machines, not those of
// a provider.
func OwnHosts(domain resolve.Name, m MailExchange) []resolve.Name {
	var out []resolve.Name
	for _, x := range m.Exchanges {
		if x.Host.Within(domain) && x.Host != domain && !slices.Contains(out, x.Host) && len(out) < maxOwnHosts {
			out = append(out, x.Host)
		}
	}
	return out
}

func (g *gatherer) mx(ctx context.Context) {
	s := g.snap
	a, err := g.memo.Resolve(ctx, resolve.Question{Name: s.Domain, Type: resolve.TypeMX})
	f := Fact[MailExchange]{State: resolve.StateOf(err), Err: err, Trace: []resolve.Answer{a}}
	f.Value.Answer = a
	for _, m := range a.MX() {
		x := Exchange{Preference: m.Preference, Host: m.Host, Null: m.Host.IsRoot()}
		if lit, err := netip.ParseAddr(m.Host.String()); err == nil {
			x.Literal = lit
		}
		f.Value.Exchanges = append(f.Value.Exchanges, x)
	}
	slices.SortStableFunc(f.Value.Exchanges, func(a, b Exchange) int { return int(a.Preference) - int(b.Preference) })
	if len(f.Value.Exchanges) > MaxExchanges {
		f.Value.Skipped = len(f.Value.Exchanges) - MaxExchanges
		f.Value.Exchanges = f.Value.Exchanges[:MaxExchanges]
	}
	g.mxKnown(f.Value.Exchanges)
	if f.State == resolve.Absent {
		f.Value.Fallback = g.addresses(ctx, s.Domain)
	}
	var wg sync.WaitGroup
	for _, h := range OwnHosts(s.Domain, f.Value) {
		wg.Go(func() { g.memo.Resolve(ctx, resolve.Question{Name: h, Type: resolve.TypeTXT}) }) // for rules: SPF of the HELO name
	}
	for i := range f.Value.Exchanges {
		x := &f.Value.Exchanges[i]
		if x.Null || x.Literal.IsValid() {
			continue
		}
		wg.Go(func() { x.V6 = g.family(ctx, x.Host, resolve.TypeAAAA) })
		wg.Go(func() { x.V4 = g.family(ctx, x.Host, resolve.TypeA) })
	}
	wg.Wait()
	for i := range f.Value.Exchanges {
		x := &f.Value.Exchanges[i]
		for _, t := range slices.Concat(x.V4.Trace, x.V6.Trace) {
			if len(t.Chain) > 0 {
				x.Alias = t.Chain
			}
		}
	}
	g.lock(func() { s.MX = f })
}

// family looks up the addresses of one family.
func (g *gatherer) family(ctx context.Context, name resolve.Name, t resolve.Type) Fact[[]netip.Addr] {
	a, err := g.memo.Resolve(ctx, resolve.Question{Name: name, Type: t})
	f := Fact[[]netip.Addr]{State: resolve.StateOf(err), Err: err, Trace: []resolve.Answer{a}}
	for _, r := range a.Addrs() {
		f.Value = append(f.Value, r.Addr)
	}
	return f
}

// addresses looks up both families.
func (g *gatherer) addresses(ctx context.Context, name resolve.Name) Fact[[]netip.Addr] {
	var v4, v6 Fact[[]netip.Addr]
	var wg sync.WaitGroup
	wg.Go(func() { v4 = g.family(ctx, name, resolve.TypeA) })
	wg.Go(func() { v6 = g.family(ctx, name, resolve.TypeAAAA) })
	wg.Wait()
	return Fact[[]netip.Addr]{
		State: bothStates(v4.State, v6.State), Value: slices.Concat(v4.Value, v6.Value),
		Err: errors.Join(v4.Err, v6.Err), Trace: slices.Concat(v4.Trace, v6.Trace),
	}
}
