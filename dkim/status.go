package dkim

import "github.com/mailcheck-go/mailcheck/dkim/internal/signature"

// Status is the verdict on a signature, in the words of RFC 8601, Section 2.7.1.
type Status string

// The statuses.
const (
	None      Status = "none"      // the message has no signature
	Pass      Status = "pass"      // the signature verifies
	Fail      Status = "fail"      // the message was altered, or the signature was made with another key
	Policy    Status = "policy"    // refused by rule: SHA-1, a key under 1024 bits or over the limit
	Neutral   Status = "neutral"   // not judged, because a limit was reached
	TempError Status = "temperror" // the key could not be read now
	PermError Status = "permerror" // the signature or the key cannot be used
)

// Reason says in one word why a signature has its status. The words are stable.
type Reason string

// The reasons. A passing signature has none.
const (
	// The field: status permerror.
	ReasonSyntax           Reason = signature.Syntax           // malformed tag list or value
	ReasonMissingTag       Reason = signature.MissingTag       // a required tag is absent or empty
	ReasonDuplicateTag     Reason = signature.DuplicateTag     // a tag occurs twice
	ReasonVersion          Reason = signature.Version          // v= is not 1
	ReasonAlgorithm        Reason = signature.Algorithm        // a= is unknown
	ReasonCanonicalization Reason = signature.Canonicalization // c= is unknown
	ReasonQuery            Reason = signature.Query            // q= has no known method
	ReasonDomain           Reason = signature.Domain           // d= is no domain
	ReasonSelector         Reason = signature.Selector         // s= is no selector
	ReasonIdentity         Reason = signature.Identity         // i= is not within d=
	ReasonFromUnsigned     Reason = signature.FromUnsigned     // h= does not list From
	ReasonExpiryOrder      Reason = signature.ExpiryOrder      // x= is not after t=
	ReasonExpired          Reason = "expired"                  // x= has passed

	// The key: status permerror, for the first temperror, for the last two policy.
	ReasonKeyUnavailable Reason = "key-unavailable" // no answer, so nothing is known
	ReasonNoKey          Reason = "no-key"          // there is no record at the selector
	ReasonNotKey         Reason = "not-a-key"       // there are other TXT records only
	ReasonKeySyntax      Reason = "key-syntax"      // the record or its key cannot be read
	ReasonRevoked        Reason = "key-revoked"     // p= is empty
	ReasonKeyType        Reason = "key-type"        // the key is of another type than a= needs
	ReasonKeyHash        Reason = "key-hash"        // h= of the key has no sha256
	ReasonKeyService     Reason = "key-service"     // s= of the key excludes mail
	ReasonKeyIdentity    Reason = "key-identity"    // t=s of the key, and i= is a subdomain
	ReasonKeyShort       Reason = "key-too-short"   // under 1024 bits
	ReasonKeyLong        Reason = "key-too-long"    // over the limit

	ReasonSHA1 Reason = "sha1" // status policy: rsa-sha1 counts no more

	// The message: status fail.
	ReasonBodyAltered   Reason = "body-altered"       // the body is not what was signed
	ReasonBodyTruncated Reason = "body-truncated"     // the body is shorter than l=
	ReasonHeaderAltered Reason = "header-altered"     // the key fits, and a signed field is not what was signed
	ReasonWrongKey      Reason = "wrong-key"          // RSA: b= was not made with the published key, or was damaged
	ReasonMismatch      Reason = "signature-mismatch" // Ed25519: one of the two above, it cannot be told which

	ReasonLimit Reason = signature.Limit // status neutral: see Verification.Limits
)

// Match is the outcome of one comparison.
type Match string

// The outcomes. The zero value means that it was not compared.
const (
	Same    Match = "same"
	Differs Match = "differs"
)
