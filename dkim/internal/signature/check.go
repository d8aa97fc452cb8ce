package signature

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
)

// Check verifies a signature over a SHA-256 hash.
func Check(pub crypto.PublicKey, digest [sha256.Size]byte, sig []byte) bool {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(k, crypto.SHA256, digest[:], sig) == nil
	case ed25519.PublicKey:
		// RFC 8463, Section 3: Ed25519 signs the hash itself.
		return len(k) == ed25519.PublicKeySize && ed25519.Verify(k, digest[:], sig)
	}
	return false
}

// prefixSHA256 is what PKCS #1 puts before a SHA-256 hash (RFC 8017, Section 9.2).
var prefixSHA256 = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

// Signed recovers the hash that an RSA signature was made over. It fails when the
// signature does not belong to the key.
func Signed(pub *rsa.PublicKey, sig []byte) (digest [sha256.Size]byte, ok bool) {
	em := open(pub, sig)
	if em == nil {
		return digest, false
	}
	i := bytes.IndexByte(em[2:], 0) + 2
	if i < 10 {
		return digest, false
	}
	for _, c := range em[2:i] {
		if c != 0xff {
			return digest, false
		}
	}
	rest, ok := bytes.CutPrefix(em[i+1:], prefixSHA256)
	if !ok || len(rest) != len(digest) {
		return digest, false
	}
	copy(digest[:], rest)
	return digest, true
}

// open undoes the RSA operation of a signature. The result is nil when it is no
// padded block of PKCS #1 v1.5 (RFC 8017, Section 8.2.2), and so was not made with
// the private half of the key, or was changed since.
func open(pub *rsa.PublicKey, sig []byte) []byte {
	s := new(big.Int).SetBytes(sig)
	if size := (pub.N.BitLen() + 7) / 8; len(sig) != size || s.Cmp(pub.N) >= 0 || pub.E < 3 {
		return nil
	}
	em := make([]byte, (pub.N.BitLen()+7)/8)
	s.Exp(s, big.NewInt(int64(pub.E)), pub.N).FillBytes(em)
	if len(em) < 64 || em[0] != 0 || em[1] != 1 {
		return nil
	}
	return em
}
