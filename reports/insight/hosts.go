package insight

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// feature is all of a record that its class may hang on.
type feature struct {
	dkim, spf bool

	broken string // selector and domain of a signature of the owner's that failed
	empty  bool   // no results at all

	spfOwn     aggregate.Result // of a domain of the owner's in MAIL FROM; empty: none was checked
	ownDomain  string           // that domain
	foreignSPF string           // another domain whose SPF passed
	foreignSig string           // another domain whose signature passed

	list, forward, arc, local bool // what the receiver gave as its reason
	below                     bool // the author is below the policy domain
	author                    string
}

// kind is the mail of a host that shares a feature.
type kind struct {
	feature
	counts      archive.Counts
	first, last time.Time
	reporters   []string
	keys        []string // of the owner's signatures that passed
	foreignFrom []string // what is not the owner's in MAIL FROM, whatever SPF said of it
}

// host is one address that sent with one policy domain.
type host struct {
	domain string
	addr   netip.Addr
	text   string // what the report had in its place
	kinds  []*kind
	counts archive.Counts
	first  time.Time
	last   time.Time
	names  []string // confirmed
}

type hostKey struct {
	domain string
	addr   netip.Addr
	text   string
}

// maxKinds bounds the kinds of one host, maxAuthors the authors that are told
// apart: a forger may invent any number.
const (
	maxKinds   = 200
	maxAuthors = 20
	maxKeys    = 8 // of the owner's that passed, of one kind
)

// collector reads flows into hosts.
type collector struct {
	orgs  map[string]string
	hosts map[hostKey]*host
	// ours are the selectors that passed for the policy domain's organization.
	ours map[string]int64
	near map[nearKey]bool // these are set by groups
	used map[*Label]bool
	// words keeps one copy of each text that many flows have.
	words map[string]string
}

func (q Query) collect(ctx context.Context, f archive.Filter) (*collector, error) {
	c := &collector{orgs: map[string]string{}, hosts: map[hostKey]*host{}, ours: map[string]int64{}, words: map[string]string{}}
	for flow, err := range q.Archive.Flows(ctx, f) {
		if err != nil {
			return nil, err
		}
		c.add(flow)
	}
	return c, c.name(ctx, q.Archive)
}

func (c *collector) org(name string) string {
	if name == "" {
		return ""
	}
	o, ok := c.orgs[name]
	if !ok {
		o = organization(name)
		c.orgs[name] = o
	}
	return o
}

// word gives the kept copy of a text.
func (c *collector) word(s string) string {
	if w, ok := c.words[s]; ok {
		return w
	}
	c.words[s] = s
	return s
}

func (c *collector) add(f *archive.Flow) {
	f.Domain = c.word(f.Domain)
	k := hostKey{f.Domain, f.Source, f.SourceText}
	h := c.hosts[k]
	if h == nil {
		h = &host{domain: f.Domain, addr: f.Source, text: f.SourceText}
		c.hosts[k] = h
	}
	ft, keys := c.feature(f.Domain, &f.Look)
	from := c.foreignFrom(f.Domain, &f.Look)
	counts := archive.CountsOf(&f.Look, f.Messages)
	counts.Rows = f.Rows
	h.counts.Add(counts)
	span(&h.first, &h.last, f.First, f.Last)
	if len(h.kinds) >= maxAuthors {
		ft.author = "" // enough authors are known to show some
	}
	i := slices.IndexFunc(h.kinds, func(x *kind) bool { return x.feature == ft })
	if i < 0 && len(h.kinds) >= maxKinds {
		ft = feature{dkim: ft.dkim, spf: ft.spf, below: ft.below, spfOwn: ft.spfOwn}
		i = slices.IndexFunc(h.kinds, func(x *kind) bool { return x.feature == ft })
	}
	if i < 0 {
		i = len(h.kinds)
		h.kinds = append(h.kinds, &kind{feature: ft})
	}
	x := h.kinds[i]
	x.counts.Add(counts)
	span(&x.first, &x.last, f.First, f.Last)
	for _, r := range f.Reporters {
		x.reporters = add(x.reporters, archive.MaxFlowReporters, c.word(r))
	}
	x.keys = add(x.keys, maxKeys, keys...)
	x.foreignFrom = add(x.foreignFrom, maxKeys, from)
}

func span(first, last *time.Time, a, b time.Time) {
	if first.IsZero() || !a.IsZero() && a.Before(*first) {
		*first = a
	}
	if b.After(*last) {
		*last = b
	}
}

