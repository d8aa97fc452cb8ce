package keys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"

	"github.com/mailcheck-go/mailcheck/dkim"
)

// Lengths of RSA keys, in bits of the modulus.
const (
	// MinBits is the shortest key that signers may use and verifiers accept
	// (RFC 8301, Section 3.2).
	MinBits = 1024
	// DefaultBits is the length that signers should at least use (RFC 8301, Section
	// 3.2), and the longest whose record fits everywhere.
	DefaultBits = 2048
	// MaxGenerateBits is the longest key that verifiers must support (RFC 8301,
	// Section 3.2).
	MaxGenerateBits = 4096
	// MaxBits is the longest key that is read: beyond it [dkim.Verify] refuses the
	// signatures.
	MaxBits = dkim.MaxVerifyBits
)

// Form is the form in which a private key was kept.
type Form string

// The forms.
const (
	FormPKCS8       Form = "PKCS#8 PEM"          // what this package writes
	FormPKCS1       Form = "PKCS#1 PEM"          // OpenDKIM and older OpenSSL
	FormBarePKCS8   Form = "PKCS#8 base64"       // without the PEM frame
	FormBarePKCS1   Form = "PKCS#1 base64"       // in key tables of OpenDKIM
	FormBareSeed    Form = "Ed25519 seed base64" // dkimpy: the 32 octets of RFC 8032
	FormBareKeyPair Form = "Ed25519 pair base64" // rspamd: the seed, then the public key
)

// Key is a private key. The zero value is no key.
type Key struct {
	// A closure, because fmt looks into unexported fields, and behind pointers, without
	// asking [Key.Format]; what a function holds it cannot see.
	secret func() crypto.Signer
	form   Form
}

func newKey(s crypto.Signer, form Form) Key {
	return Key{func() crypto.Signer { return s }, form}
}

// Options says which key [Generate] makes. The zero value is RSA of 2048 bits.
type Options struct {
	Type string    // dkim.KeyRSA or dkim.KeyEd25519; empty: RSA
	Bits int       // of an RSA key, 1024 to 4096; 0: 2048
	Rand io.Reader // of an Ed25519 key; nil: the system's. RSA keys always use the system's
}

// Generate makes a new key. Errors match [ErrTooShort] or [ErrUnsupported].
func Generate(opt Options) (Key, error) {
	switch opt.Type {
	case "", dkim.KeyRSA:
		bits := opt.Bits
		if bits == 0 {
			bits = DefaultBits
		}
		// RFC 8301, Section 3.2: signers must use at least 1024 bits; verifiers need
		// not support more than 4096.
		if bits < MinBits {
			return Key{}, &Error{Reason: fmt.Sprintf("an RSA key of %d bits, receivers refuse less than %d", bits, MinBits), Hint: "use 2048 bits", Err: ErrTooShort}
		}
		if bits > MaxGenerateBits || bits%8 != 0 {
			return Key{}, &Error{Reason: fmt.Sprintf("an RSA key of %d bits", bits), Hint: "use 2048, 3072 or 4096 bits", Err: ErrUnsupported}
		}
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return Key{}, fmt.Errorf("keys: %w", err)
		}
		return newKey(k, FormPKCS8), nil
	case dkim.KeyEd25519:
		if opt.Bits != 0 && opt.Bits != 256 {
			return Key{}, &Error{Reason: fmt.Sprintf("an Ed25519 key of %d bits", opt.Bits), Hint: "Ed25519 keys have one length; leave it out", Err: ErrUnsupported}
		}
		_, k, err := ed25519.GenerateKey(opt.Rand)
		if err != nil {
			return Key{}, fmt.Errorf("keys: %w", err)
		}
		return newKey(k, FormPKCS8), nil
	}
	return Key{}, &Error{Reason: fmt.Sprintf("key type %q", shorten(opt.Type)), Hint: "DKIM has rsa and ed25519", Err: ErrUnsupported}
}

// FromSigner wraps a key that was made elsewhere: an *[rsa.PrivateKey] or an
// [ed25519.PrivateKey].
func FromSigner(s crypto.Signer) (Key, error) {
	switch k := s.(type) {
	case *rsa.PrivateKey:
		if k == nil || k.N == nil {
			break
		}
		return checked(k, FormPKCS8)
	case ed25519.PrivateKey:
		if len(k) == ed25519.PrivateKeySize {
			return checked(k, FormPKCS8)
		}
	}
	return Key{}, &Error{Reason: fmt.Sprintf("a key of type %T", s), Hint: "DKIM has rsa and ed25519", Err: ErrUnsupported}
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.secret == nil }

// Signer is the private key, to sign with.
func (k Key) Signer() crypto.Signer {
	if k.secret == nil {
		return nil
	}
	return k.secret()
}

// Public is the public key, an *[rsa.PublicKey] or an [ed25519.PublicKey].
func (k Key) Public() crypto.PublicKey {
	if k.secret == nil {
		return nil
	}
	return k.secret().Public()
}

// Form is the form in which the key was kept, [FormPKCS8] for a new one.
func (k Key) Form() Form { return k.form }

// Type is [dkim.KeyRSA] or [dkim.KeyEd25519].
func (k Key) Type() string {
	switch k.Signer().(type) {
	case *rsa.PrivateKey:
		return dkim.KeyRSA
	case ed25519.PrivateKey:
		return dkim.KeyEd25519
	}
	return ""
}

