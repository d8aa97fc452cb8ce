package insight

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Limits of what is listed; sums are over everything.
const (
	MaxSources   = 5000 // a forged domain has hundreds of thousands
	maxAddresses = 20
	maxHow       = 4 // reasons of one class of one source
	historyDays  = 90
)

// Sources tells who sends.
type Sources struct {
	Window   Window  `json:"window"`
	LeftOut  LeftOut `json:"left_out"`
	Messages int64   `json:"messages"`
	// List has the MaxSources with most messages; the others are in More.
	List []Source `json:"sources"`
	More Rest     `json:"more"`
	// NewKnown tells whether there are reports from before the window, so that
	// what is new can be told.
	NewKnown bool `json:"new_known"`
	// Unmatched are labels that fit no source: misspelt, or of other days.
	Unmatched []string `json:"labels_without_source"`
	// Unnamed are addresses that only their network is known of.
	Unnamed int `json:"unnamed_addresses"`
}

// Rest is what is not listed one by one.
type Rest struct {
	Sources  int   `json:"sources"`
	Messages int64 `json:"messages"`
	Failing  int64 `json:"failing"`
}

// Source is one sender of one policy domain.
type Source struct {
	Domain   string         `json:"domain"`
	Name     string         `json:"name"` // foreign text
	By       By             `json:"named_by"`
	Provider string         `json:"provider,omitempty"` // ID in the catalogue
	Kind     providers.Kind `json:"kind,omitempty"`
	New      bool           `json:"new"`

	archive.Counts
	Passed int64    `json:"passed"`
	Share  *float64 `json:"pass_share"` // 0 to 1
	// Aligned passes by mechanism; a message may be in both.
	DKIM int64 `json:"dkim_aligned"`
	SPF  int64 `json:"spf_aligned"`

	// Class is that of most of the mail, Classes tell it apart.
	Class      Class      `json:"class"`
	Confidence Confidence `json:"confidence"`
	Why        []string   `json:"why"`
	Classes    []Part     `json:"classes"`

	First     Date      `json:"first"`
	Last      Date      `json:"last"`
	Hosts     int       `json:"addresses"`
	Addresses []Address `json:"top_addresses"`
	Authors   []string  `json:"header_from"`
	Selectors []string  `json:"selectors"` // those of the owner's that passed
	Reporters int       `json:"reporters"`
	Fixes     []Fix     `json:"fixes"`
}

// Part is the mail of a source in one class.
type Part struct {
	Class      Class      `json:"class"`
	Confidence Confidence `json:"confidence"` // of most of it
	Messages   int64      `json:"messages"`
	Failing    int64      `json:"failing"` // without an aligned pass
	None       int64      `json:"none"`
	Quarantine int64      `json:"quarantine"`
	Reject     int64      `json:"reject"`
	Why        []string   `json:"why"`
	First      Date       `json:"first"`
	Last       Date       `json:"last"`
	Reporters  []string   `json:"reporters"`

	below int64 // of Failing, by an author below the policy domain
	sure  map[Confidence]int64
}

// Address is one address of a source.
type Address struct {
	Address  string   `json:"address"` // or what a report had in its place: foreign text
	Names    []string `json:"names"`
	Messages int64    `json:"messages"`
	Failing  int64    `json:"failing"`
}

// Sources tells who sends, by name, with what is to be done about it.
func (q Query) Sources(ctx context.Context) (*Sources, error) {
	s, err := q.sources(ctx, nil)
	if err != nil {
		return nil, err
	}
	if s.out.LeftOut, err = q.leftOut(ctx); err != nil {
		return nil, err
	}
	return &s.out, q.markNew(ctx, &s.out)
}

// analysis is an answer with what it was made of.
type analysis struct {
	out  Sources
	c    *collector
	days []archive.Total
}

// sources makes the answer, and shows each source to see, those with most messages
// first.
func (q Query) sources(ctx context.Context, see func(*Source)) (*analysis, error) {
	c, err := q.collect(ctx, q.filter())
	if err != nil {
		return nil, err
	}
	a := &analysis{c: c}
	if a.days, a.out.Window, err = q.days(ctx); err != nil {
		return nil, err
	}
	a.out.List = []Source{}
	for _, g := range q.groups(c) {
		if !q.named(g.id) {
			continue
		}
		s := q.source(c, g)
		a.out.Messages += s.Messages
		if s.By == ByNetwork {
			a.out.Unnamed += s.Hosts
		}
		if see != nil {
			see(&s)
		}
		if len(a.out.List) < MaxSources {
			a.out.List = append(a.out.List, s)
			continue
		}
		a.out.More.Sources++
		a.out.More.Messages += s.Messages
		a.out.More.Failing += s.Neither
	}
	a.out.Unmatched = q.unmatched(c)
	return a, nil
}

