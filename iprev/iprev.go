package iprev

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/mailcheck-go/mailcheck/internal/netguard"
	"github.com/mailcheck-go/mailcheck/resolve"
)

const (
	// MaxNames is the number of PTR names that are looked up forward. RFC 8601,
	// Section 3 asks for a limit and RFC 7208, Section 4.6.4 sets it to 10 for SPF.
	MaxNames = 10

	maxAddrs = 100 // addresses of a name that are kept as evidence; all are compared
	maxGiven = 255 // octets of a greeting that are read (RFC 5321, Section 4.5.3.1.2)
)

// Verdict is a result of the iprev method (RFC 8601, Section 2.7.3).
type Verdict string

// The verdicts.
const (
	Pass      Verdict = "pass"      // a PTR name leads back to the address
	Fail      Verdict = "fail"      // there are PTR names and none leads back
	TempError Verdict = "temperror" // a lookup failed, so it is unknown
	PermError Verdict = "permerror" // there is no PTR record
)

// Options tune [Check]. The zero value checks the PTR names alone.
type Options struct {
	// HELO is what the server says after EHLO or HELO: a name, or an address
	// literal such as "[192.0.2.1]". Empty: not checked.
	HELO string
	// MaxNames is the number of PTR names looked up forward, at most [MaxNames].
	// 0: MaxNames.
	MaxNames int
}

// Result is all that is known of the names of an address.
type Result struct {
	Addr netip.Addr // as asked; an IPv4-mapped address is the IPv4 address
	// Special names the reason why the address is not a public one, "private",
	// "carrier NAT", "documentation", "loopback" and so on. Empty: it is public. Nobody outside
	// sees mail coming from a special address.
	Special string

	Verdict Verdict
	Why     string // in words, safe to show

	Reverse resolve.Name   // owner of the PTR records
	PTR     resolve.State  // whether there is a PTR record
	Err     error          // of the lookup
	Answer  resolve.Answer // of the lookup; its Chain shows a delegation by alias (RFC 2317)
	Names   []Name         // in the order of the answer, at most MaxNames
	Dropped int            // names beyond that, not looked at

	// Confirmed is Present if one of the names leads back to the address, Absent if
	// it is proven that none does, also because there is none.
	Confirmed resolve.State

	HELO HELO
}

// Name is one PTR name.
type Name struct {
	Name resolve.Name
	// Forward is Present if the name leads back to the address, Absent if it is
	// proven not to.
	Forward resolve.State
	Addrs   []netip.Addr   // of the family of the address
	Err     error          // of the lookup
	Answer  resolve.Answer // of the lookup
	// Problem tells why it is no name of a host (RFC 1123, Section 2.1): a single
	// label, an underscore, an address written as a name. Empty: it is one.
	Problem string
	Generic Likeness
}

// ConfirmedNames lists the names that lead back to the address.
func (r Result) ConfirmedNames() []resolve.Name {
	var names []resolve.Name
	for _, n := range r.Names {
		if n.Forward == resolve.Present {
			names = append(names, n.Name)
		}
	}
	return names
}

// Generic reports whether every confirmed name looks generic, or every name if none
// is confirmed, and how the first of them does. One proper name that leads back is
// enough for receivers.
func (r Result) Generic() (Likeness, bool) {
	var first Likeness
	confirmed := r.Confirmed == resolve.Present
	for _, n := range r.Names {
		switch {
		case confirmed && n.Forward != resolve.Present:
		case !n.Generic.Is():
			return Likeness{}, false
		case !first.Is():
			first = n.Generic
		}
	}
	return first, first.Is()
}

// Check looks up the names of an address. There is no error: what could not be
// found out is Unavailable in the result. It asks at most 1 + [MaxNames] questions,
// and two more for the greeting.
func Check(ctx context.Context, r resolve.Resolver, addr netip.Addr, opt Options) Result {
	addr = addr.WithZone("").Unmap()
	res := Result{Addr: addr, Special: netguard.Classify(addr), Reverse: ReverseName(addr)}
	if !addr.IsValid() {
		res.Verdict, res.Why = PermError, "it is no address"
		res.PTR, res.Confirmed = resolve.Absent, resolve.Absent
		return res
	}
	var wg sync.WaitGroup
	wg.Go(func() { res.reverse(ctx, r, opt) })
	helo := HELO{Given: opt.HELO}
	wg.Go(func() { helo.lookup(ctx, r, addr) })
	wg.Wait()
	res.settle()
	helo.compare(res)
	res.HELO = helo
	return res
}