// Bits is the length of an RSA modulus, 256 for Ed25519.
func (k Key) Bits() int {
	switch s := k.Signer().(type) {
	case *rsa.PrivateKey:
		return s.N.BitLen()
	case ed25519.PrivateKey:
		return 256
	}
	return 0
}

// Record is the record that publishes the key.
func (k Key) Record() (dkim.Record, error) {
	if k.secret == nil {
		return dkim.Record{}, errNone()
	}
	return dkim.RecordFor(k.Public())
}

// Fingerprint is the SHA-256 of the public key, as [dkim.Key] has it: the same
// for the same key in any form.
func (k Key) Fingerprint() string {
	r, err := k.Record()
	if err != nil {
		return ""
	}
	return r.Key.SHA256
}

// Matches reports whether a published key is the public half of this one.
func (k Key) Matches(pub dkim.Key) bool {
	f := k.Fingerprint()
	return f != "" && f == pub.SHA256
}

// Warnings tells what makes the key a poor choice, in sentences without a final
// full stop. Alone says that no other key signs beside it.
func (k Key) Warnings(alone bool) []string {
	var out []string
	switch bits := k.Bits(); {
	case k.Type() == dkim.KeyEd25519 && alone:
		// RFC 8463, Section 6: not every verifier knows it, so signers add an RSA signature.
		out = append(out, "Ed25519 alone: verifiers that do not know it, several large receivers among them, see unsigned mail; sign with an RSA key as well, under a second selector")
	case k.Type() == dkim.KeyEd25519:
	case bits < DefaultBits:
		// RFC 8301, Section 3.2: signers should use at least 2048 bits.
		out = append(out, fmt.Sprintf("RSA of %d bits: accepted today, but at least %d are advised", bits, DefaultBits))
	case bits > MaxGenerateBits:
		out = append(out, fmt.Sprintf("RSA of %d bits: verifiers need not support more than %d", bits, MaxGenerateBits))
	case bits > 3072:
		out = append(out, fmt.Sprintf("RSA of %d bits: some DNS panels do not take so long a record; %d are enough", bits, DefaultBits))
	}
	if s, ok := k.Signer().(*rsa.PrivateKey); ok && s.E != 65537 {
		out = append(out, fmt.Sprintf("RSA exponent %d, usual is 65537", s.E))
	}
	return out
}

// String is "rsa 2048 bits SHA256:0123…": nothing private.
func (k Key) String() string {
	if k.secret == nil {
		return "no key"
	}
	f := k.Fingerprint()
	return fmt.Sprintf("%s %d bits SHA256:%s", k.Type(), k.Bits(), f[:min(len(f), 16)])
}

// Format prints [Key.String] for every verb, as %v and %#v would print the fields.
func (k Key) Format(s fmt.State, _ rune) { io.WriteString(s, k.String()) }

// GoString is [Key.String].
func (k Key) GoString() string { return k.String() }

// LogValue is [Key.String].
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText is [Key.String], so that no encoder reaches the key.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// checked refuses keys that no verifier accepts.
func checked(s crypto.Signer, form Form) (Key, error) {
	k, ok := s.(*rsa.PrivateKey)
	if !ok {
		return newKey(s, form), nil
	}
	switch bits := k.N.BitLen(); {
	case bits < MinBits:
		return Key{}, &Error{Reason: fmt.Sprintf("an RSA key of %d bits, receivers refuse less than %d", bits, MinBits), Hint: "make a key of 2048 bits under a new selector", Err: ErrTooShort}
	case bits > MaxBits:
		return Key{}, &Error{Reason: fmt.Sprintf("an RSA key of %d bits, limit %d", bits, MaxBits), Hint: "make a key of 2048 bits under a new selector", Err: ErrUnsupported}
	case k.E < 3 || big.NewInt(int64(k.E)).BitLen() > 31:
		return Key{}, &Error{Reason: "an RSA key with an exponent that nobody uses", Hint: "make a new key", Err: ErrUnsupported}
	}
	// Validate multiplies the primes and checks the exponents; a key that fails it
	// would make signatures that nobody can verify.
	if err := k.Validate(); err != nil {
		return Key{}, &Error{Reason: "an RSA key whose parts do not fit together", Hint: "the file was damaged or cut; restore it or make a new key", Err: ErrNotKey}
	}
	return newKey(k, form), nil
}

func errNone() error { return &Error{Reason: "no key", Err: ErrNotKey} }

// Errors. Each error of this package about a key matches one of them.
var (
	ErrNotKey      = errors.New("keys: not a private key")       // nothing readable, or damaged
	ErrPublic      = errors.New("keys: a public key")            // the other half
	ErrEncrypted   = errors.New("keys: encrypted with a phrase") // no DKIM signer can read it
	ErrUnsupported = errors.New("keys: not a DKIM key")          // of another type or size
	ErrTooShort    = errors.New("keys: too short for mail")      // RSA under 1024 bits
)

// Error tells why a key cannot be used. It never quotes what was read.
type Error struct {
	Reason string
	Hint   string // what to do about it
	Err    error  // one of the errors above
}

// Error is "keys: not a private key: the base64 text ends early".
func (e *Error) Error() string {
	if e.Err == nil {
		return "keys: " + e.Reason
	}
	return e.Err.Error() + ": " + e.Reason
}

// Unwrap returns one of the package's errors.
func (e *Error) Unwrap() error { return e.Err }

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
