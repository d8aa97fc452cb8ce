package insight

import (
	"context"
	"net/netip"
	"slices"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/set"
)

// Limits of Look.
const (
	MaxLiveDomains   = 50
	maxLiveIncludes  = 20  // of one domain
	maxLiveSelectors = 100 // of one domain
)

// Live is what DNS says now. Look makes one.
type Live struct {
	domains   map[string]*liveDomain
	selectors map[string]dkim.Result // by name
	Skipped   []string               // domains over MaxLiveDomains, and what is no domain
}

// liveDomain is what a policy domain publishes.
type liveDomain struct {
	name     resolve.Name
	spf      spf.Analysis
	pass     set.Set // addresses that the record passes whatever the sender
	complete bool
	includes []liveInclude
	dmarc    dmarc.Discovery
}

// liveInclude is a term that leads to another's record.
type liveInclude struct {
	target   resolve.Name
	provider providers.Provider
	known    bool // the provider
	pass     set.Set
}

// Look asks DNS for what the domains publish: SPF with all it includes, DMARC, and
// the keys of the selectors seen. A lookup that fails leaves that part unknown; the
// error is ctx's.
func Look(ctx context.Context, r resolve.Resolver, domains []string, seen []archive.Selector) (*Live, error) {
	l := &Live{domains: map[string]*liveDomain{}, selectors: map[string]dkim.Result{}}
	once := set.Once(r)
	for _, d := range domains {
		name, err := resolve.ParseName(d)
		if err != nil || len(l.domains) >= MaxLiveDomains {
			l.Skipped = append(l.Skipped, d)
			continue
		}
		v := &liveDomain{name: name, dmarc: dmarc.Discover(ctx, once, name, dmarc.Options{})}
		m, err := set.Resolve(ctx, once, name, spf.Options{})
		if err != nil {
			return l, err
		}
		v.spf, v.pass, v.complete = m.Analysis, m.With(spf.Pass), m.Complete()
		if v.spf.Root != nil {
			if err := v.follow(ctx, once, v.spf.Root); err != nil {
				return l, err
			}
		}
		l.domains[d] = v
		if err := l.keys(ctx, once, d, seen); err != nil {
			return l, err
		}
	}
	return l, ctx.Err()
}

// follow collects the includes, nested ones as well: a domain may keep its
// providers in a record of its own.
func (v *liveDomain) follow(ctx context.Context, r resolve.Resolver, n *spf.Node) error {
	for _, t := range n.Terms {
		if t.Child == nil || t.Target.IsZero() || len(v.includes) >= maxLiveIncludes {
			continue
		}
		p, known := providers.ByInclude(t.Target)
		if !known && t.Target.Within(v.name) {
			if err := v.follow(ctx, r, t.Child); err != nil {
				return err
			}
			continue
		}
		m, err := set.Resolve(ctx, r, t.Target, spf.Options{})
		if err != nil {
			return err
		}
		v.includes = append(v.includes, liveInclude{t.Target, p, known, m.With(spf.Pass)})
	}
	return nil
}

func (l *Live) keys(ctx context.Context, r resolve.Resolver, domain string, seen []archive.Selector) error {
	org := organization(domain)
	n := 0
	for _, s := range seen {
		key := keyName(s.Selector, s.Domain)
		if s.Selector == "" || organization(s.Domain) != org || n >= maxLiveSelectors {
			continue
		}
		if _, known := l.selectors[key]; known {
			continue
		}
		d, err := resolve.NameFromText(s.Domain)
		if err != nil {
			continue
		}
		n++
		l.selectors[key] = dkim.Lookup(ctx, r, d, s.Selector)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func keyName(selector, domain string) string { return selector + "._domainkey." + domain }

func (l *Live) of(domain string) *liveDomain {
	if l == nil {
		return nil
	}
	return l.domains[domain]
}

// key is what is published for a selector; false if it was not asked for.
func (l *Live) key(name string) (dkim.Result, bool) {
	if l == nil {
		return dkim.Result{}, false
	}
	r, ok := l.selectors[name]
	return r, ok
}

// authorizes reports whether the SPF record passes an address, and by which
// include, if it is one.
func (v *liveDomain) authorizes(a netip.Addr) (bool, *liveInclude) {
	if v == nil || !a.IsValid() || !v.pass.Contains(a) {
		return false, nil
	}
	for i := range v.includes {
		if v.includes[i].pass.Contains(a) {
			return true, &v.includes[i]
		}
	}
	return true, nil
}

// names reports whether the record includes a provider's.
func (v *liveDomain) names(id string) bool {
	return v != nil && slices.ContainsFunc(v.includes, func(i liveInclude) bool { return i.known && i.provider.ID == id })
}

// record is the text of the SPF record; empty if there is not exactly one.
func (v *liveDomain) record() string {
	if v == nil || v.spf.Root == nil {
		return ""
	}
	return v.spf.Root.Text
}
