package narrow

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/set"
)

// What evidence has to have so that nothing is said against it. They are ours:
// a month holds what is sent weekly and monthly, not what is sent once a year.
const (
	EnoughDays  = 30
	EnoughMails = 1000
)

// Ranges wider than these are replaced by what was seen in them. A smaller one
// is likely the domain's own network, with hosts that stand by.
const (
	wide4    = 24
	wide6    = 48
	maxTerms = 8  // that take the place of one range
	host6    = 64 // hosts change their address within this
)

// Reasons to propose nothing.
var (
	ErrNoEvidence = errors.New("narrow: no legitimate mail of the domain was seen, so nothing can be concluded")
	ErrUnknown    = errors.New("narrow: a lookup failed, so what passes is not known")
	ErrRecord     = errors.New("narrow: there is no usable record")
	ErrProof      = errors.New("narrow: the proposal would refuse mail that passes now")
)

// Options are settings of Propose. The zero value is usable.
type Options struct {
	// Exact shrinks every range to what was seen, also small ones.
	Exact bool
}

// Action is what becomes of a term.
type Action string

// The actions.
const (
	Keep    Action = "keep"
	Drop    Action = "drop"
	Replace Action = "replace"
)

// Step is what becomes of one term of the record, and why.
type Step struct {
	Term   string
	Action Action
	New    string // terms in its place, for Replace
	Why    string

	Hosts int    // legitimate hosts that pass by it
	Mails uint64 // from them

	Stops  set.Set // addresses that pass no longer after this step
	Record string  // after this step and those before it
}

// Plan is what Propose found.
type Plan struct {
	Domain        resolve.Name
	Old, New      string
	Before, After int // lookups, worst case
	Steps         []Step

	Days  int    // that the evidence covers; 0: not known
	Hosts int    // legitimate ones with the domain in MAIL FROM
	Mails uint64 // from them

	Thin []string // why the evidence does not carry the proposal; none if it does

	NotPassing []Host // legitimate, and not passing today: the proposal does not change that
	Refused    []Host // not legitimate, passing today and not any more
	Passing    []Host // not legitimate, and passing still
	Elsewhere  uint64 // mails with another domain in MAIL FROM: this record does not matter to them

	Changes []set.Difference // between Old and New, proven for every address
}

// Propose finds the narrowest record that passes all the legitimate mail that
// passes today.
func Propose(ctx context.Context, r resolve.Resolver, domain resolve.Name, e Evidence, opt Options) (Plan, error) {
	p := Plan{Domain: domain, Days: e.Days}
	r = set.Once(r)
	before, err := set.Resolve(ctx, r, domain, spf.Options{})
	if err != nil {
		return p, err
	}
	root := before.Analysis.Root
	switch {
	case len(before.Unknown) > 0:
		return p, fmt.Errorf("%w: %w", ErrUnknown, before.Unknown[0])
	case before.Truncated:
		return p, fmt.Errorf("%w: the tree is too large to be followed", ErrUnknown)
	case root == nil || len(root.Syntax) > 0:
		return p, fmt.Errorf("%w at %s", ErrRecord, domain)
	}
	p.Old, p.New, p.Before = root.Text, root.Text, before.Analysis.Lookups
	u, err := p.attribute(ctx, r, root, e)
	if err != nil {
		return p, err
	}
	if p.Hosts == 0 {
		return p, ErrNoEvidence
	}
	p.thin()
	if err := p.decide(ctx, r, before, u, opt); err != nil {
		return p, err
	}
	return p, p.prove(ctx, r, before, u, e)
}

// use is what passes by each term of the record.
type use struct {
	hosts [][]Host // by index of the term
	pass  []Host   // all of them
}

// attribute finds the term that each host passes by.
func (p *Plan) attribute(ctx context.Context, r resolve.Resolver, root *spf.Node, e Evidence) (use, error) {
	u := use{hosts: make([][]Host, len(root.Record.Terms))}
	cache := spf.NewCache(0)
	for _, h := range e.Hosts {
		if !h.Domain.IsZero() && h.Domain != p.Domain {
			p.Elsewhere += h.Count
			continue
		}
		res := check(ctx, r, p.Domain, h, cache)
		if res.Status == spf.TempError {
			return u, fmt.Errorf("%w: for %s: %w", ErrUnknown, h.IP, res.Err)
		}
		switch {
		case !h.Legitimate && res.Status == spf.Pass:
			p.Passing = append(p.Passing, h)
		case h.Legitimate:
			p.Hosts++
			p.Mails += h.Count
			if res.Status != spf.Pass {
				p.NotPassing = append(p.NotPassing, h)
				continue
			}
			i := root.Record.RedirectIndex()
			if res.Record == p.Domain {
				i = slices.IndexFunc(root.Record.Terms, func(t spf.Term) bool { return t.Text == res.Term })
			}
			if i < 0 {
				return u, fmt.Errorf("%w: %s passes by %q, which is not in it", ErrRecord, h.IP, res.Term)
			}
			u.hosts[i], u.pass = append(u.hosts[i], h), append(u.pass, h)
		}
	}
	return u, nil
}

