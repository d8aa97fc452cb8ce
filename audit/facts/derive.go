package facts

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// Origin tells how it is known that an address sends.
type Origin string

// The origins. What is derived is an inference: a host that may send need not.
const (
	Given   Origin = "given" // the user says so
	FromMX  Origin = "mx"    // an MX host within the domain, which its own SPF record lets send
	FromSPF Origin = "spf"   // a single host in the domain's own SPF record
)

const (
	// MaxDerived is the number of derived addresses that are looked at, the best
	// founded first: each costs a question or two, and this keeps the mean of many
	// domains below two.
	MaxDerived = 6

	// maxOfHost is the number of addresses up to which a name is taken for one host.
	// What has more is the pool of a provider, whose names are the provider's business.
	maxOfHost = 4
)

// errNoReverse is the gap of a reverse name that no server of the reverse tree
// denied.
var errNoReverse = errors.New("who says that there is none does not speak for the reverse tree (in-addr.arpa, ip6.arpa)")

var reverseTrees = []resolve.Name{resolve.MustName("in-addr.arpa"), resolve.MustName("ip6.arpa")}

// derived looks at the addresses that send as far as MX and SPF tell. What a
// provider's record includes is not looked at: its names are not the domain's to
// repair.
func (g *gatherer) derived(ctx context.Context, given []netip.Addr) []Sender {
	out := likelySenders(g.snap, given)
	var wg sync.WaitGroup
	for i := range out {
		x := &out[i]
		wg.Go(func() {
			x.PTR, x.Confirmed = g.reverse(ctx, x.Address)
			// A lab or an internal view without reverse zones denies every reverse name,
			// and shows nothing of what receivers see. A denial has the SOA record of the
			// zone that speaks (RFC 2308, Section 3).
			if x.PTR.State == resolve.Absent && !denied(x.PTR.Trace) {
				x.PTR.State, x.PTR.Err, x.Confirmed = resolve.Unavailable, errNoReverse, resolve.Unavailable
			}
		})
	}
	wg.Wait()
	return out
}

func denied(trace []resolve.Answer) bool {
	return slices.ContainsFunc(trace, func(a resolve.Answer) bool {
		return len(a.Chain) > 0 || // an alias in the reverse tree (RFC 2317)
			a.SOA != nil && slices.ContainsFunc(reverseTrees, a.SOA.Name.Within)
	})
}

// likelySenders derives addresses from what is known of MX and SPF, the best
// founded first.
func likelySenders(s *Snapshot, given []netip.Addr) []Sender {
	if s.SPF.State != resolve.Present || s.SPF.Root == nil {
		return nil
	}
	terms := ownTerms(s.SPF.Root, s.Domain, nil)
	var out []Sender
	add := func(x Sender) {
		x.Address = x.Address.Unmap()
		known := slices.Contains(given, x.Address) || slices.ContainsFunc(out, func(o Sender) bool { return o.Address == x.Address })
		if len(out) < MaxDerived && !known && x.Address.IsGlobalUnicast() && !x.Address.IsPrivate() {
			out = append(out, x)
		}
	}
	for _, x := range s.MX.Value.Exchanges {
		if x.Null || !x.Host.Within(s.Domain) {
			continue
		}
		for _, a := range x.Addresses() {
			// An MX host perhaps only receives: it is its SPF record that makes it a sender.
			if i := slices.IndexFunc(terms, func(t ownTerm) bool { return t.lets(a) }); i >= 0 {
				add(Sender{Address: a, Origin: FromMX, Term: terms[i].Text, Host: x.Host})
			}
		}
	}
	for _, weak := range []bool{false, true} {
		for _, t := range terms {
			if t.weak(s.Domain) != weak || !t.oneHost() {
				continue
			}
			for _, p := range t.info.Networks {
				x := Sender{Address: p.Addr(), Origin: FromSPF, Term: t.Text, Weak: weak}
				if t.Kind == spf.A {
					x.Host = t.info.Target
				}
				add(x)
			}
		}
	}
	return out
}

// ownTerm is a term of the domain's own records that lets something send.
type ownTerm struct {
	spf.Term
	info *spf.TermInfo
}

// ownTerms collects the terms that pass, of the record and of those below the
// domain that it includes.
func ownTerms(n *spf.Node, domain resolve.Name, out []ownTerm) []ownTerm {
	for i := range n.Terms {
		info := &n.Terms[i]
		if info.Index >= len(n.Record.Terms) || info.Ignored || info.Skipped {
			continue
		}
		t := n.Record.Terms[info.Index]
		switch t.Kind {
		case spf.Include, spf.Redirect:
			if info.Child != nil && info.Child.Domain.Within(domain) && (t.Kind == spf.Redirect || t.Qualifier == '+') {
				out = ownTerms(info.Child, domain, out)
			}
		case spf.A, spf.MX, spf.IP4, spf.IP6:
			if t.Qualifier == '+' && !info.Unevaluated {
				out = append(out, ownTerm{t, info})
			}
		}
	}
	return out
}

func (t ownTerm) lets(a netip.Addr) bool {
	return slices.ContainsFunc(t.info.Networks, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// weak is a term that names the domain's own address, which is that of its web
// site: control panels put it into every record.
func (t ownTerm) weak(domain resolve.Name) bool { return t.Kind == spf.A && t.info.Target == domain }

// oneHost reports a term that names one host. The term mx is none: its hosts
// within the domain are found by MX, and others only receive.
func (t ownTerm) oneHost() bool {
	return t.Kind != spf.MX && len(t.info.Networks) <= maxOfHost &&
		!slices.ContainsFunc(t.info.Networks, func(p netip.Prefix) bool { return !p.IsSingleIP() })
}
