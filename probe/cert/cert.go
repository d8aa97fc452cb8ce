package cert

import (
	"fmt"
	"slices"
	"strings"
)

// State of one question. The zero value is Unknown.
type State uint8

// The three states.
const (
	Unknown State = iota
	Bad
	Good
)

var stateWords = []string{"unknown", "bad", "good"}

// String is "unknown", "bad" or "good".
func (s State) String() string {
	if int(s) < len(stateWords) {
		return stateWords[s]
	}
	return stateWords[Unknown]
}

// MarshalText writes the word of String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word of String.
func (s *State) UnmarshalText(b []byte) error {
	for i, w := range stateWords {
		if string(b) == w {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("cert: state %.20q is none of %s", b, strings.Join(stateWords, ", "))
}

// Problem names what is wrong. Empty when nothing is.
type Problem string

// The problems of a chain, of the names, of the time and of the keys.
const (
	NoRoots          Problem = "no-roots"          // this machine has no trusted roots: unknown
	NoCertificate    Problem = "no-certificate"    // nothing was presented
	SelfSigned       Problem = "self-signed"       // the host's certificate signs itself
	UntrustedRoot    Problem = "untrusted-root"    // the chain ends in an authority that is not trusted
	Incomplete       Problem = "incomplete"        // the issuer of the last certificate was not sent and is no trusted root
	NotForServers    Problem = "not-for-servers"   // the extended key usage excludes server authentication
	Constrained      Problem = "name-constraint"   // an authority may not issue for these names
	InvalidChain     Problem = "invalid-chain"     // anything else that RFC 5280, Section 6 refuses
	NameMismatch     Problem = "name-mismatch"     // there are names, and the host's is not among them
	NoNames          Problem = "no-names"          // no DNS name at all; a common name does not count
	Expired          Problem = "expired"           // the host's certificate
	NotYetValid      Problem = "not-yet-valid"     // the host's certificate
	IssuerOutOfTime  Problem = "issuer-expired"    // a certificate above it
	WeakKey          Problem = "weak-key"          // of the host or of an authority that was presented
	WeakSignature    Problem = "weak-signature"    // SHA-1 or older signs the host's certificate or one above it
	UnsupportedCheck Problem = "cannot-be-checked" // an algorithm or extension that this program does not know
)

// Check is the answer to one question.
type Check struct {
	State   State   `json:"state"`
	Problem Problem `json:"problem,omitempty"`
	// Detail is in our words; what comes from the certificate is quoted.
	Detail string `json:"detail,omitempty"`
}

// Verdict holds the answers. A sender that authenticates by authority (RFC 8461)
// needs all of Chain, Name, Time; one that uses DANE-EE needs none (RFC 7672,
// Section 3.1.1).
type Verdict struct {
	Chain Check `json:"chain"` // does it lead to a trusted root, whatever the names and dates
	Name  Check `json:"name"`  // is it for the host
	Time  Check `json:"time"`  // is it valid now
	Key   Check `json:"key"`   // are keys and signatures strong enough
}

// OK tells whether a sender that authenticates by authority accepts the
// certificate. Proven bad outweighs unknown.
func (v Verdict) OK() State {
	all := [...]State{v.Chain.State, v.Name.State, v.Time.State}
	switch {
	case slices.Contains(all[:], Bad):
		return Bad
	case slices.Contains(all[:], Unknown):
		return Unknown
	}
	return Good
}
