package dnssec

import (
	"context"
	"fmt"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// part is the verdict on one RRset or one denial.
type part struct {
	verdict verdict
	chain   []Link
	expires time.Time
	ttl     time.Duration

	// Of a denial that is proven.
	zone   *node // whose records prove it
	cut    bool  // the name is a delegation
	absent bool  // the name does not exist
}

// positive judges an RRset of the answer section. If it has no signature of use,
// it is judged by the place of the name given: its owner, or for what is found
// out about the owner's own place, its parent. A node must never wait for itself.
func (r *run) positive(ctx context.Context, rep *reply, s *set, place resolve.Name) part {
	names := signers([]*set{s}, func(owner, signer resolve.Name) bool {
		switch s.typ {
		case dns.TypeDS, dns.TypeCNAME: // RFC 4035, Section 2.4: the parent zone signs a DS; an apex is no alias
			return signer != owner
		case dns.TypeDNSKEY: // RFC 4035, Section 5.3.1: only an apex has keys
			return signer == owner
		}
		return true
	})
	what := fmt.Sprintf("%s %s", s.name, resolve.Type(s.typ))
	if len(names) == 0 {
		reason, detail := ReasonNoSignature, what+" is not signed, though its zone is"
		if len(s.sigs) > 0 {
			reason, detail = ReasonSigner, what+" is signed in the name of something that is not its zone"
		}
		return r.unsigned(ctx, place, bogus(reason, s.name, "%s", detail))
	}
	var first part
	for i, name := range names {
		p := r.positiveBy(ctx, rep, s, name)
		if p.verdict.ok() || p.verdict.status == Insecure {
			return p
		}
		if i == 0 {
			first = p
		}
	}
	return first
}

// positiveBy judges an RRset by the keys of one signer.
func (r *run) positiveBy(ctx context.Context, rep *reply, s *set, signer resolve.Name) part {
	zone := r.node(ctx, signer)
	p := part{chain: zone.chain, expires: zone.expires}
	if !zone.verdict.ok() {
		p.verdict = zone.verdict
		return p
	}
	if !zone.isZone() {
		p.verdict = bogus(ReasonSigner, s.name, "%s %s is signed in the name of %s, which is no zone", s.name, resolve.Type(s.typ), signer)
		return p
	}
	sig, v := r.verify(s, signer, zone.keys)
	if p.verdict = v; !v.ok() {
		return p
	}
	p.ttl = s.ttl(sig)
	p.expires = earlier(p.expires, serialTime(sig.Expiration, r.now))
	if expanded(s, sig) {
		d := r.proveExpansion(rep, s, int(sig.Labels), zone)
		p.verdict, p.expires = d.verdict, earlier(p.expires, d.expires)
	}
	return p
}

// alias judges a CNAME. One that a DNAME made has no signature of its own (RFC
// 6672, Section 5.3.1). The place is that of [run.positive].
func (r *run) alias(ctx context.Context, rep *reply, s *set, place resolve.Name) part {
	to, err := s.target()
	if err != nil {
		return part{verdict: unknown(ReasonLookup, s.name, shorten(err.Error()), nil)}
	}
	if len(s.sigs) == 0 {
		for _, d := range rep.answer.order {
			if d.typ == dns.TypeDNAME && len(d.rrs) == 1 && d.name != s.name && s.name.Within(d.name) && substitutes(d, s.name, to) {
				return r.positive(ctx, rep, d, d.name)
			}
		}
	}
	return r.positive(ctx, rep, s, place)
}

// substitutes reports that the DNAME turns name into to.
func substitutes(d *set, name, to resolve.Name) bool {
	rr, ok := d.rrs[0].(*dns.DNAME)
	if !ok {
		return false
	}
	target, err := resolve.NameFromMaster(rr.Target)
	if err != nil || !to.Within(target) || to.NumLabels()-target.NumLabels() != name.NumLabels()-d.name.NumLabels() {
		return false
	}
	for n, t := name, to; n != d.name; n, t = n.Parent(), t.Parent() {
		if n.First() != t.First() {
			return false
		}
	}
	return true
}

// unsigned judges what has no signature of use: it is what the place of the name
// makes of it, and bad if that is in a signed zone.
func (r *run) unsigned(ctx context.Context, place resolve.Name, bad verdict) part {
	zone := r.walk(ctx, place)
	p := part{verdict: zone.verdict, chain: zone.chain, expires: zone.expires}
	if p.verdict.ok() {
		p.verdict = bad
	}
	return p
}

// negative judges a response without records of the type at the name.
func (r *run) negative(ctx context.Context, rep *reply, q resolve.Question) part {
	if referral(rep, q) {
		e := &resolve.Error{Reason: resolve.ErrServFail, Question: q, Server: rep.meta.Server, Detail: "a referral in place of an answer"}
		return part{verdict: unfetched(q.Name, e)}
	}
	names := signers(denials(rep), func(_, signer resolve.Name) bool {
		return q.Name.Within(signer) && (q.Type != resolve.TypeDS || signer != q.Name || q.Name.IsRoot())
	})
	bad := bogus(ReasonMissingDenial, q.Name, "nothing proves that there is no %s", q)
	if len(names) == 0 {
		return r.unsigned(ctx, placeOf(q.Name, uint16(q.Type)), bad)
	}
	var first part
	for i, name := range names {
		zone := r.node(ctx, name)
		p := part{verdict: zone.verdict, chain: zone.chain, expires: zone.expires}
		switch {
		case zone.isZone():
			d := r.prove(rep, q, zone)
			d.chain, d.expires, d.zone = p.chain, earlier(p.expires, d.expires), zone
			p = d
		case p.verdict.ok():
			p.verdict = bogus(ReasonSigner, q.Name, "the denial of %s is signed in the name of %s, which is no zone", q, name)
		}
		if p.verdict.ok() || p.verdict.status == Insecure {
			return p
		}
		if i == 0 {
			first = p
		}
	}
	return first
}

// denials lists the sets of the authority section that take part in a denial.
func denials(rep *reply) []*set {
	var out []*set
	for _, s := range rep.authority.order {
		if s.typ == dns.TypeNSEC || s.typ == dns.TypeNSEC3 || s.typ == dns.TypeSOA {
			out = append(out, s)
		}
	}
	return out
}

// referral reports a response that sends elsewhere: it says nothing about the
// question (RFC 2308, Section 2.2).
func referral(rep *reply, q resolve.Question) bool {
	if rep.rcode != dns.RcodeSuccess || len(rep.answer.order) > 0 || rep.meta.Authoritative {
		return false
	}
	sent := false
	for _, s := range rep.authority.order {
		if s.typ == dns.TypeSOA {
			return false
		}
		sent = sent || s.typ == dns.TypeNS && q.Name.Within(s.name)
	}
	return sent
}
