package message

import (
	"bytes"
	"strings"
)

// Content is the body without its transfer encoding, of at most limit octets, and
// whether that is all of it. A negative limit is none. The result may be a piece of
// the mail: it must not be changed.
func (p *Part) Content(limit int64) (data []byte, whole bool) {
	raw := p.Raw()
	if limit < 0 {
		limit = int64(len(raw))
	}
	switch p.Encoding {
	case "base64":
		return decodeBase64(raw, limit)
	case "quoted-printable":
		return decodeQuoted(raw, limit)
	}
	if int64(len(raw)) > limit {
		return raw[:limit], false
	}
	return raw, true
}

// Text is the content as UTF-8, converted from the charset that the part names: a
// text for people, of at most limit octets before the conversion, with every line
// ended by LF. It is foreign text.
func (p *Part) Text(limit int64) string {
	data, _ := p.Content(limit)
	s, _ := decodeCharset(p.Params["charset"], data)
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.ReplaceAll(s, "\r", "\n")
}

// check notes what is wrong with a leaf's encoding and charset.
func (p *Part) check() {
	raw := p.Raw()
	switch p.Encoding {
	case "base64":
		if at := badBase64(raw); at >= 0 {
			p.note(BadBase64, int(p.Body)+at, "")
		}
	case "quoted-printable":
		if at := badQuoted(raw); at >= 0 {
			p.note(BadQuoted, int(p.Body)+at, "")
		}
	}
	if !strings.HasPrefix(p.Type, "text/") {
		return
	}
	const enough = 64 << 10
	data, whole := p.Content(enough)
	if !whole {
		data = data[:max(0, len(data)-4)] // perhaps cut inside a character
		if i := bytes.LastIndexByte(data, '\n'); i > 0 {
			data = data[:i]
		}
	}
	if _, ok := decodeCharset(p.Params["charset"], data); !ok {
		p.note(BadCharset, int(p.Body), p.Params["charset"])
	}
}

// base64Value is the value of each octet of the alphabet, and otherwise one of the
// marks below (RFC 4648, Sections 4 and 5: both alphabets).
var base64Value = func() (t [256]byte) {
	for i := range t {
		t[i] = b64Bad
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	for _, c := range []byte(" \t\r\n") {
		t[c] = b64Space
	}
	t['='] = b64Pad
	return t
}()

const (
	b64Space = 0x80 + iota
	b64Pad
	b64Bad
)

// decodeBase64 decodes base64 as far as it goes. RFC 2045, Section 6.8: other
// characters are passed over. Several runs, each with its own padding, are one
// text, as some systems encode piece by piece.
func decodeBase64(raw []byte, limit int64) ([]byte, bool) {
	out := make([]byte, 0, min(int64(len(raw))/4*3+3, limit))
	var acc uint32
	n := 0
	put := func(b byte) bool {
		if int64(len(out)) >= limit {
			return false
		}
		out = append(out, b)
		return true
	}
	end := func() bool { // of a run: what is left are 2 or 3 characters
		ok := true
		if n >= 2 {
			ok = put(byte(acc >> (uint(n)*6 - 8)))
		}
		if n == 3 {
			ok = ok && put(byte(acc>>2))
		}
		acc, n = 0, 0
		return ok
	}
	for _, c := range raw {
		v := base64Value[c]
		switch {
		case v < 64:
			acc, n = acc<<6|uint32(v), n+1
			if n == 4 {
				if !put(byte(acc>>16)) || !put(byte(acc>>8)) || !put(byte(acc)) {
					return out, false
				}
				acc, n = 0, 0
			}
		case v == b64Pad:
			if !end() {
				return out, false
			}
		}
	}
	return out, end()
}

// badBase64 is the offset of the first octet that does not belong, -1 if none. A
// footer that some server added below the text is such a place.
func badBase64(raw []byte) int {
	for i, c := range raw {
		if base64Value[c] == b64Bad {
			return i
		}
	}
	return -1
}

// decodeQuoted decodes quoted-printable (RFC 2045, Section 6.7); an "=" that begins
// no code stays.
func decodeQuoted(raw []byte, limit int64) ([]byte, bool) {
	out := make([]byte, 0, min(int64(len(raw)), limit))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '=' {
			if n := softBreak(raw[i+1:]); n > 0 || i+1 == len(raw) {
				i += n
				continue
			}
			if i+2 < len(raw) && isHex(raw[i+1]) && isHex(raw[i+2]) {
				c = unhex(raw[i+1])<<4 | unhex(raw[i+2])
				i += 2
			}
		}
		if int64(len(out)) >= limit {
			return out, false
		}
		out = append(out, c)
	}
	return out, true
}

// softBreak is the length of white space and a line end, 0 if there are none.
func softBreak(b []byte) int {
	n := 0
	for n < len(b) && (b[n] == ' ' || b[n] == '\t') {
		n++
	}
	switch {
	case n == len(b):
		return n
	case b[n] == '\n':
		return n + 1
	case b[n] == '\r' && n+1 < len(b) && b[n+1] == '\n':
		return n + 2
	case b[n] == '\r':
		return n + 1
	}
	return 0
}

func badQuoted(raw []byte) int {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '=' {
			continue
		}
		if n := softBreak(raw[i+1:]); n > 0 || i+1 == len(raw) {
			i += n
		} else if i+2 < len(raw) && isHex(raw[i+1]) && isHex(raw[i+2]) {
			i += 2
		} else {
			return i
		}
	}
	return -1
}
