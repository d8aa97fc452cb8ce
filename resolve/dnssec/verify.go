package dnssec

import (
	"encoding/base64"
	"fmt"
	"math/bits"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// zoneKey is a key that may sign the zone's records.
type zoneKey struct {
	rr   *dns.DNSKEY
	tag  uint16
	weak bool // RSA, of a size that the standard library refuses
}

// zoneKeys sorts out the keys of a DNSKEY set that may sign.
func zoneKeys(s *set) []zoneKey {
	var out []zoneKey
	for _, rr := range s.rrs {
		k, ok := rr.(*dns.DNSKEY)
		// RFC 4034, Sections 2.1.1 and 2.1.2: a zone key, protocol 3. RFC 5011,
		// Section 2.1: a revoked key proves nothing any more.
		if !ok || k.Flags&dns.ZONE == 0 || k.Flags&dns.REVOKE != 0 || k.Protocol != 3 {
			continue
		}
		out = append(out, zoneKey{rr: k, tag: k.KeyTag(), weak: Algorithm(k.Algorithm).Supported() && isWeak(k)})
	}
	return out
}

// isWeak reports an RSA key that RFC 3110 and RFC 5702 allow and other
// validators use, but the standard library does not: below 1024 bits, or with an
// exponent above 31 bits. Any other key that cannot be read is just a bad one.
func isWeak(k *dns.DNSKEY) bool {
	if k.Algorithm != dns.RSASHA256 && k.Algorithm != dns.RSASHA512 {
		return false
	}
	b, err := base64.StdEncoding.DecodeString(k.PublicKey)
	if err != nil || len(b) < 3 {
		return false
	}
	n, off := int(b[0]), 1
	if n == 0 {
		n, off = int(b[1])<<8|int(b[2]), 3
	}
	if n == 0 || off+n >= len(b) || b[off] == 0 || b[off+n] == 0 {
		return false
	}
	exp, mod := b[off:off+n], b[off+n:]
	size := len(mod)*8 - bits.LeadingZeros8(mod[0])
	return size >= 512 && size < 1024 || size >= 1024 && size <= 4096 && (n > 4 || n == 4 && exp[0] > 0x7f)
}

// failures orders the reasons why signatures fail by how near they came.
var failures = map[Reason]int{ReasonNoSignature: 1, ReasonSigner: 2, ReasonWrongKey: 3, ReasonNotYetValid: 4, ReasonExpired: 5,
	ReasonWeakKey: 6, ReasonBadSignature: 7, ReasonLimit: 8}

// verify checks the set against the keys of its zone and returns the signature
// that holds. The library checks neither times nor that the owner is in the
// signer's zone (it compares the ends of the names as text) nor the length of
// ECDSA signatures.
func (r *run) verify(s *set, zone resolve.Name, keys []zoneKey) (*dns.RRSIG, verdict) {
	what := s.name.String() + " " + resolve.Type(s.typ).String()
	worst := bogus(ReasonNoSignature, s.name, "%s is not signed", what)
	fail := func(v verdict) {
		if failures[v.reason] > failures[worst.reason] {
			worst = v
		}
	}
	if len(s.sigs) > 0 {
		worst.detail = what + " has no signature of a supported algorithm"
	}
	if len(s.rrs) > maxSetRecords {
		return nil, unknown(ReasonLimit, s.name, fmt.Sprintf("more than %d records in one set", maxSetRecords), nil)
	}
	tried := 0
	for _, sig := range s.sigs {
		if v, ok := r.applies(s, sig, zone, what); !ok {
			fail(v)
			continue
		}
		same := 0
		for _, k := range keys {
			if k.tag != sig.KeyTag || k.rr.Algorithm != sig.Algorithm {
				continue
			}
			if same++; same > maxKeyCollision {
				fail(bogus(ReasonLimit, s.name, "more than %d keys of %s have the tag %d", maxKeyCollision, zone, k.tag))
				break
			}
			if k.weak {
				fail(unknown(ReasonWeakKey, s.name, "the RSA key that signs "+what+" has a size that cannot be checked here", nil))
				continue
			}
			if tried++; tried > maxSetChecks {
				return nil, bogus(ReasonLimit, s.name, "more than %d signatures of %s had to be checked", maxSetChecks, what)
			}
			if r.checks.Add(1) > r.maxChecks {
				return nil, unknown(ReasonLimit, s.name, "the limit of signatures checked in one validation is reached", nil)
			}
			if err := sig.Verify(k.rr, s.rrs); err == nil {
				return sig, secure
			}
			fail(bogus(ReasonBadSignature, s.name, "key %d of %s does not verify the signature of %s", k.tag, zone, what))
		}
		if same == 0 {
			fail(bogus(ReasonWrongKey, s.name, "%s is signed by key %d, algorithm %s, which %s does not have", what, sig.KeyTag, Algorithm(sig.Algorithm), zone))
		}
	}
	return nil, worst
}

// applies checks all of a signature but its cryptography (RFC 4035, Section
// 5.3.1).
func (r *run) applies(s *set, sig *dns.RRSIG, zone resolve.Name, what string) (verdict, bool) {
	signer, err := resolve.NameFromMaster(sig.SignerName)
	switch {
	case err != nil || signer != zone || !s.name.Within(zone) || int(sig.Labels) < zone.NumLabels() || int(sig.Labels) > s.name.NumLabels():
		return bogus(ReasonSigner, s.name, "%s is not signed by %s", what, zone), false
	case !Algorithm(sig.Algorithm).Supported():
		return bogus(ReasonNoSignature, s.name, "%s has no signature of a supported algorithm", what), false
	case !lengthFits(sig):
		return bogus(ReasonBadSignature, s.name, "a signature of %s has a wrong length", what), false
	}
	from, until := serialTime(sig.Inception, r.now), serialTime(sig.Expiration, r.now)
	switch {
	case r.now.Unix() > until.Unix():
		return bogus(ReasonExpired, s.name, "the signature of %s expired at %s", what, until.Format(time.RFC3339)), false
	case r.now.Unix() < from.Unix():
		return bogus(ReasonNotYetValid, s.name, "the signature of %s is valid from %s", what, from.Format(time.RFC3339)), false
	}
	return verdict{}, true
}

// lengthFits checks the length of signatures that have only one.
func lengthFits(sig *dns.RRSIG) bool {
	n := base64.StdEncoding.DecodedLen(len(sig.Signature))
	for i := len(sig.Signature); i > 0 && sig.Signature[i-1] == '='; i-- {
		n--
	}
	switch sig.Algorithm {
	case dns.ECDSAP256SHA256, dns.ED25519:
		return n == 64 // RFC 6605, Section 4; RFC 8080, Section 4
	case dns.ECDSAP384SHA384:
		return n == 96
	}
	return n > 0
}

// serialTime reads a time of a signature: it counts modulo 2^32 and means the
// nearest such time (RFC 4034, Section 3.1.5; RFC 1982).
func serialTime(v uint32, now time.Time) time.Time {
	at := now.Unix()
	return time.Unix(at+int64(int32(v-uint32(at))), 0).UTC()
}

// expanded reports that the set was made from a wildcard (RFC 4035, Section
// 5.3.2).
func expanded(s *set, sig *dns.RRSIG) bool {
	n := s.name.NumLabels()
	if s.name.First() == "*" {
		n--
	}
	return int(sig.Labels) < n
}

// signers lists the zones in whose name the set is signed, as far as they may
// sign it, the deepest first.
func signers(sets []*set, may func(owner, signer resolve.Name) bool) []resolve.Name {
	var out []resolve.Name
	for _, s := range sets {
	next:
		for _, sig := range s.sigs {
			n, err := resolve.NameFromMaster(sig.SignerName)
			if err != nil || !s.name.Within(n) || !may(s.name, n) {
				continue
			}
			for i, o := range out {
				if o == n {
					continue next
				}
				if n.NumLabels() > o.NumLabels() {
					out = append(out[:i], append([]resolve.Name{n}, out[i:]...)...)
					continue next
				}
			}
			out = append(out, n)
		}
	}
	return out[:min(len(out), maxSigners)]
}