// named reports whether a source is one of those asked about.
func (q Query) named(id identity) bool {
	return len(q.Names) == 0 || slices.ContainsFunc(q.Names, func(n string) bool {
		return strings.EqualFold(n, id.name) || id.provider.ID != "" && strings.EqualFold(n, id.provider.ID)
	})
}

func (q Query) source(c *collector, g *group) Source {
	s := Source{Domain: g.domain, Name: g.id.name, By: g.id.by, Provider: g.id.provider.ID, Kind: g.id.provider.Kind, Hosts: len(g.hosts),
		Why: []string{}, Addresses: []Address{}, Authors: []string{}, Selectors: []string{}}
	if g.label != nil {
		s.By = ByLabel
	}
	parts := map[Class]*Part{}
	var reporters []string
	var first, last time.Time
	for _, h := range g.hosts {
		s.Counts.Add(h.counts)
		span(&first, &last, h.first, h.last)
		if len(s.Addresses) < maxAddresses {
			s.Addresses = append(s.Addresses, h.address())
		}
		for _, k := range h.kinds {
			v := q.classify(c, g, h, k)
			p := parts[v.class]
			if p == nil {
				p = &Part{Class: v.class, sure: map[Confidence]int64{}, Why: []string{}, Reporters: []string{}}
				parts[v.class] = p
			}
			p.add(k, v)
			s.Authors = add(s.Authors, maxAuthors, k.author)
			s.Selectors = add(s.Selectors, maxAuthors, k.keys...)
			reporters = add(reporters, archive.MaxFlowReporters, k.reporters...)
		}
	}
	s.First, s.Last, s.Reporters = date(first), date(last), len(reporters)
	s.Passed = s.Counts.Passed()
	s.Share = share(s.Passed, s.Messages)
	s.DKIM, s.SPF = s.Both+s.DKIMOnly, s.Both+s.SPFOnly
	for _, p := range parts {
		p.Confidence = p.most()
		s.Classes = append(s.Classes, *p)
	}
	slices.SortFunc(s.Classes, func(a, b Part) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), strings.Compare(string(a.Class), string(b.Class)))
	})
	if len(s.Classes) > 0 {
		s.Class, s.Confidence, s.Why = s.Classes[0].Class, s.Classes[0].Confidence, s.Classes[0].Why
	}
	s.Fixes = q.fixes(c, g, &s, parts)
	return s
}

func (p *Part) add(k *kind, v verdict) {
	p.Messages += k.counts.Messages
	p.Failing += k.counts.Neither
	if k.below {
		p.below += k.counts.Neither
	}
	p.None += k.counts.None
	p.Quarantine += k.counts.Quarantine
	p.Reject += k.counts.Reject
	p.sure[v.sure] += k.counts.Messages + 1
	p.Why = add(p.Why, maxHow, v.why...)
	p.Reporters = add(p.Reporters, archive.MaxFlowReporters, k.reporters...)
	first, last := p.First.Time, p.Last.Time
	span(&first, &last, k.first, k.last)
	p.First, p.Last = date(first), date(last)
}

// most is the confidence of most of the mail; of two, the lower one.
func (p *Part) most() Confidence {
	best := Confidence("")
	for _, c := range []Confidence{Low, Medium, High} {
		if p.sure[c] > p.sure[best] {
			best = c
		}
	}
	return best
}

func (h *host) address() Address {
	a := Address{Address: h.text, Names: []string{}, Messages: h.counts.Messages, Failing: h.counts.Neither}
	if h.addr.IsValid() {
		a.Address = h.addr.String()
	}
	a.Names = append(a.Names, h.names...)
	return a
}

// markNew finds the sources that were not there before the window.
func (q Query) markNew(ctx context.Context, s *Sources) error {
	if q.Since.IsZero() {
		return nil
	}
	b := q
	b.Until = archive.DayOf(q.Since).Time()
	b.Since = b.Until.AddDate(0, 0, -historyDays)
	c, err := q.collect(ctx, b.filter())
	if err != nil {
		return err
	}
	if s.NewKnown = len(c.hosts) > 0; !s.NewKnown {
		return nil
	}
	old := map[[2]string]bool{}
	addrs := map[hostKey]bool{}
	for _, g := range q.groups(c) {
		old[[2]string{g.domain, g.id.name}] = true
		for _, h := range g.hosts {
			addrs[hostKey{h.domain, h.addr, h.text}] = true
		}
	}
	for i := range s.List {
		x := &s.List[i]
		x.New = !old[[2]string{x.Domain, x.Name}] && !slices.ContainsFunc(x.Addresses, func(a Address) bool {
			ip, _ := netip.ParseAddr(a.Address)
			return addrs[hostKey{x.Domain, ip, ""}]
		})
	}
	return nil
}
