package arc

import (
	"crypto"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
)

// Status is the verdict on a chain, in the words of RFC 8617, Section 4.4.
type Status string

// The statuses.
const (
	None Status = "none" // the message has no ARC sets
	Pass Status = "pass" // all seals and the newest message signature verify
	Fail Status = "fail" // anything else; a failed chain is as good as none
)

// Reason says in one word why a chain fails. The words are stable.
type Reason string

// The reasons.
const (
	ReasonTooMany   Reason = "too-many-sets"     // over 50 (RFC 8617, Section 4.2.1)
	ReasonInstance  Reason = "instance"          // a field without usable i=
	ReasonDuplicate Reason = "duplicate-field"   // a set has one of its fields twice
	ReasonMissing   Reason = "missing-field"     // a set lacks one of its three fields
	ReasonGap       Reason = "gap"               // the instances are not 1 to N
	ReasonSaidFail  Reason = "cv-fail"           // the newest sealer found the chain broken already
	ReasonCV        Reason = "cv"                // cv= is not none in set 1, or not pass above
	ReasonMessage   Reason = "message-signature" // the newest ARC-Message-Signature does not verify
	ReasonSeal      Reason = "seal"              // an ARC-Seal does not verify
	ReasonLimit     Reason = "limit"             // the message is over a limit: see Result.Limits
)

// MaxSets is the number of sets a message can have (RFC 8617, Section 4.2.1).
const MaxSets = 50

// Options are the settings of [Validate]. The zero value is the usual one.
type Options struct {
	Now func() time.Time // nil: time.Now; for x=

	MaxHeaderBytes int   // 0: dkim.MaxHeaderBytes
	MaxBodyBytes   int64 // 0: no limit
	MaxKeyBits     int   // 0: dkim.MaxVerifyBits
}

// Result is the result of [Validate].
type Result struct {
	Status      Status
	Reason      Reason // empty unless the chain fails
	Explanation string // in words: who broke what, or whose word the chain carries
	Instance    int    // the set that the reason is about, 0 if it is about none

	Sets   []Set // by instance, as far as they could be read
	Limits []dkim.Limit

	// OldestPass is the lowest instance whose message signature still verifies, 0
	// if all do (RFC 8617, Section 5.2). It is known for a chain that passes.
	OldestPass int
	// ChangedBy is the domain that changed the message, as far as the chain shows:
	// the one of set OldestPass. Empty if nobody did.
	ChangedBy string
	// Sealer is the domain of the newest seal: whose word a chain that passes is.
	Sealer string
}

// Set is an ARC set. Text of the message is as it was written: escape it before
// showing.
type Set struct {
	Instance    int
	AuthResults string // the payload of ARC-Authentication-Results, unfolded
	CV          string // cv= of the seal
	Message     Signature
	Seal        Signature
}

// Signature is an ARC-Message-Signature or ARC-Seal field and what came of it.
type Signature struct {
	Present     bool
	Status      dkim.Status // None when it was not checked, as a verdict was there before
	Reason      dkim.Reason
	Explanation string

	Domain           string
	Selector         string
	Algorithm        string
	Canonicalization string     // of the message signature
	SignedHeaders    []string   // of the message signature
	BodyHash         dkim.Match // of the message signature
	HeaderHash       dkim.Match
	KeyBits          int
	Time             time.Time // t=, zero if absent

	public crypto.PublicKey
}