// reverse finds the PTR names and looks each of them up forward.
func (r *Result) reverse(ctx context.Context, via resolve.Resolver, opt Options) {
	r.Answer, r.Err = via.Resolve(ctx, resolve.Question{Name: r.Reverse, Type: resolve.TypePTR})
	r.PTR = resolve.StateOf(r.Err)
	if r.PTR != resolve.Present {
		return
	}
	limit := MaxNames
	if opt.MaxNames > 0 {
		limit = min(limit, opt.MaxNames)
	}
	hosts := r.Answer.Hosts()
	seen := make(map[resolve.Name]bool, min(len(hosts), limit))
	for _, h := range hosts {
		switch {
		case seen[h.Name]:
			continue
		case len(r.Names) == limit:
			// RFC 8601, Section 3: a limit on the names keeps a zone with thousands
			// of them from costing thousands of lookups.
			r.Dropped++
			continue
		}
		seen[h.Name] = true
		r.Names = append(r.Names, Name{Name: h.Name})
	}
	var wg sync.WaitGroup
	for i := range r.Names {
		wg.Go(func() { r.Names[i].forward(ctx, via, r.Addr) })
	}
	wg.Wait()
}

// forward looks up a PTR name.
func (n *Name) forward(ctx context.Context, via resolve.Resolver, addr netip.Addr) {
	n.Problem = hostProblem(n.Name.String())
	n.Generic = LooksGeneric(n.Name, addr)
	l := lookup(ctx, via, n.Name, addr)
	n.Answer, n.Err, n.Addrs, n.Forward = l.answer, l.err, l.addrs, l.match
}

// found is an address lookup compared with an address.
type found struct {
	answer resolve.Answer
	err    error
	addrs  []netip.Addr
	match  resolve.State
}

// lookup asks for the addresses of a name in the family of an address.
func lookup(ctx context.Context, via resolve.Resolver, name resolve.Name, addr netip.Addr) found {
	return compare(ctx, via, resolve.Question{Name: name, Type: family(addr)}, addr)
}

func compare(ctx context.Context, via resolve.Resolver, q resolve.Question, addr netip.Addr) found {
	var f found
	f.answer, f.err = via.Resolve(ctx, q)
	f.match = resolve.StateOf(f.err)
	if f.match != resolve.Present {
		return f
	}
	f.match = resolve.Absent
	for _, a := range f.answer.Addrs() {
		got := a.Addr.Unmap()
		if got == addr {
			f.match = resolve.Present
		}
		if len(f.addrs) < maxAddrs {
			f.addrs = append(f.addrs, got)
		}
	}
	return f
}

func family(addr netip.Addr) resolve.Type {
	if addr.Is4() {
		return resolve.TypeA
	}
	return resolve.TypeAAAA
}

// settle draws the verdict of RFC 8601, Section 2.7.3.
func (r *Result) settle() {
	switch r.PTR {
	case resolve.Unavailable:
		r.Verdict, r.Confirmed = TempError, resolve.Unavailable
		r.Why = "whether there is a PTR record is unknown"
		return
	case resolve.Absent:
		// RFC 8601, Section 2.7.3: without PTR data the check cannot be completed.
		r.Verdict, r.Confirmed, r.Why = PermError, resolve.Absent, "there is no PTR record"
		return
	}
	r.Confirmed = resolve.Absent
	if r.Dropped > 0 {
		// What was not looked at may lead back.
		r.Confirmed = resolve.Unavailable
	}
	for _, n := range r.Names {
		switch n.Forward {
		case resolve.Present:
			r.Verdict, r.Confirmed, r.Why = Pass, resolve.Present, fmt.Sprintf("%s leads back to the address", n.Name)
			return
		case resolve.Unavailable:
			r.Confirmed = resolve.Unavailable
		}
	}
	switch {
	case r.Confirmed == resolve.Absent && len(r.Names) == 1:
		r.Verdict, r.Why = Fail, r.Names[0].mismatch()
	case r.Confirmed == resolve.Absent:
		r.Verdict, r.Why = Fail, fmt.Sprintf("none of %d PTR names leads back to the address", len(r.Names))
	case !slices.ContainsFunc(r.Names, func(n Name) bool { return n.Forward == resolve.Unavailable }):
		// Receivers stop at a limit too: for them it is a failure.
		r.Verdict, r.Why = Fail, fmt.Sprintf("none of the first %d of %d PTR names leads back to the address", len(r.Names), len(r.Names)+r.Dropped)
	default:
		r.Verdict, r.Why = TempError, "whether a PTR name leads back to the address is unknown"
	}
}

// mismatch tells how a single name does not lead back.
func (n Name) mismatch() string {
	if len(n.Addrs) == 0 {
		return fmt.Sprintf("the PTR name %s has no address of this kind", n.Name)
	}
	return fmt.Sprintf("the PTR name %s leads to %s, not back", n.Name, n.Addrs[0])
}
