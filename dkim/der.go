package dkim

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// algorithmRSA is the AlgorithmIdentifier of RSA keys: rsaEncryption with NULL
// (RFC 3279, Section 2.3.1).
var algorithmRSA = []byte{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00}

// plainSPKI reads the one DER form that nearly every key is published in, without
// the reflection of encoding/asn1. What it accepts is canonical: the same key has
// no other octets. Everything else, right or wrong, is left to [parseRSA].
func plainSPKI(der []byte) (*rsa.PublicKey, bool) {
	body, rest, ok := element(der, 0x30)
	if !ok || len(rest) > 0 {
		return nil, false
	}
	body, ok = bytes.CutPrefix(body, algorithmRSA)
	if !ok {
		return nil, false
	}
	bits, rest, ok := element(body, 0x03)
	if !ok || len(rest) > 0 || len(bits) == 0 || bits[0] != 0 {
		return nil, false
	}
	numbers, rest, ok := element(bits[1:], 0x30)
	if !ok || len(rest) > 0 {
		return nil, false
	}
	n, numbers, ok1 := element(numbers, 0x02)
	e, rest, ok2 := element(numbers, 0x02)
	if !ok1 || !ok2 || len(rest) > 0 || !positive(n) || !positive(e) || len(e) > 4 {
		return nil, false
	}
	exponent := 0
	for _, c := range e {
		exponent = exponent<<8 | int(c)
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: exponent}, true
}

// positive reports whether octets are the shortest form of an INTEGER above 0.
func positive(b []byte) bool {
	return len(b) > 0 && b[0] < 0x80 && (b[0] != 0 || len(b) > 1 && b[1] >= 0x80)
}

// element reads one element with the tag and a length in its shortest form.
func element(b []byte, tag byte) (body, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	length, head := int(b[1]), 2
	if b[1] >= 0x80 {
		count := int(b[1] & 0x7f)
		if count < 1 || count > 3 || len(b) < 2+count || b[2] == 0 {
			return nil, nil, false
		}
		head, length = 2+count, 0
		for _, c := range b[2:head] {
			length = length<<8 | int(c)
		}
		if length < 0x80 {
			return nil, nil, false
		}
	}
	if len(b)-head < length {
		return nil, nil, false
	}
	return b[head : head+length], b[head+length:], true
}

// isPrivate recognizes private keys in the forms of PKCS #1, PKCS #8 and SEC 1,
// whole or cut: all begin with a version of 0 or 1, where a public key has its
// algorithm or a modulus of many octets.
func isPrivate(der []byte) bool {
	head, _ := derHead(der)
	body := der[min(head, len(der)):]
	return len(body) > 40 && body[0] == 2 && body[1] == 1 && body[2] <= 1
}

// derHead is the length of the outer header and the length it announces; head is
// 0 when the octets are no SEQUENCE.
func derHead(der []byte) (head, length int) {
	if len(der) < 2 || der[0] != 0x30 {
		return 0, 0
	}
	head, length = 2, int(der[1])
	if n := int(der[1] & 0x7f); der[1] >= 0x80 && n >= 1 && n <= 3 && len(der) > 2+n {
		head, length = 2+n, 0
		for _, c := range der[2:head] {
			length = length<<8 | int(c)
		}
	}
	return head, length
}

// otherKeyError is a public key of a type that DKIM does not have.
type otherKeyError struct{ what string }

func (e *otherKeyError) Error() string { return "p= holds " + e.what }

// parseRSA reads SubjectPublicKeyInfo, then RSAPublicKey. RFC 6376, Section 3.6.1
// names the second form; its Appendix C and everybody publish the first.
func parseRSA(der []byte) (*rsa.PublicKey, Form, error) {
	var spki struct {
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Key asn1.BitString
	}
	rest, err := asn1.Unmarshal(der, &spki)
	if err == nil {
		if !spki.Algorithm.OID.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}) {
			return nil, "", &otherKeyError{"a key of algorithm " + spki.Algorithm.OID.String()}
		}
		if len(rest) > 0 {
			return nil, "", errTrailing
		}
		pub, err := parsePKCS1(spki.Key.RightAlign())
		return pub, FormSPKI, err
	}
	if _, certErr := x509.ParseCertificate(der); certErr == nil {
		return nil, "", &otherKeyError{"a certificate"}
	}
	pub, err := parsePKCS1(der)
	return pub, FormPKCS1, err
}

var errTrailing = errors.New("octets after the key")

// parsePKCS1 reads RSAPublicKey (RFC 8017, Appendix A.1.1). Unlike crypto/x509 it
// leaves the judgement on the numbers to the caller.
func parsePKCS1(der []byte) (*rsa.PublicKey, error) {
	var k struct {
		N *big.Int
		E *big.Int
	}
	rest, err := asn1.Unmarshal(der, &k)
	switch {
	case err != nil:
		return nil, err
	case len(rest) > 0:
		return nil, errTrailing
	case k.N.Sign() <= 0 || k.E.Sign() <= 0:
		return nil, errors.New("modulus or exponent is not positive")
	case k.E.BitLen() > 31:
		return nil, errors.New("exponent over 31 bits")
	}
	return &rsa.PublicKey{N: k.N, E: int(k.E.Int64())}, nil
}

// explainDER says why octets are no RSA key. The outer length of DER tells a key
// that was cut from one that was garbled.
func explainDER(der []byte, err error) (detail, hint string) {
	head, want := derHead(der)
	if head == 0 {
		return "the octets are no RSA key: they do not begin as ASN.1 does", "the start of the key was lost or changed: publish it again from the source"
	}
	switch have := len(der) - head; {
	case have < want:
		return fmt.Sprintf("the key is cut: %d of %d octets are there", len(der), want+head),
			"publish the whole key; a text over 255 octets has to be split into several strings of one TXT record"
	case have > want:
		return fmt.Sprintf("%d octets follow after the key", have-want), "a string of the record is published twice, or something was appended"
	}
	return "the octets are no RSA key: " + err.Error(), "a character was lost or changed: publish the key again from the source"
}
