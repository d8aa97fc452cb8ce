package zonetest

import (
	"context"
	"errors"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// outcome is what the zone knows of one name, before aliases are followed.
type outcome uint8

const (
	outside  outcome = iota // not held
	referral                // delegated
	nxdomain
	nodata
	alias
	found
)

type hop struct {
	outcome outcome
	set     *rrset // found; shared
	owner   bool   // set is a wildcard's, so the owner is to be put in
	alias   resolve.Alias
	origin  *origin
	cut     resolve.Name
}

// Holds reports whether the zone speaks for a name: n is at or below an origin
// and not at or below a delegation. A World zone holds every name.
func (z *Zone) Holds(n resolve.Name) bool {
	if z.world {
		return !n.IsZero()
	}
	if d := z.nodes[n]; d != nil {
		return d.origin != nil && d.cut.IsZero()
	}
	_, o := z.originOf(n)
	return o != nil && z.cutAbove(n).IsZero()
}

// Resolve implements [resolve.Resolver]. It follows aliases as long as the zone
// holds their targets; see [resolve.Zone] for how it reports the others. At a
// name with a CNAME and other data, the CNAME is the answer for every type, as
// RFC 1034, Section 4.3.2 has a server look for it first.
func (z *Zone) Resolve(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
	if err := ctx.Err(); err != nil {
		return resolve.Answer{Question: q}, z.gaveUp(q, err)
	}
	if q.Name.IsZero() || meta(q.Type) {
		a := resolve.Answer{Question: q, RCode: resolve.NotImp}
		return a, &resolve.Error{Reason: resolve.ErrServFail, Question: q, Server: z.file, RCode: resolve.NotImp, Detail: "no type of a record, or no name"}
	}
	var chain []resolve.Alias
	at := q.Name
	for {
		if f := z.faultAt(at, q.Type); f != nil {
			if a, err := z.suffer(ctx, f, q, chain); err != nil {
				return a, err
			}
		}
		h := z.find(at, q.Type)
		if h.outcome != alias {
			return z.conclude(q, at, chain, h)
		}
		chain = append(chain, h.alias)
		if len(chain) > resolve.MaxChain || loops(chain) {
			a := z.blank(q, chain, h.origin)
			return a, &resolve.Error{Reason: resolve.ErrAliasLoop, Question: q, Server: a.Server}
		}
		at = h.alias.Target
	}
}

// meta reports the types that no record has (RFC 6895, Section 3.1), but for OPT
// and the like: 0, and the question types from 128 to 255, among them ANY.
func meta(t resolve.Type) bool { return t == 0 || t >= 128 && t <= 255 }

func loops(chain []resolve.Alias) bool {
	last := chain[len(chain)-1].Target
	for _, c := range chain {
		if c.Name == last {
			return true
		}
	}
	return false
}

// find looks a name up (RFC 1034, Section 4.3.2, with RFC 4592, Section 3.3.1).
func (z *Zone) find(name resolve.Name, t resolve.Type) hop {
	if n := z.nodes[name]; n != nil && (n.origin != nil || z.world) {
		if !n.cut.IsZero() && (t != resolve.TypeDS || n.cut != name) { // RFC 4035, Section 3.1.4.1: DS lives above the cut.
			return hop{outcome: referral, origin: n.origin, cut: n.cut}
		}
		return n.answer(name, t, false)
	}
	_, o := z.originOf(name)
	if o == nil && !z.world {
		return hop{outcome: outside}
	}
	encloser := name.Parent()
	for z.nodes[encloser] == nil { // ends at the apex at the latest, or at the root
		encloser = encloser.Parent()
	}
	n := z.nodes[encloser]
	if !n.cut.IsZero() {
		return hop{outcome: referral, origin: o, cut: n.cut}
	}
	if !n.dname.IsZero() {
		// RFC 6672, Section 2.2: what is below the owner moves below the target.
		if target, ok := substitute(name, encloser, n.dname); ok {
			ttl := n.set(typeDNAME).answer.Records[0].TTL
			return hop{outcome: alias, alias: resolve.Alias{Name: name, Target: target, TTL: ttl}, origin: o}
		}
	}
	if w := z.wild[encloser]; w != nil {
		h := w.answer(name, t, true)
		h.origin = o
		return h
	}
	return hop{outcome: nxdomain, origin: o}
}

// answer is what a name says to a question that is its own, or that it takes as
// a wildcard.
func (n *node) answer(name resolve.Name, t resolve.Type, wild bool) hop {
	s := n.set(t)
	if n.alias != nil && t != resolve.TypeCNAME && (s == nil || t != resolve.TypeRRSIG && t != resolve.TypeNSEC) {
		to := n.alias.Data.(resolve.Host).Name
		return hop{outcome: alias, alias: resolve.Alias{Name: name, Target: to, TTL: n.alias.TTL}, origin: n.origin}
	}
	if s == nil {
		return hop{outcome: nodata, origin: n.origin}
	}
	return hop{outcome: found, set: s, owner: wild, origin: n.origin}
}

func substitute(name, owner, target resolve.Name) (resolve.Name, bool) {
	head := name.String()
	if !owner.IsRoot() {
		head = head[:len(head)-len(owner.String())-1]
	}
	if !target.IsRoot() {
		head += "." + target.String()
	}
	n, err := resolve.NameFromMaster(head)
	return n, err == nil
}

// conclude makes the answer from the last hop.
func (z *Zone) conclude(q resolve.Question, at resolve.Name, chain []resolve.Alias, h hop) (resolve.Answer, error) {
	if h.outcome == found {
		a := h.set.answer
		if h.owner {
			a.Records = owned(a.Records, at)
		}
		a.Question, a.Chain = q, chain
		if z.clock != nil {
			a.At = z.clock()
		}
		return a, nil
	}
	a := z.blank(q, chain, h.origin)
	e := &resolve.Error{Question: q, Server: a.Server}
	switch h.outcome {
	case nodata:
		e.Reason = resolve.ErrNoData
	case nxdomain:
		e.Reason, e.RCode, a.RCode = resolve.ErrNXDomain, resolve.NXDomain, resolve.NXDomain
	default:
		e.Reason, a.Authoritative = resolve.ErrReferral, len(chain) > 0
		return a, e
	}
	if h.origin != nil {
		a.SOA = h.origin.soa
	}
	return a, e
}

// owned copies a wildcard's records to a name (RFC 4592, Section 2.1.3).
func owned(recs []resolve.Record, name resolve.Name) []resolve.Record {
	out := make([]resolve.Record, len(recs))
	copy(out, recs)
	for i := range out {
		out[i].Name = name
	}
	return out
}

// blank is an answer without records.
func (z *Zone) blank(q resolve.Question, chain []resolve.Alias, o *origin) resolve.Answer {
	a := resolve.Answer{Question: q, Chain: chain, Authoritative: true, Server: z.file, Transport: resolve.File}
	if o != nil {
		a.Server = o.file
	}
	if z.clock != nil {
		a.At = z.clock()
	}
	return a
}

// gaveUp is the error of a lookup that its context ended.
func (z *Zone) gaveUp(q resolve.Question, cause error) error {
	e := &resolve.Error{Reason: resolve.ErrTimeout, Question: q, Server: z.file, Err: cause}
	if errors.Is(cause, context.Canceled) {
		e.Reason = resolve.ErrCanceled
	}
	return e
}

// wait returns after d or when ctx is done, with the context's error then.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
