package dkim

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// KeyMatch is a key record judged for one kind of signature.
type KeyMatch struct {
	Record Record           // the record that was judged; zero if there is none
	Public crypto.PublicKey // nil if it cannot be used

	Status Status // Pass if it can be used
	Reason Reason
	Detail string // in words, foreign text quoted
}

// MaxVerifyBits is the largest RSA key that signatures are checked with.
// RFC 8301, Section 3.2, asks for 4096; twice that takes 16 times the work.
const MaxVerifyBits = 8192

// KeysFor judges the key records of a lookup for signatures of a key type,
// [KeyRSA] or [KeyEd25519], with SHA-256. There is at least one result. Usable
// records come first: with several at one selector it is undefined which one
// counts, and a verifier may try each (RFC 6376, Sections 3.6.2.2 and 6.1.2).
func (r Result) KeysFor(keyType string, maxBits int) []KeyMatch {
	if maxBits == 0 {
		maxBits = MaxVerifyBits
	}
	at := quoteName(r.Name)
	one := func(s Status, why Reason, format string, args ...any) []KeyMatch {
		return []KeyMatch{{Status: s, Reason: why, Detail: fmt.Sprintf(format, args...)}}
	}
	switch {
	case errors.Is(r.Err, ErrSelector):
		return one(PermError, ReasonSelector, "%v", r.Err)
	case r.State == resolve.Unavailable:
		// RFC 6376, Section 6.1.2: no answer is temporary.
		return one(TempError, ReasonKeyUnavailable, "the key at %s could not be read: %v", at, resolve.ReasonOf(r.Err))
	case r.Dangling:
		return one(PermError, ReasonNoKey, "%s is an alias of %s, where there is no key", at, quoteName(r.Target))
	case r.State == resolve.Absent:
		return one(PermError, ReasonNoKey, "there is no key at %s: %v", at, resolve.ReasonOf(r.Err))
	case len(r.Records) == 0:
		return one(PermError, ReasonNotKey, "the text at %s is no key record", at)
	}
	usable, rest := make([]KeyMatch, 0, len(r.Records)), []KeyMatch(nil)
	for _, rec := range r.Records {
		m := rec.match(keyType, maxBits, at)
		if m.Status == Pass {
			usable = append(usable, m)
		} else {
			rest = append(rest, m)
		}
	}
	return append(usable, rest...)
}

func quoteName(n resolve.Name) string { return shortenTo(n.String(), 120) }

func (r Record) match(keyType string, maxBits int, at string) KeyMatch {
	no := func(s Status, why Reason, format string, args ...any) KeyMatch {
		return KeyMatch{Record: r, Status: s, Reason: why, Detail: fmt.Sprintf(format, args...)}
	}
	if err := r.Err(); err != nil {
		p, _ := errors.AsType[*Problem](err)
		why, status := ReasonKeySyntax, PermError
		switch {
		case p.Kind == KeySize:
			why, status = ReasonKeyShort, Policy
		case p.Kind == TooBig && r.Key.Bits == 0 && p.Tag == "p":
			why, status = ReasonKeyLong, Policy
		case p.Kind == NoSHA256:
			why = ReasonKeyHash
		case p.Kind == NotForEmail:
			why = ReasonKeyService
		case p.Kind == UnknownKeyType || p.Kind == WrongKeyType && r.KeyType != keyType:
			why = ReasonKeyType
		}
		return no(status, why, "the key at %s cannot be used: %s", at, p.Detail)
	}
	switch {
	case r.Key.Revoked:
		// RFC 6376, Section 3.6.1: an empty p= is a revoked key.
		return no(PermError, ReasonRevoked, "the key at %s is revoked: its p= is empty", at)
	case r.Key.Type != keyType || r.KeyType != keyType:
		return no(PermError, ReasonKeyType, "the key at %s is of type %s, the signature needs %s", at, r.KeyType, keyType)
	case r.Key.Bits > maxBits:
		return no(Policy, ReasonKeyLong, "the key at %s has %d bits, limit %d", at, r.Key.Bits, maxBits)
	case r.Key.Public() == nil:
		return no(PermError, ReasonKeySyntax, "the key at %s cannot be read", at)
	}
	return KeyMatch{Record: r, Public: r.Key.Public(), Status: Pass}
}

func shortenTo(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return s[:limit] + "..."
}
