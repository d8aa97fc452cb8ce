package facts

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// Limits on what a caller may ask for in one snapshot.
const (
	maxAddresses = 64
	maxSelectors = 128
)

// gatherer holds what the parts of one gathering share.
type gatherer struct {
	snap *Snapshot
	memo *memo
	helo string
	mu   sync.Mutex // guards snap

	mxDone  chan struct{}  // closed once the MX records, not yet their addresses, are known
	mxHosts []resolve.Name // readable then
}

func (g *gatherer) lock(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
}

// mxKnown publishes the MX records before their hosts are looked up.
func (g *gatherer) mxKnown(list []Exchange) {
	for _, x := range list {
		g.mxHosts = append(g.mxHosts, x.Host)
	}
	close(g.mxDone)
}

// Gather looks up everything the rules need to know of a domain. Lookups run
// concurrently, each as soon as the names it needs are known. There is no error:
// what could not be found out is Unavailable in the snapshot.
func Gather(ctx context.Context, r resolve.Resolver, domain resolve.Name, opt Options) *Snapshot {
	now := opt.Now
	if now == nil {
		now = time.Now
	}
	m := newMemo(ctx, r)
	s := &Snapshot{Domain: domain, At: now(), Resolver: opt.Resolver, Optional: opt.Optional, memo: m, gaps: map[Set]error{}}
	g := &gatherer{snap: s, memo: m, helo: opt.HELO, mxDone: make(chan struct{})}
	opt.Selectors = opt.Selectors[:min(len(opt.Selectors), maxSelectors)]
	opt.Addresses = opt.Addresses[:min(len(opt.Addresses), maxAddresses)]

	var wg sync.WaitGroup
	var known sync.WaitGroup // MX and SPF: what senders are derived from
	known.Add(2)
	wg.Go(func() {
		defer known.Done()
		g.mx(ctx)
	})
	wg.Go(func() {
		defer known.Done()
		a, _ := spf.Analyze(ctx, m, domain, spf.Options{}) // the error is that of ctx, and stands in the analysis
		g.lock(func() { s.SPF = a })
	})
	wg.Go(func() { g.brand(ctx, opt, g.dmarc(ctx)) })
	wg.Go(func() { g.listings(ctx, opt) })
	wg.Go(func() { g.dkim(ctx, opt.Selectors) })
	wg.Go(func() { g.transport(ctx, opt) })
	senders := make([]Sender, len(opt.Addresses))
	for i, a := range opt.Addresses {
		wg.Go(func() { senders[i] = g.sender(ctx, a) })
	}
	var derived []Sender
	if !opt.GivenOnly {
		wg.Go(func() {
			known.Wait()
			derived = g.derived(ctx, opt.Addresses)
		})
	}
	wg.Wait()
	s.Senders = append(senders, derived...)
	g.misplaced(ctx)
	g.surroundings(ctx)
	g.loops(ctx)
	s.settle()
	s.Elapsed = now().Sub(s.At)
	return s
}

// dmarc finds the policy, then checks where its reports go.
func (g *gatherer) dmarc(ctx context.Context) dmarc.Discovery {
	d := dmarc.Discover(ctx, g.memo, g.snap.Domain, dmarc.Options{})
	var dest []dmarc.Destination
	if len(d.Policy.Record.RUA)+len(d.Policy.Record.RUF) > 0 {
		dest = dmarc.CheckDestinations(ctx, g.memo, d)
	}
	g.lock(func() { g.snap.DMARC, g.snap.Reports = d, dest })
	return d
}

// dkim looks for keys under the selectors given, and under those of the
// providers that the MX and SPF records name.
func (g *gatherer) dkim(ctx context.Context, given []string) {
	domain := g.snap.Domain
	var wg sync.WaitGroup
	// The answers are shared through the memo: asking early saves a round trip.
	if n, err := domain.Below("_domainkey"); err == nil {
		wg.Go(func() { g.memo.Resolve(ctx, resolve.Question{Name: n, Type: resolve.TypeTXT}) })
	}
	a, err := g.memo.Resolve(ctx, resolve.Question{Name: domain, Type: resolve.TypeTXT})
	<-g.mxDone
	var includes []resolve.Name
	if err == nil {
		includes = spfTargets(a)
	}
	var candidates []string
	for _, c := range providers.Selectors(g.mxHosts, includes) {
		candidates = append(candidates, c.Selector)
	}
	opt := dkim.Options{Selectors: given, Candidates: candidates}
	d := dkim.Discover(ctx, g.memo, domain, opt)
	if len(given) == 0 && d.Conclusion == dkim.KeysUnknown && d.Domainkey.State != resolve.Unavailable {
		// Only where selectors can exist and no better source names one: this costs
		// some 30 queries.
		opt.Common = true
		d = dkim.Discover(ctx, g.memo, domain, opt)
	}
	wg.Wait()
	g.lock(func() { g.snap.DKIM = d })
}

