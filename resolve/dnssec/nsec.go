package dnssec

import (
	"bytes"
	"slices"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// typeNXNAME in the bitmap of a name says that the name does not exist (RFC 9824,
// Section 2).
const typeNXNAME = 128

// nsec is an NSEC record: no name stands between owner and next (RFC 4034,
// Section 4).
type nsec struct {
	owner, next resolve.Name
	types       types
}

// compare orders names as RFC 4034, Section 6.1, does: by labels from the right,
// each as octets.
func compare(a, b resolve.Name) int {
	if a == b {
		return 0
	}
	x, y := labels(a), labels(b)
	for i := range min(len(x), len(y)) {
		if c := bytes.Compare(x[i], y[i]); c != 0 {
			return c
		}
	}
	return len(x) - len(y)
}

// labels returns the labels as octets, the rightmost first. A Name is in lower
// case already.
func labels(n resolve.Name) [][]byte {
	var buf [256]byte
	end, err := dns.PackDomainName(n.FQDN(), buf[:], 0, nil, false)
	if err != nil {
		return nil // a Name is valid
	}
	var out [][]byte
	for i := 0; i < end && buf[i] != 0; i += 1 + int(buf[i]) {
		out = append(out, buf[i+1:i+1+int(buf[i])])
	}
	slices.Reverse(out)
	return out
}

// covers reports that the record proves that name does not exist, or exists only
// as an empty non-terminal.
func (n nsec) covers(name resolve.Name) bool {
	if compare(n.owner, name) >= 0 {
		return false
	}
	// The last record of a zone leads back to its apex.
	if compare(n.owner, n.next) < 0 && compare(name, n.next) >= 0 {
		return false
	}
	return !(n.types.leaves() && name.Within(n.owner))
}

// encloser is the closest ancestor of a covered name that exists.
func (n nsec) encloser(name resolve.Name) resolve.Name {
	a, b := common(n.owner, name), common(n.next, name)
	if b.NumLabels() > a.NumLabels() {
		return b
	}
	return a
}

// common is the deepest name at or above both.
func common(a, b resolve.Name) resolve.Name {
	for at := a; !at.IsZero(); at = at.Parent() {
		if b.Within(at) {
			return at
		}
	}
	return resolve.Root
}

// wildcardOf is the wildcard below a name; no name if that is too long.
func wildcardOf(n resolve.Name) resolve.Name {
	w, err := n.Below("*")
	if err != nil {
		return resolve.Name{}
	}
	return w
}

// proveNSEC judges a question by the NSEC records (RFC 4035, Section 5.4).
func (e *evidence) proveNSEC(q resolve.Question) proof {
	for _, n := range e.nsec {
		if n.owner != q.Name {
			continue
		}
		if lacks, ok := n.types.lacks(q.Type, q.Name.IsRoot()); ok && lacks {
			return proof{kind: noData, cut: n.types.has(dns.TypeNS) && !n.types.has(dns.TypeSOA), nxname: n.types.has(typeNXNAME)}
		}
	}
	for _, n := range e.nsec {
		if !n.covers(q.Name) {
			continue
		}
		if n.next.Within(q.Name) {
			return proof{kind: noData} // an empty non-terminal (RFC 4592, Section 2.2.2)
		}
		if k := e.wildcardNSEC(wildcardOf(n.encloser(q.Name)), q.Type); k != unproven {
			return proof{kind: k}
		}
	}
	return proof{}
}

// wildcardNSEC says whether the wildcard does not exist, or lacks the type.
func (e *evidence) wildcardNSEC(w resolve.Name, typ resolve.Type) proofKind {
	if w.IsZero() {
		return nxDomain // a name that cannot be
	}
	for _, n := range e.nsec {
		if n.owner == w {
			if lacks, ok := n.types.lacks(typ, false); ok && lacks {
				return wildData
			}
			continue
		}
		if n.covers(w) {
			if n.next.Within(w) {
				return wildData
			}
			return nxDomain
		}
	}
	return unproven
}
