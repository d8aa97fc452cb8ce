package dnssec

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// node is the place of a name in the tree of signed zones.
type node struct {
	name    resolve.Name
	verdict verdict // secure: the fields below are proven; otherwise it holds for the name and all below it

	// keys are those of the zone whose apex the name is. Without, the name is no
	// apex: it is inside the zone, or, if absent is set, does not exist at all.
	keys   []zoneKey
	absent bool

	chain   []Link
	expires time.Time // of the first signature on the way
	until   time.Time // kept so long
}

func (n *node) isZone() bool { return n.verdict.ok() && len(n.keys) > 0 }

// node finds out the place of name.
func (r *run) node(ctx context.Context, name resolve.Name) *node {
	return r.v.cache.get(ctx, name, r.now, func(ctx context.Context) *node {
		var n *node
		switch {
		case r.nodes.Add(1) > r.max:
			n = &node{verdict: unknown(ReasonLimit, name, "the limit of zones for one validation is reached", errLimit)}
		case len(r.v.anchors[name]) > 0:
			n = r.anchored(ctx, name)
		default:
			n = r.delegated(ctx, name)
		}
		n.name = name
		keep := n.until.Sub(r.now)
		switch n.verdict.status {
		case Insecure:
			keep = keepDenied
		case Bogus:
			keep = keepBogus
		case Indeterminate:
			keep = keepUnknown
		}
		n.until = r.now.Add(min(max(keep, minKeep), maxKeep))
		return n
	})
}

// anchored finds the keys of a zone with a trust anchor.
func (r *run) anchored(ctx context.Context, name resolve.Name) *node {
	var ds []*dns.DS
	for _, a := range r.v.anchors[name] {
		if a.usable(r.now) {
			ds = append(ds, a.ds())
		}
	}
	if len(ds) == 0 {
		return &node{verdict: unknown(ReasonNoAnchor, name, fmt.Sprintf("no trust anchor of %s is valid at this time", name), nil)}
	}
	rep, err := r.fetch(ctx, resolve.Question{Name: name, Type: resolve.TypeDNSKEY})
	if err != nil {
		return &node{verdict: unfetched(name, err)}
	}
	keys := rep.answer.get(name, dns.TypeDNSKEY)
	// An anchor says that the zone is signed. That nothing of it can be seen is
	// rather the fault of what stands between than of the zone.
	if keys == nil || len(keys.sigs) == 0 {
		return &node{verdict: unknown(ReasonStripped, name, fmt.Sprintf("no signed DNSKEY records of %s come from the resolver, so it does not hand on DNSSEC records", name), nil)}
	}
	n := r.keysOf(name, keys, ds, true)
	if n.verdict.reason == ReasonDSMismatch {
		n.verdict.detail = fmt.Sprintf("no key of %s is a trust anchor", name)
	}
	return n
}

// delegated finds the place of a name through the DS records above it.
func (r *run) delegated(ctx context.Context, name resolve.Name) *node {
	if r.anchorFor(name).IsZero() {
		return &node{verdict: unknown(ReasonNoAnchor, name, fmt.Sprintf("no trust anchor at or above %s", name), nil)}
	}
	q := resolve.Question{Name: name, Type: resolve.TypeDS}
	rep, err := r.fetch(ctx, q)
	if err != nil {
		return &node{verdict: unfetched(name, err)}
	}
	if ds := rep.answer.get(name, dns.TypeDS); ds != nil {
		p := r.positive(ctx, rep, ds, parentOf(name))
		if !p.verdict.ok() {
			return &node{verdict: p.verdict, chain: p.chain}
		}
		return r.child(ctx, name, ds, p)
	}
	if alias := rep.answer.get(name, dns.TypeCNAME); alias != nil {
		// RFC 2181, Section 10.1: an alias owns nothing else, so it is no delegation.
		p := r.alias(ctx, rep, alias, parentOf(name))
		return &node{verdict: p.verdict, chain: p.chain, expires: p.expires, until: r.now.Add(p.ttl)}
	}
	p := r.negative(ctx, rep, q)
	n := &node{verdict: p.verdict, chain: p.chain, expires: p.expires, until: r.now.Add(min(p.ttl, keepDenied))}
	if !n.verdict.ok() {
		return n
	}
	// RFC 4035, Section 5.2: only a delegation without DS leads out of the signed
	// tree; other names without DS are inside the zone.
	if p.cut {
		n.verdict = insecure(ReasonNoDS, name, fmt.Sprintf("%s is delegated and its parent zone proves that it has no DS", name))
	}
	n.absent = p.absent
	return n
}

