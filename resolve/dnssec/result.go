package dnssec

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Status is what validation says of an answer (RFC 4033, Section 5).
type Status string

// The statuses. The zero value is no status.
const (
	Secure        Status = "secure"        // proven, from a trust anchor down
	Insecure      Status = "insecure"      // proven to be unsigned, or signed in no way that is supported
	Bogus         Status = "bogus"         // should be signed, but the proof fails: validating receivers get no answer
	Indeterminate Status = "indeterminate" // could not be found out
)

// rank orders statuses: an answer of several parts is as bad as its worst.
func (s Status) rank() int {
	switch s {
	case Secure:
		return 0
	case Insecure:
		return 1
	case Indeterminate:
		return 2
	}
	return 3
}

// Reason tells why an answer is not secure.
type Reason string

// Reasons for [Insecure].
const (
	ReasonNoDS       Reason = "no-ds"            // the parent zone proves that there is no DS
	ReasonOptOut     Reason = "opt-out"          // an opt-out NSEC3 covers the name (RFC 5155, Section 6)
	ReasonAlgorithm  Reason = "algorithm"        // every DS has an algorithm or digest that is not supported
	ReasonIterations Reason = "nsec3-iterations" // RFC 9276, Section 3.2
)

// Reasons for [Bogus].
const (
	ReasonExpired       Reason = "expired"
	ReasonNotYetValid   Reason = "not-yet-valid"
	ReasonNoSignature   Reason = "no-signature"  // no RRSIG, or none of an algorithm that is supported
	ReasonWrongKey      Reason = "wrong-key"     // the zone has no key with the signature's tag and algorithm
	ReasonBadSignature  Reason = "bad-signature" // the key does not verify it
	ReasonSigner        Reason = "signer"        // signed in the name of something that is not the zone
	ReasonDSMismatch    Reason = "ds-mismatch"   // no key of the zone is the one that its DS names
	ReasonNoKeys        Reason = "no-keys"       // there is a DS, but the zone has no DNSKEY
	ReasonMissingDenial Reason = "missing-denial"
	ReasonLimit         Reason = "limit" // more work than an honest zone needs; with Indeterminate: this lookup needed too much
)

// Reasons for [Indeterminate].
const (
	ReasonLookup    Reason = "lookup"     // a record that is needed could not be fetched
	ReasonStripped  Reason = "stripped"   // the resolver returns no DNSSEC records
	ReasonNoAnchor  Reason = "no-anchor"  // no trust anchor is at or above the name
	ReasonWeakKey   Reason = "weak-key"   // an RSA key that this program cannot use, though others may
	ReasonNotSigned Reason = "not-signed" // ANY and RRSIG answers are not signed by design
)

// ReasonResolver is the reason of a [Secure] status that a trusted resolver has
// found and not this package.
const ReasonResolver Reason = "resolver"

// Result is the verdict on one question.
type Result struct {
	Question resolve.Question
	Status   Status
	Reason   Reason       // empty if this package found it secure
	Detail   string       // for people, in one line; foreign text in it is quoted
	At       resolve.Name // the name at which the verdict was decided
	Chain    []Link       // the zones proven on the way to At, from the anchor down

	// Expires is when the first signature of the proof ends; zero if there is none.
	Expires time.Time

	// Answer holds what was seen, whatever the status. Its AuthenticData is set if
	// the status is Secure.
	Answer resolve.Answer
	// Err is what a validating resolver makes of the answer, a *resolve.Error: nil
	// or absent if the status is Secure or Insecure, else unavailable. An aliases'
	// loop is unavailable too, whatever its status.
	Err error
}

// String is "example.org MX: bogus (expired) at example.org: …".
func (r Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", r.Question, r.Status)
	if r.Reason != "" {
		fmt.Fprintf(&b, " (%s)", r.Reason)
	}
	if !r.At.IsZero() && r.Status != Secure {
		fmt.Fprintf(&b, " at %s", r.At)
	}
	if r.Detail != "" {
		fmt.Fprintf(&b, ": %s", r.Detail)
	}
	return b.String()
}

// Link is one zone of the chain of trust and the key that the link hangs on.
type Link struct {
	Zone      resolve.Name
	Anchor    bool   // the key is trusted as it was configured, not through a DS record
	Digest    uint8  // DS digest type
	KeyTag    uint16 // of the key that the DS names and that signs the zone's keys
	Algorithm Algorithm

	// Inception and Expiration bound the signature over the zone's keys.
	Inception, Expiration time.Time
}

// String is "org: key 26974, algorithm 8 (RSASHA256), DS digest 2, valid from … to …".
func (l Link) String() string {
	from := fmt.Sprintf("DS digest %d", l.Digest)
	if l.Anchor {
		from = "trust anchor"
	}
	return fmt.Sprintf("%s: key %d, algorithm %s, %s, valid from %s to %s", l.Zone, l.KeyTag, l.Algorithm, from,
		l.Inception.UTC().Format(time.RFC3339), l.Expiration.UTC().Format(time.RFC3339))
}

// Algorithm is a DNSSEC algorithm number (RFC 9904).
type Algorithm uint8

var algorithms = map[Algorithm]string{
	1: "RSAMD5", 3: "DSA", 5: "RSASHA1", 6: "DSA-NSEC3-SHA1", 7: "RSASHA1-NSEC3-SHA1", 8: "RSASHA256", 10: "RSASHA512",
	12: "ECC-GOST", 13: "ECDSAP256SHA256", 14: "ECDSAP384SHA384", 15: "ED25519", 16: "ED448",
}

// Supported reports whether signatures of the algorithm count here.
func (a Algorithm) Supported() bool {
	switch a {
	case 8, 10, 13, 14, 15:
		return true
	}
	// RFC 9905, Section 2: 5 and 7 are to be treated as unsupported.
	return false
}

// String is "13 (ECDSAP256SHA256)".
func (a Algorithm) String() string {
	if n := algorithms[a]; n != "" {
		return fmt.Sprintf("%d (%s)", uint8(a), n)
	}
	return fmt.Sprint(uint8(a))
}

// verdict is a status with its reason.
type verdict struct {
	status Status
	reason Reason
	at     resolve.Name
	detail string
	err    error // of the lookup, for Indeterminate
}

func (v verdict) ok() bool { return v.status == Secure }

// worse returns the worse of two verdicts, the first if they are equally bad.
func worse(a, b verdict) verdict {
	if b.status.rank() > a.status.rank() {
		return b
	}
	return a
}

var secure = verdict{status: Secure}

func insecure(r Reason, at resolve.Name, detail string) verdict {
	return verdict{status: Insecure, reason: r, at: at, detail: detail}
}

func bogus(r Reason, at resolve.Name, format string, args ...any) verdict {
	return verdict{status: Bogus, reason: r, at: at, detail: fmt.Sprintf(format, args...)}
}

func unknown(r Reason, at resolve.Name, detail string, err error) verdict {
	return verdict{status: Indeterminate, reason: r, at: at, detail: detail, err: err}
}
