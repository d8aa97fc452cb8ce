package dnsbl

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Limits of one call. They are ours: every target costs a question to each list.
const (
	MaxTargets = 64  // addresses, and as many domains
	MaxLists   = 128 // lists
	parallel   = 8   // questions under way at once
)

// Options tune [Check]. The zero value asks all lists of the catalogue and takes
// the resolver for one's own.
type Options struct {
	Lists []List // nil: those of [Lists]
	// Public says that the resolver is a public one. Lists that do not answer those
	// are not asked then, and are unusable with that reason. See [PublicResolver].
	Public bool
	// NoText leaves out the question for the reason of a listing.
	NoText bool
	// Controls keeps the tests of the lists between calls of one run. Nil: they are
	// made anew in each call. It belongs to one resolver.
	Controls *Controls
}

// Report is the outcome of [Check].
type Report struct {
	Tests   []Test   // of each list and kind that was needed, in the order of the lists
	Results []Result // targets in the order given, for each the lists in their order
	Left    int      // targets and lists beyond the limits, not asked
}

// Listed lists the results that are listings.
func (r Report) Listed() []Result { return r.with(resolve.Present) }

// Unknown lists the results that nothing can be said of.
func (r Report) Unknown() []Result { return r.with(resolve.Unavailable) }

func (r Report) with(s resolve.State) []Result {
	var out []Result
	for _, x := range r.Results {
		if x.Listed == s {
			out = append(out, x)
		}
	}
	return out
}

// Result is what one list says of one target.
type Result struct {
	List   List
	Addr   netip.Addr   // the target, if it is an address
	Domain resolve.Name // the target, if it is a domain
	Query  resolve.Name // what was asked; no name if nothing was

	// Listed is Present if the list names the target, Absent if it does not and
	// passed its test, Unavailable if it is unknown.
	Listed  resolve.State
	Why     string   // in words, safe to show
	Hits    []Hit    // what the answer means
	Reasons []string // the list's own words, shortened: foreign text
	Delist  string   // URL, empty if not known
	Answer  resolve.Answer
	Err     error // of the lookup
}

// Target is the address or domain as text.
func (r Result) Target() string {
	if r.Addr.IsValid() {
		return r.Addr.String()
	}
	return r.Domain.String()
}

// Policy reports whether all codes are about what the address is for, not about
// what it did.
func (r Result) Policy() bool {
	for _, h := range r.Hits {
		if !h.Policy {
			return false
		}
	}
	return len(r.Hits) > 0
}

// Check asks the lists about addresses and domains. Each list is tested first. There
// is no error: what could not be found out is Unavailable in the report.
func Check(ctx context.Context, r resolve.Resolver, opt Options, addrs []netip.Addr, domains []resolve.Name) Report {
	lists := opt.Lists
	if lists == nil {
		lists = Lists()
	}
	var rep Report
	lists, rep.Left = limit(lists, MaxLists, rep.Left)
	addrs, rep.Left = limit(addrs, MaxTargets, rep.Left)
	domains, rep.Left = limit(domains, MaxTargets, rep.Left)
	if opt.Controls == nil {
		opt.Controls = new(Controls)
	}
	c := checker{resolver: r, opt: opt, slots: make(chan struct{}, parallel)}
	for _, a := range addrs {
		a = a.WithZone("").Unmap()
		for _, l := range lists {
			if a.IsValid() && l.Has(kindOf(a)) {
				rep.Results = append(rep.Results, Result{List: l, Addr: a})
			}
		}
	}
	for _, d := range domains {
		for _, l := range lists {
			if !d.IsZero() && l.Has(Domain) {
				rep.Results = append(rep.Results, Result{List: l, Domain: d})
			}
		}
	}
	var wg sync.WaitGroup
	for i := range rep.Results {
		wg.Go(func() { c.result(ctx, &rep.Results[i]) })
	}
	wg.Wait()
	rep.Tests = c.tests(rep.Results)
	return rep
}

func limit[T any](s []T, most, left int) ([]T, int) {
	n := min(len(s), most)
	return s[:n], left + len(s) - n
}

func kindOf(a netip.Addr) Kind {
	if a.Is4() {
		return IP4
	}
	return IP6
}

func (r Result) kind() Kind {
	if r.Addr.IsValid() {
		return kindOf(r.Addr)
	}
	return Domain
}

type checker struct {
	resolver resolve.Resolver
	opt      Options
	slots    chan struct{}
}

// ask asks one question when there is room for it.
func (c *checker) ask(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrCanceled, Question: q, Err: ctx.Err()}
	}
	return c.resolver.Resolve(ctx, q)
}

func (c *checker) result(ctx context.Context, r *Result) {
	t := c.test(ctx, r.List, r.kind())
	if !t.Usable {
		r.Why = "the list cannot be used: " + t.Why
		return
	}
	var err error
	if r.Addr.IsValid() {
		r.Query, err = QueryAddr(r.List.Zone, r.Addr)
	} else {
		r.Query, err = QueryDomain(r.List.Zone, r.Domain)
	}
	if err != nil {
		r.Why, r.Err = "no question can be made: the name would be too long", err
		return
	}
	r.Answer, r.Err = c.ask(ctx, resolve.Question{Name: r.Query, Type: resolve.TypeA})
	switch resolve.StateOf(r.Err) {
	case resolve.Absent:
		r.Listed, r.Why = resolve.Absent, "not listed"
		return
	case resolve.Unavailable:
		r.Why = "the list did not answer"
		return
	}
	read := r.List.read(r.Answer.Addrs())
	switch {
	case read.refused != "":
		r.Why = read.refused
		return
	case len(read.hits) == 0:
		r.Why = read.foreign
		if r.Why == "" {
			r.Why = "the answer holds no address"
		}
		return
	}
	r.Listed, r.Hits = resolve.Present, read.hits
	r.Why = fmt.Sprintf("listed: %s", read.hits[0].Meaning)
	r.Delist = r.List.DelistURL(r.Target())
	if !c.opt.NoText {
		if a, err := c.ask(ctx, resolve.Question{Name: r.Query, Type: resolve.TypeTXT}); err == nil {
			r.Reasons = reasons(a.TXT())
		}
	}
}