// child follows proven DS records to the keys of the zone.
func (r *run) child(ctx context.Context, name resolve.Name, ds *set, p part) *node {
	usable, detail := usableDS(ds)
	if len(usable) == 0 {
		return &node{verdict: insecure(ReasonAlgorithm, name, detail), chain: p.chain}
	}
	rep, err := r.fetch(ctx, resolve.Question{Name: name, Type: resolve.TypeDNSKEY})
	if err != nil {
		return &node{verdict: unfetched(name, err), chain: p.chain}
	}
	keys := rep.answer.get(name, dns.TypeDNSKEY)
	if keys == nil {
		return &node{verdict: bogus(ReasonNoKeys, name, "%s has a DS but no DNSKEY", name), chain: p.chain}
	}
	n := r.keysOf(name, keys, usable, false)
	n.chain = append(p.chain[:len(p.chain):len(p.chain)], n.chain...)
	n.expires = earlier(n.expires, p.expires)
	if limit := r.now.Add(p.ttl); limit.Before(n.until) {
		n.until = limit
	}
	return n
}

// usableDS returns the DS records that can be followed, or why there is none.
func usableDS(s *set) ([]*dns.DS, string) {
	var out []*dns.DS
	strong := false
	var seen []string
	for _, rr := range s.rrs {
		ds, ok := rr.(*dns.DS)
		if !ok {
			continue
		}
		if text := fmt.Sprintf("algorithm %s with digest %d", Algorithm(ds.Algorithm), ds.DigestType); len(seen) < 3 {
			seen = append(seen, text)
		}
		if Algorithm(ds.Algorithm).Supported() && digestLen(ds.DigestType) > 0 {
			out = append(out, ds)
			strong = strong || ds.DigestType != dns.SHA1
		}
	}
	if len(out) == 0 {
		return nil, fmt.Sprintf("no DS of %s can be used: %s", s.name, strings.Join(seen, ", "))
	}
	if strong {
		// RFC 4509, Section 3: SHA-1 does not count beside SHA-256.
		kept := out[:0]
		for _, ds := range out {
			if ds.DigestType != dns.SHA1 {
				kept = append(kept, ds)
			}
		}
		out = kept
	}
	return out, ""
}

// keysOf proves a DNSKEY set by DS records: one of them names a key that signs
// the set (RFC 4035, Section 5.2).
func (r *run) keysOf(name resolve.Name, s *set, trusted []*dns.DS, anchor bool) *node {
	if len(s.rrs) > maxKeys {
		return &node{verdict: bogus(ReasonLimit, name, "%s has more than %d keys", name, maxKeys)}
	}
	keys := zoneKeys(s)
	entry, by, limited := entryKeys(keys, trusted)
	if len(entry) == 0 && limited {
		return &node{verdict: bogus(ReasonLimit, name, "more than %d keys of %s had to be held against its DS records", maxDigests, name)}
	}
	if len(entry) == 0 {
		return &node{verdict: bogus(ReasonDSMismatch, name, "no key of %s is the one that its DS names (%s)", name, tagsOf(trusted))}
	}
	sig, v := r.verify(s, name, entry)
	if !v.ok() {
		if v.reason == ReasonWrongKey {
			v = bogus(ReasonNoSignature, name, "the keys of %s are not signed by the key that its DS names (%s)", name, tagsOf(trusted))
		}
		return &node{verdict: v}
	}
	n := &node{verdict: secure, keys: keys, expires: serialTime(sig.Expiration, r.now), until: r.now.Add(s.ttl(sig))}
	link := Link{Zone: name, Anchor: anchor, KeyTag: sig.KeyTag, Algorithm: Algorithm(sig.Algorithm),
		Inception: serialTime(sig.Inception, r.now), Expiration: n.expires}
	for i, k := range entry {
		if k.tag == sig.KeyTag && k.rr.Algorithm == sig.Algorithm {
			link.Digest = by[i].DigestType
			break
		}
	}
	n.chain = []Link{link}
	return n
}