// spfTargets lists the names that the SPF record at the apex includes.
func spfTargets(a resolve.Answer) []resolve.Name {
	var out []resolve.Name
	for _, t := range a.TXT() {
		for _, text := range spf.Select([]string{t.Joined()}).Records {
			rec, _ := spf.Parse(text)
			for _, x := range rec.Terms {
				if (x.Kind != spf.Include && x.Kind != spf.Redirect) || x.Macro {
					continue
				}
				if n, err := resolve.NameFromText(x.Domain); err == nil {
					out = append(out, n)
				}
			}
		}
	}
	return out
}

// misplaced looks for records where people put them by mistake, if they are
// not where they belong.
func (g *gatherer) misplaced(ctx context.Context) {
	s := g.snap
	if s.Exists == resolve.Absent {
		return
	}
	twice := strings.TrimSuffix(s.Domain.FQDN(), ".") // a zone editor appends the zone to a name without its final dot
	var wg sync.WaitGroup
	probe := func(kind string, right resolve.Name, labels ...string) {
		for _, l := range labels {
			n, err := s.Domain.Below(l)
			if err != nil {
				continue
			}
			wg.Go(func() { g.probe(ctx, kind, n, right) })
		}
	}
	if s.SPF.State == resolve.Absent {
		probe("spf", s.Domain, "_spf", "spf", twice)
	}
	if d, err := s.Domain.Below("_dmarc"); err == nil && s.DMARC.Policy.Domain.IsZero() && s.DMARC.Legacy.State == resolve.Absent {
		probe("dmarc", d, "dmarc", "_dmarc."+twice)
		g.apex("dmarc", d)
	}
	for _, k := range s.DKIM.Results {
		if k.State == resolve.Absent && k.Given && !k.Name.IsZero() {
			probe("dkim", k.Name, k.Selector+"._domainkey."+twice, k.Selector)
		}
	}
	wg.Wait()
}

func (g *gatherer) probe(ctx context.Context, kind string, name, right resolve.Name) {
	a, err := g.memo.Resolve(ctx, resolve.Question{Name: name, Type: resolve.TypeTXT})
	if err == nil {
		g.lock(func() { g.file(kind, a, name, right) })
	}
}

// apex looks at the TXT records of the domain itself, which are known already.
func (g *gatherer) apex(kind string, right resolve.Name) {
	g.lock(func() { g.file(kind, g.snap.SPF.Answer, g.snap.Domain, right) })
}

// file notes the texts of an answer that are records of the kind.
func (g *gatherer) file(kind string, a resolve.Answer, name, right resolve.Name) {
	for _, t := range a.TXT() {
		text := t.Joined()
		is := false
		switch kind {
		case "spf":
			is = len(spf.Select([]string{text}).Records) > 0
		case "dmarc":
			is = dmarc.Classify(text) == dmarc.ClassRecord
		case "dkim":
			rec, err := dkim.ParseRecord(text)
			is = !errors.Is(err, dkim.ErrNotKey) && rec.Key.Public() != nil
		}
		if is {
			g.snap.Misplaced = append(g.snap.Misplaced, Misplaced{Kind: kind, Name: name, Right: right, Text: text})
		}
	}
}

// settle works out what follows from all facts together.
func (s *Snapshot) settle() {
	txt, mx := s.SPF.Err, s.MX.Err
	switch {
	case errors.Is(txt, resolve.ErrNXDomain) || errors.Is(mx, resolve.ErrNXDomain):
		s.Exists = resolve.Absent // RFC 8020: nothing is at or below the name
	case resolve.StateOf(txt) != resolve.Unavailable || resolve.StateOf(mx) != resolve.Unavailable:
		s.Exists = resolve.Present
	default:
		s.gap(Existence, txt)
	}
	if s.MX.State == resolve.Unavailable {
		s.gap(MX, s.MX.Err)
		s.gap(MXHosts, s.MX.Err)
	}
	for _, x := range s.MX.Value.Exchanges {
		if !x.Null && !x.Literal.IsValid() && x.State() == resolve.Unavailable {
			s.gap(MXHosts, errors.Join(x.V4.Err, x.V6.Err))
		}
	}
	if s.SPF.State == resolve.Unavailable {
		s.gap(SPF, s.SPF.Err)
		s.gap(SPFTree, s.SPF.Err)
	}
	if len(s.SPF.Unknown) > 0 {
		s.gap(SPFTree, &s.SPF.Unknown[0])
	}
	if s.DMARC.Policy.State == resolve.Unavailable {
		s.gap(DMARC, s.DMARC.Policy.Err)
		s.gap(DMARCReports, s.DMARC.Policy.Err)
	}
	for _, k := range s.DKIM.Results {
		if k.State == resolve.Unavailable {
			s.gap(DKIM, k.Err)
		}
	}
	if k := s.DKIM.Domainkey; k.State == resolve.Unavailable && s.DKIM.Conclusion != dkim.KeyFound {
		s.gap(DKIM, k.Err)
	}
	s.settleTransport()
	if len(s.GivenSenders()) == 0 {
		s.gap(Senders, errNoAddresses)
	}
	s.classify()
}
