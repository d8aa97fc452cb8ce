package dkim

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Form is the form in which a key is published.
type Form string

// The forms. The zero value means that there is no readable key.
const (
	FormSPKI  Form = "SubjectPublicKeyInfo" // RSA as everyone publishes it (RFC 6376, Appendix C)
	FormPKCS1 Form = "RSAPublicKey"         // RSA as the text of RFC 6376, Section 3.6.1 says
	FormRaw   Form = "raw"                  // Ed25519 (RFC 8463, Section 4.2)
)

// Key is the key of a record. It is filled for every key that can be read, also
// for one that verifiers refuse.
type Key struct {
	Type     string // KeyRSA or KeyEd25519: what p= holds, whatever k= says; empty if unreadable
	Form     Form
	Bits     int    // of the modulus; 256 for Ed25519
	Exponent int    // RSA
	Revoked  bool   // p= is empty (RFC 6376, Section 3.6.1)
	SHA256   string // of the SubjectPublicKeyInfo in hex: the same for the same key in any record

	rsa *rsa.PublicKey
	ed  ed25519.PublicKey
}

// Public is the key as an *[rsa.PublicKey] or [ed25519.PublicKey], nil if there
// is none.
func (k Key) Public() crypto.PublicKey {
	switch {
	case k.rsa != nil:
		return k.rsa
	case k.ed != nil:
		return k.ed
	}
	return nil
}

// Sizes of RSA keys in bits (RFC 8301, Section 3.2).
const (
	minBits  = 1024 // verifiers refuse less
	goodBits = 2048 // signers should use no less
	maxCheck = 4096 // verifiers must support up to here
)

// key reads k= and p=.
func (p *parser) key() {
	typeKnown := p.r.KeyType == KeyRSA || p.r.KeyType == KeyEd25519
	if i := p.r.find("k"); i >= 0 && !typeKnown {
		hint := "write k=rsa or k=ed25519"
		// The name of a signature algorithm is a frequent slip: a=ed25519-sha256.
		if l, _, _ := strings.Cut(strings.ToLower(p.r.KeyType), "-"); l == KeyRSA || l == KeyEd25519 {
			hint = "write k=" + l
		}
		// RFC 6376, Section 3.6.1: unknown key types are ignored.
		p.add(UnknownKeyType, p.r.Tags[i].ValueAt, "k", fmt.Sprintf("unknown key type %+q", shorten(p.r.KeyType)), hint)
	}
	i := p.r.find("p")
	if i < 0 {
		p.add(MissingKey, len(p.r.Text), "p", "the record has no p= and so no key", "add p= with the key; an empty p= would revoke it")
		return
	}
	t := p.r.Tags[i]
	if t.Value == "" {
		p.r.Key.Revoked = true
		return
	}
	if strings.Contains(t.Value, "-----BEGIN") {
		p.pem(t.ValueAt, "p", t.Value)
		return
	}
	der, ok := p.base64(t)
	if !ok {
		return
	}
	if len(der) > MaxKey {
		p.add(TooBig, t.ValueAt, "p", fmt.Sprintf("%d octets of key, limit %d", len(der), MaxKey), "")
		return
	}
	if isPrivate(der) {
		p.add(PrivateExposed, t.ValueAt, "p", "p= holds a private key", hintPrivate)
		return
	}
	p.decode(t, der)
}

// spkiEd25519 is what ASN.1 puts before an Ed25519 key (RFC 8410, Section 4).
var spkiEd25519 = []byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}

