package facts

import (
	"context"
	"errors"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Surroundings is what is known of the zone around the mail records.
type Surroundings struct {
	// SOA is Present if the domain is the apex of a zone, Absent if it is a name
	// within one. Yahoo looks for it.
	SOA Fact[resolve.SOA]
	// Zone is the zone's SOA record as answers show it, of the domain or of a name
	// above; nil if none did.
	Zone *resolve.Record

	// Wildcard holds the types that a name which nobody set up has below the
	// domain. It is asked only if the names of mail do not tell already.
	Wildcard      map[resolve.Type]resolve.Answer
	WildcardState resolve.State // Present, Absent, or Unavailable if it is unknown
	WildcardName  resolve.Name  // that was asked, if any
}

// unlikely is a label that nobody uses. It is fixed, so that caches help.
const unlikely = "mailcheck-no-such-name-7f3a91c2"

// surroundings works with the answers that are there, and asks little more.
func (g *gatherer) surroundings(ctx context.Context) {
	s := g.snap
	if s.MX.State == resolve.Unavailable && s.SPF.State == resolve.Unavailable ||
		errors.Is(s.MX.Err, resolve.ErrNXDomain) || errors.Is(s.SPF.Err, resolve.ErrNXDomain) {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { g.soa(ctx) })
	wg.Go(func() { g.wildcard(ctx) })
	wg.Wait()
}

// soa takes the SOA of a negative answer if one is there: it names the zone.
func (g *gatherer) soa(ctx context.Context) {
	s := g.snap
	for _, o := range g.memo.seen() {
		if o.Answer.SOA == nil || len(o.Answer.Chain) > 0 || !o.Answer.Question.Name.Within(s.Domain) || !s.Domain.Within(o.Answer.SOA.Name) {
			continue
		}
		d, ok := o.Answer.SOA.Data.(resolve.SOA)
		if !ok {
			continue
		}
		s.Around.Zone = o.Answer.SOA
		if o.Answer.SOA.Name == s.Domain {
			s.Around.SOA = Fact[resolve.SOA]{State: resolve.Present, Value: d, Trace: []resolve.Answer{o.Answer}}
			return
		}
	}
	a, err := g.memo.Resolve(ctx, resolve.Question{Name: s.Domain, Type: resolve.TypeSOA})
	f := Fact[resolve.SOA]{State: resolve.StateOf(err), Err: err, Trace: []resolve.Answer{a}}
	if err == nil && len(a.Records) > 0 {
		f.Value, _ = a.Records[0].Data.(resolve.SOA)
		s.Around.Zone = &a.Records[0]
	} else if a.SOA != nil && s.Around.Zone == nil {
		s.Around.Zone = a.SOA
	}
	s.Around.SOA = f
}

// wildcard finds out whether names that nobody set up exist below the domain.
// RFC 4592, Section 2.2.1: a name that is proven not to exist is covered by no
// wildcard, and mail has asked for such names already.
func (g *gatherer) wildcard(ctx context.Context) {
	s := g.snap
	w := &s.Around
	for _, d := range []struct {
		name resolve.Name
		err  error
	}{{s.Transport.STS.Name, s.Transport.STS.Err}, {s.Transport.TLSRPT.Name, s.Transport.TLSRPT.Err}} {
		if errors.Is(d.err, resolve.ErrNXDomain) {
			w.WildcardState = resolve.Absent
			return
		}
	}
	name, err := s.Domain.Below(unlikely)
	if err != nil {
		w.WildcardState = resolve.Absent
		return
	}
	w.WildcardName = name
	w.Wildcard = map[resolve.Type]resolve.Answer{}
	for _, t := range []resolve.Type{resolve.TypeMX, resolve.TypeTXT, resolve.TypeA} {
		a, err := g.memo.Resolve(ctx, resolve.Question{Name: name, Type: t})
		switch {
		case errors.Is(err, resolve.ErrNXDomain) && len(a.Chain) == 0:
			w.WildcardState = resolve.Absent
			return
		case err == nil || len(a.Chain) > 0:
			w.Wildcard[t] = a
		case resolve.StateOf(err) == resolve.Unavailable:
			return
		}
	}
	w.WildcardState = resolve.Absent // some servers say "no data" for names that do not exist
	if len(w.Wildcard) > 0 {
		w.WildcardState = resolve.Present
	}
}
