package keys

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strings"
)

// MaxFile is the largest key file that is read, in octets: a key of 8192 bits
// takes about 6400, and text before it is allowed.
const MaxFile = 64 << 10

// maxDER bounds the encoded key: the parts of a key of [MaxBits] take 4700 octets.
const maxDER = 8 << 10

// maxBlocks bounds the PEM blocks that are passed over to find the key.
const maxBlocks = 16

const (
	blockPKCS8 = "PRIVATE KEY"
	blockPKCS1 = "RSA PRIVATE KEY"
)

// ReadFile reads a key file. The warnings are about the file: a mode that lets
// everybody read it. Errors are those of the system or of [Parse].
func ReadFile(path string) (Key, []string, error) {
	f, err := os.Open(path)
	if err != nil {
		return Key{}, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Key{}, nil, err
	}
	if info.IsDir() {
		return Key{}, nil, &Error{Reason: "it is a directory", Hint: "name the key file in it", Err: ErrNotKey}
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return Key{}, nil, err
	}
	k, err := Parse(data)
	if err != nil {
		return Key{}, nil, err
	}
	var warn []string
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o007 != 0 {
		warn = append(warn, fmt.Sprintf("the key file has mode %04o, so every user of the machine can use it: chmod 600, or 640 with the signer's group", mode.Perm()))
	}
	return k, warn, nil
}

// Parse reads a key in any of the forms named by [Form]: PEM, or the bare base64
// of the key, white space anywhere. Errors are *[Error].
func Parse(data []byte) (Key, error) {
	if len(data) > MaxFile {
		return Key{}, &Error{Reason: fmt.Sprintf("more than %d octets", MaxFile), Hint: "name the key file itself", Err: ErrNotKey}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.Contains(data, []byte("-----BEGIN")) {
		return parsePEM(data)
	}
	return parseBare(data)
}

// parsePEM takes the first block that is a private key. Text and other blocks
// beside it are passed over.
func parsePEM(data []byte) (Key, error) {
	var other error
	for range maxBlocks {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		switch {
		case block.Headers["DEK-Info"] != "" || block.Type == "ENCRYPTED PRIVATE KEY":
			return Key{}, &Error{Reason: "no DKIM signer can ask for the phrase", Hint: "openssl pkey -in FILE -out NEWFILE takes the encryption off", Err: ErrEncrypted}
		case block.Type == blockPKCS8:
			return parseDER(block.Bytes, FormPKCS8, FormPKCS1)
		case block.Type == blockPKCS1:
			return parseDER(block.Bytes, FormPKCS8, FormPKCS1)
		case strings.HasSuffix(block.Type, "PUBLIC KEY") || block.Type == "CERTIFICATE":
			other = &Error{Reason: "the file holds the public half", Hint: "name the file of the private key", Err: ErrPublic}
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			other = &Error{Reason: "a private key of a kind that DKIM does not use", Hint: "DKIM has rsa and ed25519; OpenSSH keys cannot be used either", Err: ErrUnsupported}
		case other == nil:
			other = &Error{Reason: "a PEM file of something else", Hint: "name the file of the private key", Err: ErrNotKey}
		}
	}
	if other == nil {
		other = &Error{Reason: "the PEM frame is damaged or its base64 cannot be read", Hint: "the file was cut, or its lines were changed in an editor", Err: ErrNotKey}
	}
	return Key{}, other
}

// parseBare reads base64 without a frame.
func parseBare(data []byte) (Key, error) {
	text := strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, string(data))
	if text == "" {
		return Key{}, &Error{Reason: "it is empty", Err: ErrNotKey}
	}
	if strings.Contains(text, "p=") && strings.Contains(text, ";") {
		return Key{}, &Error{Reason: "it is a record for DNS", Hint: "name the file of the private key", Err: ErrPublic}
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		if der, err = base64.RawStdEncoding.DecodeString(text); err != nil {
			return Key{}, &Error{Reason: "neither PEM nor base64", Hint: "name the file of the private key", Err: ErrNotKey}
		}
	}
	switch len(der) {
	case ed25519.SeedSize:
		return newKey(ed25519.NewKeyFromSeed(der), FormBareSeed), nil
	case ed25519.PrivateKeySize:
		k := ed25519.NewKeyFromSeed(der[:ed25519.SeedSize])
		if !bytes.Equal(k, der) {
			return Key{}, &Error{Reason: "64 octets that are no Ed25519 pair", Hint: "the public half does not belong to the private half", Err: ErrNotKey}
		}
		return newKey(k, FormBareKeyPair), nil
	}
	return parseDER(der, FormBarePKCS8, FormBarePKCS1)
}

