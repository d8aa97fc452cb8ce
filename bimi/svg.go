package bimi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// MaxSVG is the size in octets that a picture should not exceed, uncompressed (BIMI
// guidance; draft-svg-tiny-ps-abrotman leaves the limit to its users).
const MaxSVG = 32 << 10

const (
	maxSVGRead  = 512 << 10 // octets read of a picture, uncompressed; more is not judged
	maxDepth    = 64        // elements within each other
	maxElements = 20000     // of a picture; a logo of 32 KiB cannot hold as many
	maxTitle    = 64        // characters (draft-svg-tiny-ps-abrotman: should not be longer)
	maxExpanded = 100000    // elements drawn when every use is followed
)

// Indicator is a picture, read and judged.
type Indicator struct {
	// SVG is the text of the picture, uncompressed, at most what is read.
	SVG        []byte
	Compressed bool   // it came as SVGZ
	Size       int    // octets, uncompressed
	Hash       string // SHA-256 of SVG in hexadecimal
	Title      string // foreign text
	ViewBox    []float64
	Elements   int
	Problems   []Problem // in the order in which they were met
}

// Valid reports whether receivers can show the picture, as far as its text tells.
func (x Indicator) Valid() bool { return worst(x.Problems) == nil }

// CheckSVG judges a picture, SVG or SVGZ, by the profile SVG Tiny PS. The error is a
// *[ParseError] with [ErrSVG] if receivers do not show it. The Indicator holds what
// could be read in all cases, and all its problems. Nothing is expanded, loaded or
// drawn; the time is linear in the size.
func CheckSVG(data []byte) (Indicator, error) {
	var x Indicator
	text, err := x.open(data)
	x.SVG = text[:min(len(text), maxSVGRead)]
	x.Size = len(text)
	switch {
	case err != nil:
		x.problem(Format, Ignored, "", -1, "the compressed picture cannot be read: "+err.Error())
	case len(text) > maxSVGRead:
		x.problem(TooLong, Ignored, "", maxSVGRead, fmt.Sprintf("the picture has more than %d octets and is not read", maxSVGRead))
	default:
		x.scan()
		if len(text) > MaxSVG {
			x.problem(TooLong, AtRisk, "", MaxSVG, fmt.Sprintf("the picture has %d octets: receivers may refuse more than %d", len(text), MaxSVG))
		}
	}
	sum := sha256.Sum256(x.SVG)
	x.Hash = hex.EncodeToString(sum[:])
	if p := worst(x.Problems); p != nil {
		return x, &ParseError{Reason: ErrSVG, Problem: *p}
	}
	return x, nil
}

var errTail = errors.New("the end is missing")

// open uncompresses SVGZ (RFC 6170, Section 5.2), reading no more than one octet
// beyond the limit.
func (x *Indicator) open(data []byte) ([]byte, error) {
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data, nil
	}
	x.Compressed = true
	text, err := inflate(data, maxSVGRead)
	return text, err
}

// inflate uncompresses gzip up to a limit; one octet more tells that it was reached.
func inflate(data []byte, limit int) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, errors.New("it is no gzip")
	}
	defer z.Close()
	text, err := io.ReadAll(io.LimitReader(z, int64(limit)+1))
	switch {
	case len(text) > limit:
		return text, nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return text, errTail
	case err != nil:
		return text, errors.New("it is damaged")
	}
	return text, nil
}

func (x *Indicator) problem(k Kind, e Effect, field string, offset int, message string) {
	x.Problems = keep(x.Problems, Problem{Kind: k, Effect: e, Field: field, Offset: offset, Message: message})
}

// SameSVG compares two pictures, such as the one behind l= and the one in the
// certificate: same if they are equal octet by octet, alike if they differ only in
// their line endings and the white space at their ends, or in being compressed.
func SameSVG(a, b []byte) (same, alike bool) {
	if bytes.Equal(a, b) {
		return true, true
	}
	open := func(data []byte) []byte {
		if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
			text, err := inflate(data, maxSVGRead)
			if err != nil {
				return data
			}
			data = text
		}
		return data
	}
	a, b = open(a), open(b)
	if bytes.Equal(a, b) {
		return true, true
	}
	plain := func(data []byte) []byte {
		data = bytes.TrimPrefix(data, []byte("\ufeff"))
		return bytes.TrimSpace(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))
	}
	return false, bytes.Equal(plain(a), plain(b))
}
