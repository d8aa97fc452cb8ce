package dnssectest

import (
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// sign makes the denial chain and the signatures.
func (z *zone) sign() error {
	if z.NSEC3 {
		z.makeNSEC3()
	} else {
		z.makeNSEC()
	}
	for name, types := range z.sets {
		if z.below(name) {
			continue
		}
		for typ, rrs := range types {
			if z.cuts[name] && typ != dns.TypeDS && typ != dns.TypeNSEC {
				continue
			}
			sig, err := z.signature(rrs)
			if err != nil {
				return err
			}
			if z.sigs[name] == nil {
				z.sigs[name] = map[uint16][]dns.RR{}
			}
			z.sigs[name][typ] = []dns.RR{sig}
		}
	}
	return nil
}

func (z *zone) signature(rrs []dns.RR) (*dns.RRSIG, error) {
	sig := &dns.RRSIG{Inception: uint32(z.Inception.Unix()), Expiration: uint32(z.Expiration.Unix()),
		KeyTag: z.key.KeyTag(), SignerName: z.apex, Algorithm: z.Algorithm}
	sig.Hdr = z.header(rrs[0].Header().Name, dns.TypeRRSIG)
	return sig, sig.Sign(z.private, rrs)
}

// bitmap lists the types at a name as a denial record has them.
func (z *zone) bitmap(name string, more ...uint16) []uint16 {
	var out []uint16
	for typ := range z.sets[name] {
		if !z.cuts[name] || typ == dns.TypeNS || typ == dns.TypeDS {
			out = append(out, typ)
		}
	}
	if len(out) > 0 && (!z.cuts[name] || z.sets[name][dns.TypeDS] != nil) {
		more = append(more, dns.TypeRRSIG)
	}
	out = append(out, more...)
	slices.Sort(out)
	return slices.Compact(out)
}

// names lists the names that have a denial record.
func (z *zone) names() []string {
	return slices.SortedFunc(func(yield func(string) bool) {
		for name := range maps.Keys(z.sets) {
			if !z.below(name) && !yield(name) {
				return
			}
		}
	}, order)
}

func (z *zone) makeNSEC() {
	names := z.names()
	for i, name := range names {
		rr := &dns.NSEC{Hdr: z.header(name, dns.TypeNSEC), NextDomain: names[(i+1)%len(names)]}
		rr.TypeBitMap = z.bitmap(name, dns.TypeNSEC, dns.TypeRRSIG)
		z.chain = append(z.chain, rr)
	}
	for _, rr := range z.chain {
		z.add(rr)
	}
}

func (z *zone) makeNSEC3() {
	z.add(&dns.NSEC3PARAM{Hdr: z.header(z.apex, dns.TypeNSEC3PARAM), Hash: 1, Iterations: z.Iterations, SaltLength: uint8(len(z.Salt) / 2), Salt: z.Salt})
	byHash := map[string]string{}
	for _, name := range z.names() {
		if z.OptOut && z.cuts[name] && z.sets[name][dns.TypeDS] == nil {
			continue
		}
		// RFC 5155, Section 7.1: empty non-terminals have records too.
		for at := name; ; at = parent(at) {
			byHash[z.hash(at)] = at
			if at == z.apex {
				break
			}
		}
	}
	hashes := slices.Sorted(maps.Keys(byHash))
	for i, h := range hashes {
		rr := &dns.NSEC3{Hash: 1, Iterations: z.Iterations, SaltLength: uint8(len(z.Salt) / 2), Salt: z.Salt, HashLength: 20,
			NextDomain: hashes[(i+1)%len(hashes)], TypeBitMap: z.bitmap(byHash[h])}
		rr.Hdr = z.header(strings.ToLower(h)+"."+strings.TrimPrefix(z.apex, "."), dns.TypeNSEC3)
		if z.OptOut {
			rr.Flags = 1
		}
		z.chain = append(z.chain, rr)
	}
	for _, rr := range z.chain {
		z.add(rr)
	}
}

func (z *zone) hash(name string) string { return dns.HashName(name, dns.SHA1, z.Iterations, z.Salt) }

// order is the canonical order of names (RFC 4034, Section 6.1). The names of
// test zones have no escapes.
func order(a, b string) int {
	x, y := dns.SplitDomainName(a), dns.SplitDomainName(b)
	slices.Reverse(x)
	slices.Reverse(y)
	return slices.Compare(x, y)
}