// decode reads the key itself.
func (p *parser) decode(t Tag, der []byte) {
	raw, wrapped := bytes.CutPrefix(der, spkiEd25519)
	isEd := p.r.KeyType == KeyEd25519
	switch {
	case wrapped && len(raw) == ed25519.PublicKeySize:
		p.ed25519(raw, FormSPKI)
		p.add(Ed25519SPKI, t.ValueAt, "p", "the key is wrapped in ASN.1, verifiers expect its 32 octets alone",
			"write p="+base64.StdEncoding.EncodeToString(raw)+" with k=ed25519")
	case isEd && len(der) == ed25519.PublicKeySize:
		p.ed25519(der, FormRaw)
	case len(der) == ed25519.PublicKeySize:
		p.ed25519(der, FormRaw)
		p.add(WrongKeyType, t.ValueAt, "p", "32 octets are an Ed25519 key, but the type is "+fmt.Sprintf("%+q", shorten(p.r.KeyType)), "write k=ed25519")
	case isEd && len(der) == ed25519.PrivateKeySize:
		p.add(PrivateExposed, t.ValueAt, "p", "64 octets are a private Ed25519 key with its public half", hintPrivate)
	case isEd && len(der) > 0 && der[0] == 0x30:
		if _, _, err := parseRSA(der); err == nil {
			p.rsa(t, der)
			p.add(WrongKeyType, t.ValueAt, "p", "p= holds an RSA key, k= says ed25519", "write k=rsa")
			return
		}
		p.add(BadKey, t.ValueAt, "p", "an Ed25519 key is 32 octets, these are ASN.1", "publish the raw key")
	case isEd:
		p.add(BadKey, t.ValueAt, "p", fmt.Sprintf("an Ed25519 key is 32 octets, these are %d", len(der)), "publish the whole key")
	default:
		p.rsa(t, der)
	}
}

func (p *parser) ed25519(raw []byte, form Form) {
	p.r.Key = Key{Type: KeyEd25519, Form: form, Bits: 256, ed: ed25519.PublicKey(bytes.Clone(raw))}
	p.r.Key.SHA256 = fingerprint(append(bytes.Clone(spkiEd25519), raw...))
}

func fingerprint(spki []byte) string {
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:])
}

// rsa reads an RSA key and judges its size.
func (p *parser) rsa(t Tag, der []byte) {
	at := t.ValueAt
	form, err := FormSPKI, error(nil)
	pub, plain := plainSPKI(der)
	if !plain {
		pub, form, err = parseRSA(der)
	}
	if err != nil {
		if wrong, ok := errors.AsType[*otherKeyError](err); ok {
			p.add(WrongKeyType, at, "p", wrong.Error(), "DKIM knows RSA and Ed25519 keys only")
			return
		}
		detail, hint := explainDER(der, err)
		p.add(BadKey, at, "p", detail, hint)
		return
	}
	bits := pub.N.BitLen()
	if bits > MaxBits {
		p.add(TooBig, at, "p", fmt.Sprintf("RSA key of %d bits, limit %d", bits, MaxBits), "use 2048 bits")
		return
	}
	k := Key{Type: KeyRSA, Form: form, Bits: bits, Exponent: pub.E, rsa: pub}
	if plain {
		k.SHA256 = fingerprint(der)
	} else if spki, err := x509.MarshalPKIXPublicKey(pub); err == nil {
		k.SHA256 = fingerprint(spki)
	}
	p.r.Key = k
	p.size(at, bits)
	switch {
	case pub.E < 3 || pub.E%2 == 0 || pub.N.Bit(0) == 0:
		p.r.Key.rsa = nil
		p.add(Exponent, at, "p", fmt.Sprintf("exponent %d and this modulus make no RSA key", pub.E), "make a new key")
	case pub.E != 65537:
		p.report(Problem{
			Kind: Exponent, Effect: Harmless, Tag: "p", At: at,
			Detail: fmt.Sprintf("RSA exponent %d, usual is 65537", pub.E), Hint: "make a new key at the next rotation",
		})
	}
	if form == FormPKCS1 {
		p.add(PKCS1, at, "p", "the key is a bare RSAPublicKey, most software expects SubjectPublicKeyInfo", "publish what \"openssl pkey -pubout\" prints")
	}
}

// size judges the bits of an RSA key (RFC 8301, Section 3.2).
func (p *parser) size(at, bits int) {
	pr := Problem{Kind: KeySize, Tag: "p", At: at, Hint: "make a key of 2048 bits under a new selector"}
	switch {
	case bits < minBits:
		pr.Effect, pr.Detail = Discarded, fmt.Sprintf("RSA key of %d bits, verifiers refuse less than %d", bits, minBits)
	case bits < goodBits:
		pr.Effect, pr.Detail = Harmless, fmt.Sprintf("RSA key of %d bits, %d are recommended", bits, goodBits)
	case bits > maxCheck:
		pr.Effect, pr.Detail = Disputed, fmt.Sprintf("RSA key of %d bits, verifiers need not support more than %d", bits, maxCheck)
	default:
		return
	}
	p.report(pr)
}