// entryKeys returns the keys that DS records name, and the record for each.
func entryKeys(keys []zoneKey, trusted []*dns.DS) (entry []zoneKey, by []*dns.DS, limited bool) {
	hashed := 0
	for _, k := range keys {
		for _, ds := range trusted {
			if ds.KeyTag != k.tag || ds.Algorithm != k.rr.Algorithm {
				continue
			}
			if hashed++; hashed > maxDigests {
				return entry, by, true
			}
			if got := k.rr.ToDS(ds.DigestType); got != nil && sameDigest(got.Digest, ds.Digest, ds.DigestType) {
				entry, by = append(entry, k), append(by, ds)
				break
			}
		}
	}
	return entry, by, false
}

// sameDigest compares digests in hexadecimal of any case.
func sameDigest(a, b string, digest uint8) bool {
	x, errA := hex.DecodeString(a)
	y, errB := hex.DecodeString(b)
	return errA == nil && errB == nil && len(x) == digestLen(digest) && string(x) == string(y)
}

// tagsOf names the keys that DS records ask for.
func tagsOf(trusted []*dns.DS) string {
	const shown = 4
	var out []string
	for i, ds := range trusted {
		if i == shown {
			out = append(out, "…")
			break
		}
		out = append(out, fmt.Sprintf("key %d, algorithm %s", ds.KeyTag, Algorithm(ds.Algorithm)))
	}
	return strings.Join(out, "; ")
}

// anchorFor is the deepest anchor at or above name; no name if there is none.
func (r *run) anchorFor(name resolve.Name) resolve.Name {
	for at := name; !at.IsZero(); at = at.Parent() {
		if len(r.v.anchors[at]) > 0 {
			return at
		}
	}
	return resolve.Name{}
}

// walk goes from the trust anchor down to name and returns the node that decides
// about it: the deepest zone on the way, or where the signed tree ends.
func (r *run) walk(ctx context.Context, name resolve.Name) *node {
	start := r.anchorFor(name)
	if start.IsZero() {
		return &node{name: name, verdict: unknown(ReasonNoAnchor, name, fmt.Sprintf("no trust anchor at or above %s", name), nil)}
	}
	if name.NumLabels()-start.NumLabels() > maxWalk {
		return &node{name: name, verdict: unknown(ReasonLimit, name, "the name has too many labels to look for zone cuts", errLimit)}
	}
	zone := r.node(ctx, start)
	for i := start.NumLabels() + 1; i <= name.NumLabels() && zone.verdict.ok(); i++ {
		n := r.node(ctx, name.Suffix(i))
		switch {
		case !n.verdict.ok() || n.isZone():
			zone = n
		case n.absent:
			return zone // RFC 8020, Section 2: nothing is below a name that does not exist
		}
	}
	return zone
}

// placeOf is the name in whose zone a type at a name is held.
func placeOf(name resolve.Name, typ uint16) resolve.Name {
	if typ == dns.TypeDS {
		return parentOf(name)
	}
	return name
}

// parentOf is the name above, or the root itself.
func parentOf(name resolve.Name) resolve.Name {
	if name.IsRoot() {
		return name
	}
	return name.Parent()
}

// earlier returns the earlier of two times, of which a zero one does not count.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