// feature reads a record. The second result is the keys of the owner's signatures
// that passed.
func (c *collector) feature(domain string, l *archive.Look) (feature, []string) {
	var keys []string
	org := c.org(domain)
	f := feature{dkim: l.DKIM, spf: l.SPF, author: c.word(l.HeaderFrom), below: l.HeaderFrom != "" && l.HeaderFrom != domain,
		empty: len(l.Signatures)+len(l.Checks) == 0}
	for _, s := range l.Signatures {
		switch ours := s.Domain != "" && c.org(s.Domain) == org; {
		case ours && s.Result == aggregate.Pass:
			key := c.word(keyName(s.Selector, s.Domain))
			keys = add(keys, maxKeys, key)
			c.ours[key]++
		case ours && s.Result != aggregate.ResultNone && s.Result != "":
			f.broken = c.word(keyName(s.Selector, s.Domain))
		case !ours && s.Result == aggregate.Pass && f.foreignSig == "":
			f.foreignSig = c.word(s.Domain)
		}
	}
	for _, s := range l.Checks {
		if s.Scope == string(aggregate.HELO) && len(l.Checks) > 1 {
			continue // DMARC counts MAIL FROM
		}
		switch ours := s.Domain != "" && c.org(s.Domain) == org; {
		case ours:
			f.spfOwn, f.ownDomain = s.Result, c.word(s.Domain)
		case s.Result == aggregate.Pass && f.foreignSPF == "":
			f.foreignSPF = c.word(s.Domain)
		}
	}
	// Some reporters leave the SPF result out, and say in the envelope or in the
	// verdict what it was about.
	if f.ownDomain == "" && l.EnvelopeFrom != "" && c.org(l.EnvelopeFrom) == org {
		f.ownDomain = c.word(l.EnvelopeFrom)
	}
	if l.SPF && f.ownDomain == "" {
		f.ownDomain = c.word(cmp.Or(l.HeaderFrom, domain))
	}
	if l.SPF {
		f.spfOwn = aggregate.Pass
	}
	for _, r := range l.Reasons {
		text := strings.ToLower(r.Comment)
		switch aggregate.Override(r.Type) {
		case aggregate.MailingList:
			f.list = true
		case aggregate.Forwarded, aggregate.TrustedForwarder:
			f.forward = true
		case aggregate.LocalPolicy:
			f.local = true
		}
		// Google writes arc=pass into the comment of local_policy.
		f.arc = f.arc || strings.Contains(text, "arc=pass")
		f.list = f.list || strings.Contains(text, "mailing list")
	}
	return f, keys
}

// foreignFrom tells what was in MAIL FROM if it is not the owner's, and nothing if
// it is, or if the report does not say.
func (c *collector) foreignFrom(domain string, l *archive.Look) string {
	org, from, helo := c.org(domain), l.EnvelopeFrom, ""
	for _, s := range l.Checks {
		switch {
		case s.Domain == "":
		case s.Scope == string(aggregate.HELO):
			helo = s.Domain
		case c.org(s.Domain) == org:
			return ""
		default:
			from = cmp.Or(from, s.Domain)
		}
	}
	switch {
	case l.SPF || c.org(cmp.Or(from, helo)) == org:
		return ""
	case from == "" && helo != "":
		// RFC 7208, Section 2.4: with an empty MAIL FROM, the HELO name is checked.
		from = "empty and its HELO name " + helo
	}
	return c.word(from)
}

// nameChunk is how many addresses are asked for in one call.
const nameChunk = 500

// name adds what is remembered of reverse DNS.
func (c *collector) name(ctx context.Context, r archive.Reader) error {
	at := map[netip.Addr][]*host{}
	var addrs []netip.Addr
	for _, h := range c.hosts {
		if h.addr.IsValid() {
			if at[h.addr] == nil {
				addrs = append(addrs, h.addr)
			}
			at[h.addr] = append(at[h.addr], h)
		}
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	for part := range slices.Chunk(addrs, nameChunk) {
		names, err := r.Names(ctx, part)
		if err != nil {
			return err
		}
		for _, n := range names {
			for _, h := range at[n.Addr] {
				h.names = n.Names
			}
		}
	}
	return nil
}

// sorted gives the hosts, those with most messages first.
func (c *collector) sorted() []*host {
	out := make([]*host, 0, len(c.hosts))
	for _, h := range c.hosts {
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b *host) int {
		return cmp.Or(cmp.Compare(b.counts.Messages, a.counts.Messages), strings.Compare(a.domain, b.domain), a.addr.Compare(b.addr), strings.Compare(a.text, b.text))
	})
	return out
}