func check(ctx context.Context, r resolve.Resolver, domain resolve.Name, h Host, cache *spf.Cache) spf.Result {
	return spf.Check(ctx, r, spf.Args{IP: h.IP, Helo: domain.String(), MailFrom: domain.String()}, spf.Options{Cache: cache, Serial: true})
}

// thin lists what the evidence lacks.
func (p *Plan) thin() {
	switch {
	case p.Days == 0:
		p.Thin = append(p.Thin, "it does not tell how many days it covers")
	case p.Days < EnoughDays:
		p.Thin = append(p.Thin, fmt.Sprintf("it covers %d days; what is sent once a month takes %d", p.Days, EnoughDays))
	}
	if p.Mails < EnoughMails {
		p.Thin = append(p.Thin, fmt.Sprintf("it holds %d legitimate mails; below %d, a sender that is used seldom may not be among them", p.Mails, EnoughMails))
	}
	if n := len(p.NotPassing); 2*n > p.Hosts {
		p.Thin = append(p.Thin, fmt.Sprintf("%d of its %d legitimate hosts do not pass today, so it may not be about this record", n, p.Hosts))
	}
}

// decide goes through the terms in order and resolves the record after each step
// that changes it.
func (p *Plan) decide(ctx context.Context, r resolve.Resolver, before set.Map, u use, opt Options) error {
	root := before.Analysis.Root
	record, last := root.Record, before
	removed := 0 // terms that the steps before took away, less those they added
	for i, t := range root.Record.Terms {
		s := judge(root, i, u.hosts[i], opt)
		s.Term, s.Hosts = t.Text, len(u.hosts[i])
		for _, h := range u.hosts[i] {
			s.Mails += h.Count
		}
		if s.Why == "" { // modifiers and what does not authorize anybody
			continue
		}
		if s.Action == Drop {
			s.Why = fmt.Sprintf("nothing legitimate passed by it: %s", p.basis())
		}
		if s.Action != Keep {
			next, err := record.Replace(i-removed, s.New)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrRecord, err)
			}
			removed += len(record.Terms) - len(next.Terms)
			m, err := set.Resolve(ctx, set.WithRecords(r, map[resolve.Name]string{p.Domain: next.Text}), p.Domain, spf.Options{})
			if err != nil {
				return err
			}
			for _, d := range set.Diff(last, m) {
				if d.Kind == set.Lose {
					s.Stops = s.Stops.Union(d.Set)
				}
			}
			record, last = next, m
		}
		s.Record = record.Text
		p.Steps = append(p.Steps, s)
	}
	p.New, p.After = record.Text, last.Analysis.Lookups
	p.Changes = set.Diff(before, last)
	return nil
}

func counted[N int | int64 | uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// basis is what a step rests on.
func (p *Plan) basis() string {
	period := "in a period that is not known"
	if p.Days > 0 {
		period = "in " + counted(p.Days, "day")
	}
	return fmt.Sprintf("none of %s from %s %s", counted(p.Mails, "mail"), counted(p.Hosts, "host"), period)
}

// prove evaluates each host again, as a receiver does, and refuses changes that
// are none of narrowing.
func (p *Plan) prove(ctx context.Context, r resolve.Resolver, before set.Map, u use, e Evidence) error {
	next := set.WithRecords(r, map[resolve.Name]string{p.Domain: p.New})
	cache := spf.NewCache(0)
	for _, h := range u.pass {
		if res := check(ctx, next, p.Domain, h, cache); res.Status != spf.Pass {
			return fmt.Errorf("%w: %s would get %s", ErrProof, h.IP, res.Status)
		}
	}
	for _, d := range p.Changes {
		if d.Kind != set.Lose && !d.Repairs() {
			return fmt.Errorf("%w: %s: %s, and then %s", ErrProof, d.Set, d.Old, d.New)
		}
	}
	was := p.Passing
	p.Passing = nil
	for _, h := range was {
		if res := check(ctx, next, p.Domain, h, cache); res.Status == spf.Pass {
			p.Passing = append(p.Passing, h)
		} else {
			p.Refused = append(p.Refused, h)
		}
	}
	return ctx.Err()
}