// parseDER reads PKCS#8 or PKCS#1, whatever the frame says: files with the wrong
// label exist, and OpenSSL reads them.
func parseDER(der []byte, pkcs8, pkcs1 Form) (Key, error) {
	if len(der) > maxDER {
		return Key{}, &Error{Reason: fmt.Sprintf("a key of more than %d octets", maxDER), Hint: "make a key of 2048 bits under a new selector", Err: ErrUnsupported}
	}
	if bits := modulusBits(der); bits > 0 && bits < MinBits {
		// Some versions of the standard library do not even parse these.
		return Key{}, &Error{Reason: fmt.Sprintf("an RSA key of %d bits, receivers refuse less than %d", bits, MinBits), Hint: "make a key of 2048 bits under a new selector", Err: ErrTooShort}
	}
	if k, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		s, ok := k.(crypto.Signer)
		if !ok {
			return Key{}, &Error{Reason: "a private key of a kind that cannot sign", Hint: "DKIM has rsa and ed25519", Err: ErrUnsupported}
		}
		switch s.(type) {
		case *rsa.PrivateKey, ed25519.PrivateKey:
			return checked(s, pkcs8)
		}
		return Key{}, &Error{Reason: "a private key of a kind that DKIM does not use", Hint: "DKIM has rsa and ed25519", Err: ErrUnsupported}
	}
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return checked(k, pkcs1)
	}
	if _, err := x509.ParsePKIXPublicKey(der); err == nil {
		return Key{}, &Error{Reason: "it holds the public half", Hint: "name the file of the private key", Err: ErrPublic}
	}
	if _, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return Key{}, &Error{Reason: "it holds the public half", Hint: "name the file of the private key", Err: ErrPublic}
	}
	return Key{}, &Error{Reason: "the key is cut or damaged, or of a kind that DKIM does not use", Hint: "restore the file, or make a new key", Err: ErrNotKey}
}

// modulusBits is the length of the modulus of an RSA key in PKCS#1, bare or in
// PKCS#8; 0 if it is none.
func modulusBits(der []byte) int {
	var outer struct {
		Version   int
		Algorithm asn1.RawValue
		Key       []byte
		Rest      asn1.RawValue `asn1:"optional,tag:0"`
	}
	if _, err := asn1.Unmarshal(der, &outer); err == nil {
		der = outer.Key
	}
	var seq asn1.RawValue
	if _, err := asn1.Unmarshal(der, &seq); err != nil || seq.Tag != asn1.TagSequence {
		return 0
	}
	var version, n asn1.RawValue
	rest, err := asn1.Unmarshal(seq.Bytes, &version)
	if err != nil || version.Tag != asn1.TagInteger || len(version.Bytes) != 1 {
		return 0
	}
	if _, err := asn1.Unmarshal(rest, &n); err != nil || n.Tag != asn1.TagInteger {
		return 0
	}
	b := bytes.TrimLeft(n.Bytes, "\x00")
	if len(b) == 0 {
		return 0
	}
	bits := len(b) * 8
	for top := b[0]; top < 0x80; top <<= 1 {
		bits--
	}
	return bits
}
