package dnssectest

import (
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
)

const (
	ttl      = 3600
	lifetime = 14 * 24 * time.Hour
	before   = time.Hour // signatures begin so long before now, as clocks differ
)

// Zone says how a zone is made. The zero value but for its name is a proper one,
// signed with algorithm 13 and NSEC.
type Zone struct {
	Name string // "example.org"
	// Text holds the records in master file form, relative to the name. SOA, NS,
	// DNSKEY, denial and signatures are added, and the DS of child zones.
	Text string

	Unsigned   bool
	Algorithm  uint8 // 8, 10, 13, 14 or 15; 0: 13
	NSEC3      bool
	OptOut     bool // NSEC3 leaves out children without DS
	Iterations uint16
	Salt       string // hexadecimal

	// Inception and Expiration bound the signatures; zero: an hour before now and
	// two weeks after.
	Inception, Expiration time.Time

	NoDS        bool  // the parent has no DS for it
	WrongDS     bool  // the DS names another key
	DSAlgorithm uint8 // the DS claims this algorithm; 0: that of the key
	Digest      uint8 // digest type of the DS; 0: 2
}

// World is a tree of zones. It is not changed after New, but for Tamper.
type World struct {
	zones []*zone // deepest first

	// Tamper changes a response, given in wire form, before it is returned. An
	// empty one is lost. Set it before the first question.
	Tamper func(q resolve.Question, msg []byte) []byte
}

// zone is a signed zone.
type zone struct {
	Zone
	apex    string
	key     *dns.DNSKEY
	private crypto.Signer
	now     time.Time
	sets    map[string]map[uint16][]dns.RR // by owner and type
	sigs    map[string]map[uint16][]dns.RR
	cuts    map[string]bool
	chain   []dns.RR // NSEC or NSEC3, in order
}

// New signs the zones as of now. A root zone is added if none is given.
func New(now time.Time, zones ...Zone) (*World, error) {
	w := &World{}
	if !slices.ContainsFunc(zones, func(z Zone) bool { return dns.CanonicalName(z.Name) == "." }) {
		zones = append(zones, Zone{Name: "."})
	}
	for _, z := range zones {
		made, err := newZone(z, now)
		if err != nil {
			return nil, fmt.Errorf("dnssectest: zone %s: %w", z.Name, err)
		}
		w.zones = append(w.zones, made)
	}
	slices.SortStableFunc(w.zones, func(a, b *zone) int { return cmp.Compare(dns.CountLabel(b.apex), dns.CountLabel(a.apex)) })
	for i, z := range w.zones {
		for _, p := range w.zones[i+1:] {
			if dns.IsSubDomain(p.apex, z.apex) {
				p.delegate(z)
				break
			}
		}
	}
	for _, z := range w.zones {
		if z.Unsigned {
			continue
		}
		if err := z.sign(); err != nil {
			return nil, fmt.Errorf("dnssectest: zone %s: %w", z.Name, err)
		}
	}
	return w, nil
}

// Anchors is the trust anchor of the root zone.
func (w *World) Anchors() []dnssec.Anchor {
	ds := w.zones[len(w.zones)-1].key.ToDS(dns.SHA256)
	return []dnssec.Anchor{{Zone: resolve.Root, KeyTag: ds.KeyTag, Algorithm: dnssec.Algorithm(ds.Algorithm), Digest: ds.DigestType, Value: ds.Digest}}
}

func newZone(z Zone, now time.Time) (*zone, error) {
	if z.Algorithm == 0 {
		z.Algorithm = dns.ECDSAP256SHA256
	}
	if z.Digest == 0 {
		z.Digest = dns.SHA256
	}
	if z.Inception.IsZero() {
		z.Inception = now.Add(-before)
	}
	if z.Expiration.IsZero() {
		z.Expiration = now.Add(lifetime)
	}
	out := &zone{Zone: z, apex: dns.CanonicalName(z.Name), now: now,
		sets: map[string]map[uint16][]dns.RR{}, sigs: map[string]map[uint16][]dns.RR{}, cuts: map[string]bool{}}
	ns := "ns." + strings.TrimPrefix(out.apex, ".")
	text := fmt.Sprintf("@ %d SOA %s hostmaster.%s 1 7200 3600 1209600 300\n@ %d NS %s\n", ttl, ns, strings.TrimPrefix(out.apex, "."), ttl, ns)
	p := dns.NewZoneParser(strings.NewReader(text+z.Text+"\n"), out.apex, "")
	p.SetDefaultTTL(ttl)
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		out.add(rr)
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	for name, types := range out.sets {
		if name != out.apex && types[dns.TypeNS] != nil {
			out.cuts[name] = true
		}
	}
	return out, out.makeKey()
}

func (z *zone) makeKey() error {
	sizes := map[uint8]int{dns.RSASHA1: 2048, dns.RSASHA256: 2048, dns.RSASHA512: 2048, dns.ECDSAP256SHA256: 256, dns.ECDSAP384SHA384: 384, dns.ED25519: 256}
	size := sizes[z.Algorithm]
	if size == 0 {
		return fmt.Errorf("algorithm %d cannot be signed with", z.Algorithm)
	}
	z.key = &dns.DNSKEY{Hdr: z.header(z.apex, dns.TypeDNSKEY), Flags: dns.ZONE | dns.SEP, Protocol: 3, Algorithm: z.Algorithm}
	for {
		private, err := z.key.Generate(size)
		if err != nil {
			return err
		}
		var ok bool
		if z.private, ok = private.(crypto.Signer); !ok {
			return errors.New("the key cannot sign")
		}
		if z.key.KeyTag() != 0 { // the library does not sign with a tag of 0
			break
		}
	}
	if !z.Unsigned {
		z.add(z.key)
	}
	return nil
}

func (z *zone) header(name string, typ uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: typ, Class: dns.ClassINET, Ttl: ttl}
}

func (z *zone) add(rr dns.RR) {
	h := rr.Header()
	h.Name = dns.CanonicalName(h.Name)
	if z.sets[h.Name] == nil {
		z.sets[h.Name] = map[uint16][]dns.RR{}
	}
	z.sets[h.Name][h.Rrtype] = append(z.sets[h.Name][h.Rrtype], rr)
}

// delegate adds the NS and DS records of a child.
func (z *zone) delegate(child *zone) {
	z.cuts[child.apex] = true
	if z.sets[child.apex][dns.TypeNS] == nil {
		z.add(&dns.NS{Hdr: z.header(child.apex, dns.TypeNS), Ns: "ns." + child.apex})
	}
	if child.Unsigned || child.NoDS {
		return
	}
	key := *child.key
	if child.WrongDS {
		key.Flags ^= dns.SEP // one bit is enough for another digest
	}
	ds := key.ToDS(child.Digest)
	if ds == nil { // an unknown digest type
		ds = key.ToDS(dns.SHA256)
		ds.DigestType = child.Digest
	}
	if child.WrongDS {
		ds.KeyTag = child.key.KeyTag()
	}
	if child.DSAlgorithm != 0 {
		ds.Algorithm = child.DSAlgorithm
	}
	ds.Hdr = z.header(child.apex, dns.TypeDS)
	z.add(ds)
}

// below reports a name under a delegation: glue, which is not signed.
func (z *zone) below(name string) bool {
	for at := name; at != z.apex; {
		at = parent(at)
		if z.cuts[at] {
			return true
		}
	}
	return false
}

func parent(name string) string {
	i, end := dns.NextLabel(name, 0)
	if end {
		return "."
	}
	return name[i:]
}
