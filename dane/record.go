package dane

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Usage says what a record vouches for (RFC 6698, Section 2.1.1; RFC 7218).
type Usage uint8

// The usages. Senders of mail use the last two (RFC 7672, Section 3.1).
const (
	PKIXTA Usage = 0
	PKIXEE Usage = 1
	DANETA Usage = 2 // an issuer: name and expiry of the server's certificate count
	DANEEE Usage = 3 // the server's own certificate or key: name and expiry do not count
)

// String is the acronym of RFC 7218, or the number.
func (u Usage) String() string { return word(usageWords, uint8(u)) }

// Selector says what part of a certificate is compared (RFC 6698, Section 2.1.2).
type Selector uint8

// The selectors.
const (
	Cert Selector = 0 // all of it
	SPKI Selector = 1 // its public key
)

// String is the acronym of RFC 7218, or the number.
func (s Selector) String() string { return word(selectorWords, uint8(s)) }

// Matching says how it is compared (RFC 6698, Section 2.1.3).
type Matching uint8

// The matching types.
const (
	Full   Matching = 0 // octet by octet
	SHA256 Matching = 1
	SHA512 Matching = 2
)

// String is the acronym of RFC 7218, or the number.
func (m Matching) String() string { return word(matchingWords, uint8(m)) }

var (
	usageWords    = map[uint8]string{0: "PKIX-TA", 1: "PKIX-EE", 2: "DANE-TA", 3: "DANE-EE", 255: "PrivCert"}
	selectorWords = map[uint8]string{0: "Cert", 1: "SPKI", 255: "PrivSel"}
	matchingWords = map[uint8]string{0: "Full", 1: "SHA2-256", 2: "SHA2-512", 255: "PrivMatch"}
)

func word(words map[uint8]string, n uint8) string {
	if w, found := words[n]; found {
		return w
	}
	return strconv.Itoa(int(n))
}

// Params are the three numbers of a record.
type Params struct {
	Usage    Usage
	Selector Selector
	Matching Matching
}

// String is "3 1 1".
func (p Params) String() string { return fmt.Sprintf("%d %d %d", p.Usage, p.Selector, p.Matching) }

// ParseParams reads "3 1 1", or the acronyms of RFC 7218. Errors are *[ParseError].
func ParseParams(text string) (Params, error) {
	s := &scanner{in: text}
	p := s.params()
	if t, at := s.next(); t != "" {
		s.fault(at, "something follows the three numbers: "+clip(t), "")
	}
	return p, s.err()
}

// Record is a TLSA record (RFC 6698, Section 2.1).
type Record struct {
	Params
	Data []byte // certificate association data: a digest, or all of what is compared
}

// FromTLSA takes the data of a DNS record.
func FromTLSA(d resolve.TLSA) Record {
	return Record{Params{Usage(d.Usage), Selector(d.Selector), Matching(d.Matching)}, d.Association}
}

// TLSA is the data of a DNS record.
func (r Record) TLSA() resolve.TLSA {
	return resolve.TLSA{Usage: uint8(r.Usage), Selector: uint8(r.Selector), Matching: uint8(r.Matching), Association: r.Data}
}

// String is the record data in master file form: "3 1 1 0c72...".
func (r Record) String() string { return fmt.Sprintf("%s %x", r.Params, r.Data) }

// MarshalText writes String.
func (r Record) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what Parse reads.
func (r *Record) UnmarshalText(b []byte) error {
	v, err := Parse(string(b))
	*r = v
	return err
}

// Equal reports whether two records are the same.
func (r Record) Equal(o Record) bool { return r.Params == o.Params && bytes.Equal(r.Data, o.Data) }

// Unusable tells why no sender of mail can use the record; it is empty if they can.
func (r Record) Unusable() string {
	switch {
	case r.Usage == PKIXTA || r.Usage == PKIXEE:
		// RFC 7672, Section 3.1.3: there is no common set of roots for mail.
		return fmt.Sprintf("usage %d (%s) is not for mail: 2 or 3 is needed", r.Usage, r.Usage)
	case r.Usage != DANETA && r.Usage != DANEEE:
		return fmt.Sprintf("usage %d is not known", r.Usage)
	case r.Selector != Cert && r.Selector != SPKI:
		return fmt.Sprintf("selector %d is not known", r.Selector)
	}
	switch r.Matching {
	case SHA256, SHA512:
		want := sha256.Size
		if r.Matching == SHA512 {
			want = sha512.Size
		}
		if len(r.Data) != want {
			return fmt.Sprintf("%d octets are no %s digest, which has %d", len(r.Data), r.Matching, want)
		}
	case Full:
		var err error
		if r.Selector == Cert {
			_, err = x509.ParseCertificate(r.Data)
		} else {
			_, err = x509.ParsePKIXPublicKey(r.Data)
		}
		if err != nil {
			what := "certificate"
			if r.Selector == SPKI {
				what = "public key"
			}
			return "the data is no " + what
		}
	default:
		return fmt.Sprintf("matching type %d is not known", r.Matching)
	}
	return ""
}

// digest is what a record with these parameters holds for a part of a certificate;
// nil if the matching type is not known.
func (m Matching) digest(part []byte) []byte {
	switch m {
	case Full:
		return part
	case SHA256:
		sum := sha256.Sum256(part)
		return sum[:]
	case SHA512:
		sum := sha512.Sum512(part)
		return sum[:]
	}
	return nil
}

// matches compares the record with one certificate.
func (r Record) matches(c *x509.Certificate) bool {
	part := c.Raw
	if r.Selector == SPKI {
		part = c.RawSubjectPublicKeyInfo
	}
	d := r.Matching.digest(part)
	return d != nil && bytes.Equal(d, r.Data)
}

// Owner is the name of the records of a host: _25._tcp.mx.example.org (RFC 7672,
// Section 2.2.3). Port 0 stands for 25.
func Owner(host resolve.Name, port uint16) (resolve.Name, error) {
	if port == 0 {
		port = 25
	}
	if host.IsZero() || host.IsRoot() {
		return resolve.Name{}, errNoHost
	}
	return host.Below(fmt.Sprintf("_%d._tcp", port))
}

var errNoHost = errors.New("dane: no host name")

// ErrSyntax matches the error of a text that is no TLSA record.
var ErrSyntax = errors.New("dane: not a TLSA record")

// ParseError is a text that is no TLSA record, with all that is wrong with it.
type ParseError struct {
	In     string // the text, shortened
	Faults []Fault
}

// Fault is one thing wrong with a text.
type Fault struct {
	Offset  int    // octets from the start of the text
	Message string // safe to show
	Hint    string // what was probably meant, may be empty
}

// Error is the first fault; it quotes the text, so it is safe to show.
func (e *ParseError) Error() string {
	f := e.Faults[0]
	s := fmt.Sprintf("%v: %s at offset %d", ErrSyntax, f.Message, f.Offset)
	if f.Hint != "" {
		s += ": " + f.Hint
	}
	if n := len(e.Faults) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// Unwrap returns ErrSyntax.
func (e *ParseError) Unwrap() error { return ErrSyntax }

const (
	maxText   = 256 << 10 // octets: the data of a record in hexadecimal, with room for its white space
	maxData   = 65532     // octets: the data of a DNS record (RFC 1035, Section 3.2.1) without the three numbers
	maxFaults = 20        // kept per text
	maxQuoted = 60        // octets of foreign text in a message
)

// clip quotes foreign text and keeps it short.
func clip(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%+q", strings.ToValidUTF8(s[:maxQuoted], "")+"...")
	}
	return fmt.Sprintf("%+q", s)
}
