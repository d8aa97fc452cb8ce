package dnssec

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// hashLen is the length of a SHA-1 hash in base32hex.
const hashLen = 32

// nsec3 is an NSEC3 record: no hash stands between owner and next (RFC 5155,
// Section 3).
type nsec3 struct {
	owner, next string // hashes in base32hex, upper case
	types       types
	optOut      bool
	salt        string
	iterations  uint16
}

// newNSEC3 takes over a record that may be used. The Cover and Match methods of
// the library take an unknown hash algorithm for a hash of nothing, do not look
// at flags and hash the name for each record anew.
func newNSEC3(rr *dns.NSEC3, owner, zone resolve.Name) (nsec3, bool) {
	hash := strings.ToUpper(owner.First())
	// RFC 5155, Sections 8.1 and 8.2: unknown algorithms and flags are ignored. The
	// owner is a hash right below the apex (Section 3).
	if rr.Hash != dns.SHA1 || rr.Flags&^1 != 0 || owner.IsRoot() || owner.Parent() != zone ||
		len(hash) != hashLen || len(rr.NextDomain) != hashLen || strings.Trim(hash, "0123456789ABCDEFGHIJKLMNOPQRSTUV") != "" {
		return nsec3{}, false
	}
	return nsec3{owner: hash, next: strings.ToUpper(rr.NextDomain), types: rr.TypeBitMap, optOut: rr.Flags&1 != 0,
		salt: rr.Salt, iterations: rr.Iterations}, true
}

func iterationsDetail(zone resolve.Name, n uint16, limit int) string {
	return fmt.Sprintf("the NSEC3 records of %s have %d iterations, the limit is %d", zone, n, limit)
}

// hash is the NSEC3 hash of a name.
func (e *evidence) hash(name resolve.Name) string {
	h, ok := e.hashes[name]
	if !ok {
		h = dns.HashName(name.FQDN(), dns.SHA1, e.nsec3[0].iterations, e.nsec3[0].salt)
		e.hashes[name] = h
	}
	return h
}

// match finds the record of a name.
func (e *evidence) match(name resolve.Name) (nsec3, bool) {
	if len(e.nsec3) == 0 || !name.Within(e.zone) {
		return nsec3{}, false
	}
	h := e.hash(name)
	for _, n := range e.nsec3 {
		if n.owner == h {
			return n, h != ""
		}
	}
	return nsec3{}, false
}

// cover finds a record that proves that there is no such name, but for an
// unsigned delegation if it is an opt-out record.
func (e *evidence) cover(name resolve.Name) (nsec3, bool) {
	if len(e.nsec3) == 0 || !name.Within(e.zone) {
		return nsec3{}, false
	}
	h := e.hash(name)
	for _, n := range e.nsec3 {
		if h != "" && n.covers(h) {
			return n, true
		}
	}
	return nsec3{}, false
}

func (n nsec3) covers(h string) bool {
	switch {
	case n.owner < n.next:
		return n.owner < h && h < n.next
	case n.owner > n.next: // the last record leads back to the first
		return h > n.owner || h < n.next
	}
	return h != n.owner // the only one
}

// proveNSEC3 judges a question by the NSEC3 records (RFC 5155, Section 8).
func (e *evidence) proveNSEC3(q resolve.Question) proof {
	if n, ok := e.match(q.Name); ok {
		// Sections 8.5 and 8.6.
		if lacks, ok := n.types.lacks(q.Type, q.Name.IsRoot()); ok && lacks {
			return proof{kind: noData, cut: n.types.has(dns.TypeNS) && !n.types.has(dns.TypeSOA), nxname: n.types.has(typeNXNAME)}
		}
		return proof{}
	}
	closest, next, ok := e.closestEncloser(q.Name)
	if !ok {
		return proof{}
	}
	wild := unproven
	w := wildcardOf(closest)
	if w.IsZero() {
		wild = nxDomain
	} else if n, ok := e.match(w); ok { // Section 8.7
		if lacks, ok := n.types.lacks(q.Type, false); ok && lacks {
			wild = wildData
		}
	} else if _, ok := e.cover(w); ok { // Section 8.4
		wild = nxDomain
	}
	switch {
	case !next.optOut:
		return proof{kind: wild}
	// Sections 8.6 and 9.2: an unsigned delegation may be there, at the name or
	// above it, and an empty non-terminal that leads only to such (erratum 3441).
	case wild != unproven || q.Type == resolve.TypeDS:
		return proof{kind: optedOut}
	}
	if _, matched := e.match(w); matched {
		return proof{} // the wildcard has the type, so it should have been used
	}
	return proof{kind: optedOut}
}

// closestEncloser finds the closest ancestor that exists and the record that
// covers the name one label longer (RFC 5155, Section 8.3).
func (e *evidence) closestEncloser(name resolve.Name) (closest resolve.Name, next nsec3, ok bool) {
	for at := name; at != e.zone && at.Within(e.zone); at = at.Parent() {
		n, ok := e.match(at.Parent())
		if !ok {
			continue
		}
		if n.types.leaves() {
			return resolve.Name{}, nsec3{}, false
		}
		next, ok := e.cover(at)
		return at.Parent(), next, ok
	}
	return resolve.Name{}, nsec3{}, false
}
