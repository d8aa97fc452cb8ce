package dkim

import (
	"errors"
	"fmt"
	"strings"
)

// Errors. Each problem that is not harmless matches one of them with errors.Is.
var (
	ErrSyntax  = errors.New("dkim: malformed key record")        // the tag list is not well-formed
	ErrNotKey  = errors.New("dkim: not a DKIM key record")       // another text, or another version
	ErrBadKey  = errors.New("dkim: unreadable public key")       // p= holds no key of the type
	ErrRefused = errors.New("dkim: key not acceptable for mail") // readable, and refused by rule
)

// Kind is a kind of problem.
type Kind string

// The kinds, with the RFC 6376 section that they break where no other is named.
const (
	Empty          Kind = "empty"             // no text
	NotKey         Kind = "not-a-key"         // SPF, DMARC or other text at the selector
	TooBig         Kind = "too-big"           // over [MaxRecord], [MaxTags], [MaxKey] or [MaxBits]
	WrongVersion   Kind = "wrong-version"     // v= is not exactly DKIM1 (3.6.1)
	VersionOrder   Kind = "version-not-first" // v= is not the first tag (3.6.1)
	DuplicateTag   Kind = "duplicate-tag"     // the whole list is invalid (3.2)
	NoEquals       Kind = "no-equals"         // a part without "=" (3.2)
	BadName        Kind = "bad-name"          // a tag name that is none (3.2)
	EmptyTag       Kind = "empty-tag"         // ";;", or a list tag without value (3.2, 3.6.1)
	TagCase        Kind = "tag-case"          // upper-case tag name: an unknown tag (3.2)
	NoSemicolon    Kind = "no-semicolon"      // two tags run together (3.2)
	Backslash      Kind = "backslash"         // escapes of a zone file in the text
	Quotes         Kind = "quotes"            // quotes of a zone file or of a word processor in the text
	BadCharacter   Kind = "bad-character"     // line breaks and octets outside printable ASCII (3.2)
	MissingKey     Kind = "missing-key"       // no p= (3.6.1)
	BadBase64      Kind = "bad-base64"        // p= cannot be decoded, or only without its padding (3.6.1)
	UnknownKeyType Kind = "unknown-key-type"  // k= is neither rsa nor ed25519 (3.6.1, RFC 8463)
	WrongKeyType   Kind = "wrong-key-type"    // p= holds a key of another type than k= says or implies
	BadKey         Kind = "bad-key"           // p= decodes to no key: truncated, garbled
	Ed25519SPKI    Kind = "ed25519-spki"      // ASN.1 around an Ed25519 key (RFC 8463, Section 4.2)
	PKCS1          Kind = "pkcs1"             // bare RSAPublicKey instead of SubjectPublicKeyInfo
	PrivateExposed Kind = "private-key"       // a private key
	KeySize        Kind = "key-size"          // RSA outside 2048 to 4096 bits (RFC 8301, Section 3.2)
	Exponent       Kind = "exponent"          // RSA exponent other than 65537
	NoSHA256       Kind = "no-sha256"         // h= without sha256 (RFC 8301, Section 3.1)
	NotForEmail    Kind = "not-for-email"     // s= without email or * (3.6.1)
	Testing        Kind = "testing"           // t=y: verifiers may treat the mail as unsigned (3.6.1)
	Obsolete       Kind = "obsolete-tag"      // g= of RFC 4871, ignored
)

// Effect is what a problem does to mail signed with the key.
type Effect string

// The effects. A mangled text is disputed by itself and discarded when the record
// is discarded because of it.
const (
	Discarded Effect = "discarded" // verifiers that follow the RFCs do not use the record
	Disputed  Effect = "disputed"  // verifiers differ
	Harmless  Effect = "harmless"  // verifiers use the record
)

// Problem is one thing wrong with a record. It is an error.
type Problem struct {
	Kind   Kind
	Effect Effect
	Tag    string // name of the tag, empty if it is about the record
	At     int    // offset in Record.Text
	Detail string // what is wrong, foreign text quoted
	Hint   string // what to do about it
}

// Error is "dkim: p= at offset 16: not base64: character '\\' at octet 20".
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString("dkim: ")
	if p.Tag != "" {
		fmt.Fprintf(&b, "%s= ", p.Tag)
	}
	fmt.Fprintf(&b, "at offset %d: %s", p.At, p.Detail)
	return b.String()
}

// Unwrap returns one of the package's errors, nil for a harmless problem.
func (p *Problem) Unwrap() error {
	if p.Effect == Harmless {
		return nil
	}
	switch p.Kind {
	case NotKey, WrongVersion:
		return ErrNotKey
	case BadBase64, WrongKeyType, BadKey, Ed25519SPKI, Exponent:
		return ErrBadKey
	case UnknownKeyType, KeySize, NoSHA256, NotForEmail, PrivateExposed, TooBig, Testing:
		return ErrRefused
	}
	return ErrSyntax
}
