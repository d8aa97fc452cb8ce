package dnssec

import (
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// evidence is what the NSEC and NSEC3 records of a response prove, as far as
// their own signatures hold.
type evidence struct {
	zone   resolve.Name
	nsec   []nsec
	nsec3  []nsec3
	hashes map[resolve.Name]string // NSEC3 hashes of names

	failed     verdict // the first record of which the signature fails
	iterations verdict // NSEC3 records that take too long
	expires    time.Time
	ttl        time.Duration
}

// types is the type bitmap of an NSEC or NSEC3 record.
type types []uint16

func (t types) has(typ uint16) bool { return slices.Contains(t, typ) }

// leaves reports the record of a name below which another zone begins or names
// are rewritten: it proves nothing about what is below (RFC 6840, Section 4.1).
func (t types) leaves() bool {
	return t.has(dns.TypeNS) && !t.has(dns.TypeSOA) || t.has(dns.TypeDNAME)
}

// lacks reports that the record proves the absence of the type at its own name.
// ok is false if it is the record of the other side of a zone cut.
func (t types) lacks(typ resolve.Type, root bool) (lacks, ok bool) {
	if typ == resolve.TypeDS {
		// RFC 4035, Section 5.2; RFC 6840, Section 4.4: the parent's record has no SOA bit.
		if t.has(dns.TypeSOA) && !root {
			return false, false
		}
	} else if t.has(dns.TypeNS) && !t.has(dns.TypeSOA) {
		return false, false
	}
	// RFC 6840, Section 4.3: with the CNAME bit there should have been an alias.
	return !t.has(uint16(typ)) && !t.has(dns.TypeCNAME), true
}

// gather verifies the denial records that the zone has signed.
func (r *run) gather(rep *reply, zone *node) *evidence {
	e := &evidence{zone: zone.name, hashes: map[resolve.Name]string{}, failed: secure, iterations: secure, ttl: maxKeep}
	count := 0
	for _, s := range rep.authority.order {
		if s.typ != dns.TypeNSEC && s.typ != dns.TypeNSEC3 || !s.name.Within(zone.name) {
			continue
		}
		if count++; count > maxDenials {
			break
		}
		sig, v := r.verify(s, zone.name, zone.keys)
		if v.ok() && expanded(s, sig) {
			// A wildcard's NSEC proves nothing about the name that it was expanded to.
			v = bogus(ReasonMissingDenial, s.name, "the %s record of %s is made from a wildcard", resolve.Type(s.typ), s.name)
		}
		if !v.ok() {
			if e.failed.ok() {
				e.failed = v
			}
			continue
		}
		e.expires = earlier(e.expires, serialTime(sig.Expiration, r.now))
		e.ttl = min(e.ttl, s.ttl(sig))
		for _, rr := range s.rrs {
			e.add(rr, s.name, r.v.opt.Iterations)
		}
	}
	return e
}

func (e *evidence) add(rr dns.RR, owner resolve.Name, limit int) {
	switch d := rr.(type) {
	case *dns.NSEC:
		if next, err := resolve.NameFromMaster(d.NextDomain); err == nil && next.Within(e.zone) {
			e.nsec = append(e.nsec, nsec{owner: owner, next: next, types: d.TypeBitMap})
		}
	case *dns.NSEC3:
		n, ok := newNSEC3(d, owner, e.zone)
		if !ok {
			return
		}
		if int(d.Iterations) > limit {
			e.iterations = insecure(ReasonIterations, e.zone, iterationsDetail(e.zone, d.Iterations, limit))
			return
		}
		// RFC 5155, Section 8.2: one set of parameters in a response.
		if len(e.nsec3) == 0 || e.nsec3[0].salt == n.salt && e.nsec3[0].iterations == n.iterations {
			e.nsec3 = append(e.nsec3, n)
		}
	}
}

// result makes a part of a proof, or of its failure.
func (e *evidence) result(p proof, name resolve.Name, missing string) part {
	out := part{verdict: secure, expires: e.expires, ttl: e.ttl, cut: p.cut, absent: p.kind == nxDomain}
	switch {
	case p.kind == optedOut:
		out.verdict = insecure(ReasonOptOut, name, "an opt-out record of "+e.zone.String()+" covers it, so it may be delegated without DS")
	case p.kind != unproven:
	case !e.iterations.ok():
		// RFC 9276, Section 3.2: insecure, but only after the signature was verified.
		out.verdict = e.iterations
	case !e.failed.ok():
		out.verdict = e.failed
	default:
		out.verdict = bogus(ReasonMissingDenial, name, "%s", missing)
	}
	return out
}

type proofKind uint8

const (
	unproven proofKind = iota
	noData             // the name exists, or is an empty non-terminal, without the type
	nxDomain           // nor does a wildcard make it
	wildData           // a wildcard would make the name, without the type
	optedOut           // it may exist as an unsigned delegation
)

// proof is what denial records say of a question.
type proof struct {
	kind   proofKind
	cut    bool // the name is a delegation
	nxname bool // the record of the name says that there is no name (RFC 9824)
}

// prove judges a response of a signed zone without records of the type.
func (r *run) prove(rep *reply, q resolve.Question, zone *node) part {
	e := r.gather(rep, zone)
	p := e.proveNSEC(q)
	if p.kind == unproven {
		p = e.proveNSEC3(q)
	}
	missing := "the records in the response do not prove that there is no " + q.String()
	if rep.rcode == dns.RcodeNameError && (p.kind == noData && !p.nxname || p.kind == wildData) {
		// RFC 4035, Section 5.4: the code has to be proven too.
		p = proof{}
		missing = "the response says that there is no " + q.Name.String() + ", but its records prove that the name exists"
	}
	return e.result(p, q.Name, missing)
}

// proveExpansion judges the use of a wildcard: nothing may stand between its
// parent, of so many labels, and the name (RFC 4035, Section 5.3.4; RFC 5155,
// Section 8.8).
func (r *run) proveExpansion(rep *reply, s *set, labels int, zone *node) part {
	e := r.gather(rep, zone)
	closest := s.name.Suffix(labels)
	p := proof{}
	for _, n := range e.nsec {
		if n.covers(s.name) && n.encloser(s.name) == closest {
			p.kind = noData
		}
	}
	if p.kind == unproven {
		if n, ok := e.cover(s.name.Suffix(labels + 1)); ok {
			p.kind = noData
			if n.optOut {
				p.kind = optedOut
			}
		}
	}
	return e.result(p, s.name, "the record comes from the wildcard of "+closest.String()+", but nothing proves that no name is closer")
}
