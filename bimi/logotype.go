package bimi

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" // hashes that a certificate may name
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Logotype is the picture in a certificate (RFC 9399, Section 4.1).
type Logotype struct {
	MediaType string // as written: foreign text
	SVG       []byte // uncompressed, at most what is read of a picture; nil if there is none
	Gzip      bool   // it was compressed
	// HashOK tells whether the certificate's hash fits the picture; HashKnown whether
	// a hash was there whose function is known.
	HashOK, HashKnown bool
	URI               string // the start of the URI, for messages: foreign text
}

const (
	maxImages  = 8        // pictures of a certificate that are looked at
	maxURIs    = 8        // places of a picture that are looked at
	maxEncoded = 64 << 10 // octets of a data URL
	maxHashes  = 8
)

var errLogotype = errors.New("it is not a logotype extension that can be read")

// parseLogotype reads the extension and returns its subject logos that are given
// directly.
func parseLogotype(der []byte) ([]Logotype, error) {
	top, err := sequence(der)
	if err != nil {
		return nil, err
	}
	for _, part := range top {
		// RFC 9399, Section 4.1: subjectLogo is [2], and direct data is [0] of it.
		if part.Class != asn1.ClassContextSpecific || part.Tag != 2 {
			continue
		}
		info, err := children(part.Bytes)
		if err != nil || len(info) != 1 {
			return nil, errLogotype
		}
		if info[0].Class != asn1.ClassContextSpecific || info[0].Tag != 0 {
			return nil, errors.New("the logo is only referred to, not part of the certificate")
		}
		return images(info[0].Bytes)
	}
	return nil, errors.New("there is no subject logo in the extension")
}

// images reads LogotypeData.
func images(der []byte) ([]Logotype, error) {
	parts, err := children(der)
	if err != nil || len(parts) == 0 || parts[0].Class != asn1.ClassUniversal || parts[0].Tag != asn1.TagSequence {
		return nil, errLogotype
	}
	list, err := children(parts[0].Bytes)
	if err != nil {
		return nil, err
	}
	var out []Logotype
	for _, img := range list[:min(len(list), maxImages)] {
		fields, err := children(img.Bytes)
		if err != nil || len(fields) == 0 {
			return nil, errLogotype
		}
		l, err := details(fields[0].Bytes)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	if len(out) == 0 {
		return nil, errors.New("there is no image in the extension")
	}
	return out, nil
}

// details reads LogotypeDetails: media type, hashes, URIs.
func details(der []byte) (Logotype, error) {
	var l Logotype
	f, err := children(der)
	if err != nil || len(f) < 3 || f[0].Tag != asn1.TagIA5String {
		return l, errLogotype
	}
	l.MediaType = string(f[0].Bytes[:min(len(f[0].Bytes), maxQuoted+1)])
	uris, err := children(f[2].Bytes)
	if err != nil {
		return l, err
	}
	for _, u := range uris[:min(len(uris), maxURIs)] {
		raw, err := dataURL(string(u.Bytes))
		l.URI = head(string(u.Bytes))
		if err != nil {
			continue
		}
		return l.take(raw, f[1].Bytes)
	}
	return l, nil
}

// take uncompresses the picture and compares its hashes.
func (l Logotype) take(raw, hashes []byte) (Logotype, error) {
	l.SVG = raw
	if bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		l.Gzip = true
		text, err := inflate(raw, maxSVGRead)
		switch {
		case err != nil:
			return l, fmt.Errorf("the compressed picture cannot be read: %w", err)
		case len(text) > maxSVGRead:
			return l, errors.New("the compressed picture is far too large")
		}
		l.SVG = text
	}
	list, err := children(hashes)
	if err != nil {
		return l, err
	}
	for _, h := range list[:min(len(list), maxHashes)] {
		fn, want, ok := hashOf(h.Bytes)
		if !ok {
			continue
		}
		l.HashKnown = true
		// RFC 9399, Section 4.1: the hash is of the image. Of a compressed one,
		// certificates have it of either form.
		l.HashOK = l.HashOK || bytes.Equal(digest(fn, raw), want) || bytes.Equal(digest(fn, l.SVG), want)
	}
	return l, nil
}

func digest(fn crypto.Hash, data []byte) []byte {
	h := fn.New()
	h.Write(data)
	return h.Sum(nil)
}

// hashFunctions by the content of their object identifiers.
var hashFunctions = map[string]crypto.Hash{
	"1.3.14.3.2.26":          crypto.SHA1,
	"2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

// hashOf reads HashAlgAndValue.
func hashOf(der []byte) (fn crypto.Hash, value []byte, ok bool) {
	f, err := children(der)
	if err != nil || len(f) != 2 || f[1].Tag != asn1.TagOctetString {
		return 0, nil, false
	}
	var oid asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(f[0].Bytes, &oid); err != nil {
		return 0, nil, false
	}
	fn, ok = hashFunctions[oid.String()]
	return fn, f[1].Bytes, ok
}

// sequence returns what is in a SEQUENCE and nothing behind it.
func sequence(der []byte) ([]asn1.RawValue, error) {
	var v asn1.RawValue
	rest, err := asn1.Unmarshal(der, &v)
	if err != nil || len(rest) > 0 || v.Class != asn1.ClassUniversal || v.Tag != asn1.TagSequence {
		return nil, errLogotype
	}
	return children(v.Bytes)
}

const maxChildren = 64 // values in one value that are read

func children(der []byte) ([]asn1.RawValue, error) {
	var out []asn1.RawValue
	for len(der) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil || len(out) == maxChildren {
			return nil, errLogotype
		}
		out, der = append(out, v), rest
	}
	return out, nil
}

// dataURL reads a data: URL (RFC 2397).
func dataURL(s string) ([]byte, error) {
	if len(s) > maxEncoded {
		return nil, errors.New("the data URL is too long")
	}
	if len(s) < 5 || !strings.EqualFold(s[:5], "data:") {
		return nil, errors.New("it is no data URL")
	}
	meta, data, found := strings.Cut(s[5:], ",")
	if !found {
		return nil, errors.New("the data URL has no data")
	}
	text, err := url.PathUnescape(data)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(strings.ToLower(meta), ";base64") {
		return []byte(text), nil
	}
	text = strings.Map(func(c rune) rune {
		if strings.ContainsRune(fws, c) {
			return -1
		}
		return c
	}, text)
	return base64.StdEncoding.DecodeString(text)
}
