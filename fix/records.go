package fix

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// records reads data in master file form.
func (c *Change) records(data []string) ([]resolve.Record, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var b strings.Builder
	for _, d := range data {
		// A line end would let data smuggle another record into the set.
		if strings.ContainsAny(d, "\r\n\x00") {
			return nil, fmt.Errorf("%s %s: line end or NUL in %.80q", c.Name, c.Type, d)
		}
		fmt.Fprintf(&b, "%s %d IN %s %s\n", c.Name.FQDN(), max(c.TTL, 1), c.Type, d)
	}
	z, err := zonetest.Parse(b.String(), zonetest.Options{World: true})
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", c.Name, c.Type, err)
	}
	out := z.Records(c.Name, c.Type)
	for i := range out {
		out[i].TTL = c.TTL
	}
	return out, nil
}

// NewRecords are the records after the change.
func (c Change) NewRecords() ([]resolve.Record, error) { return c.records(c.New) }

// OldRecords are the records before the change.
func (c Change) OldRecords() ([]resolve.Record, error) { return c.records(c.Old) }

// SameRecords tells whether two record sets hold the same data (RFC 2136,
// Section 1.1.1): order, TTL and the case of names do not matter. The strings
// of a TXT record do: a set that joins to the same text but is cut elsewhere
// is another set to a name server.
func SameRecords(a, b []resolve.Record) bool {
	return slices.Equal(keys(a), keys(b))
}

// SameText is [SameRecords] without regard to how texts are cut into strings:
// some providers cut them as they like, and readers join them.
func SameText(a, b []resolve.Record) bool {
	return slices.Equal(texts(a), texts(b))
}

func texts(rs []resolve.Record) []string {
	joined := slices.Clone(rs)
	for i, r := range joined {
		if d, ok := r.Data.(resolve.TXT); ok {
			joined[i].Data = resolve.SplitTXT(d.Joined())
		}
	}
	return keys(joined)
}

func keys(rs []resolve.Record) []string {
	var out []string
	for _, r := range rs {
		k := r.Data.String()
		if _, txt := r.Data.(resolve.TXT); !txt {
			k = strings.ToLower(k) // names compare without case; TXT is text
		}
		out = append(out, k)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Planned answers as the DNS would if the changes had been made: the changed
// record sets from them, all else from next.
func Planned(next resolve.Resolver, changes []Change) (resolve.Resolver, error) {
	p := &planned{next: next, sets: map[resolve.Question][]resolve.Record{}, names: map[resolve.Name]bool{}}
	for _, c := range changes {
		rs, err := c.NewRecords()
		if err != nil {
			return nil, err
		}
		p.sets[resolve.Question{Name: c.Name, Type: c.Type}] = rs
		p.names[c.Name] = p.names[c.Name] || len(rs) > 0
	}
	return p, nil
}

type planned struct {
	next  resolve.Resolver
	sets  map[resolve.Question][]resolve.Record
	names map[resolve.Name]bool // whether records are published at the name
}

func (p *planned) Resolve(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
	var chain []resolve.Alias
	asked := q
walk:
	for range resolve.MaxChain {
		if rs, ok := p.sets[q]; ok {
			a := resolve.Answer{Question: asked, Records: rs, Chain: chain, Server: "plan"}
			if len(rs) == 0 {
				return a, failed(asked, resolve.ErrNoData)
			}
			return a, nil
		}
		if rs, ok := p.sets[resolve.Question{Name: q.Name, Type: resolve.TypeCNAME}]; ok {
			if len(rs) == 0 { // an alias that goes leaves nothing at its name
				return resolve.Answer{Question: asked, Chain: chain, Server: "plan"}, failed(asked, resolve.ErrNoData)
			}
			to, ok := rs[0].Data.(resolve.Host)
			if !ok {
				return resolve.Answer{Question: asked, Chain: chain, Server: "plan"}, failed(asked, resolve.ErrMalformed)
			}
			chain = append(chain, resolve.Alias{Name: q.Name, Target: to.Name, TTL: rs[0].TTL})
			q.Name = to.Name
			continue
		}
		a, err := p.next.Resolve(ctx, q)
		for i, l := range a.Chain {
			if p.changed(l.Target, q.Type) {
				chain = append(chain, a.Chain[:i+1]...)
				q.Name = l.Target
				continue walk
			}
		}
		a.Question, a.Chain = asked, append(slices.Clip(chain), a.Chain...)
		if resolve.ReasonOf(err) == resolve.ErrNXDomain && p.within(a.Owner()) {
			return a, failed(asked, resolve.ErrNoData) // the name, or one below it, will exist
		}
		return a, err
	}
	return resolve.Answer{Question: asked, Chain: chain, Server: "plan"}, failed(asked, resolve.ErrAliasLoop)
}

// changed tells whether a question for the name is answered by the plan.
func (p *planned) changed(n resolve.Name, t resolve.Type) bool {
	_, ok := p.sets[resolve.Question{Name: n, Type: t}]
	_, alias := p.sets[resolve.Question{Name: n, Type: resolve.TypeCNAME}]
	return ok || alias
}

func (p *planned) within(n resolve.Name) bool {
	for name, published := range p.names {
		if published && name.Within(n) {
			return true
		}
	}
	return false
}

func failed(q resolve.Question, reason error) error {
	return &resolve.Error{Question: q, Reason: reason, Server: "plan"}
}
