package dane

import (
	"errors"
	"fmt"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Security is what DNSSEC validation says of an answer (RFC 4033, Section 5). The
// zero value is Indeterminate, so that nothing validated is never taken for proof.
type Security uint8

// The states of security.
const (
	Indeterminate Security = iota // not validated, or it could not be found out
	Secure                        // proven by signatures from the root down
	Insecure                      // proven not to be signed
	Bogus                         // it should be signed and does not validate
)

var securityWords = []string{"indeterminate", "secure", "insecure", "bogus"}

// String is "secure", "insecure", "bogus" or "indeterminate".
func (s Security) String() string {
	if int(s) < len(securityWords) {
		return securityWords[s]
	}
	return securityWords[Indeterminate]
}

// MarshalText writes the word of String.
func (s Security) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word of String.
func (s *Security) UnmarshalText(b []byte) error {
	for i, w := range securityWords {
		if string(b) == w {
			*s = Security(i)
			return nil
		}
	}
	return fmt.Errorf("dane: unknown security %s", clip(string(b)))
}

// worst is the security of what rests on both.
func worst(a, b Security) Security {
	for _, s := range []Security{Bogus, Insecure, Indeterminate} {
		if a == s || b == s {
			return s
		}
	}
	return Secure
}

// TrustAD believes a resolver that validates and is reached in a way that nobody
// can tamper with, such as one on the same machine: the AD bit is Secure, its
// absence Insecure, and a failure of DNSSEC (RFC 8914) Bogus. A SERVFAIL without a
// reason is Indeterminate.
func TrustAD(a resolve.Answer, err error) Security {
	for _, e := range a.Extended {
		switch e.Code {
		case 6, 7, 8, 9, 10, 11, 12: // RFC 8914, Section 4: bogus, expired, not yet valid, and what is missing
			if errors.Is(err, resolve.ErrServFail) {
				return Bogus
			}
		}
	}
	switch {
	case resolve.StateOf(err) == resolve.Unavailable:
		return Indeterminate
	case a.AuthenticData:
		return Secure
	}
	return Insecure
}
