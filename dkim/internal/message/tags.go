package message

import (
	"fmt"
)

// MaxTags bounds the tags of one signature. The RFCs define 15.
const MaxTags = 64

// Span is one tag of a list, as offsets.
type Span struct {
	Name, NameEnd int
	Value, End    int // without the white space around the value
	Eq, Semi      int // the "=" and the semicolon or the end of the list
}

// TagError tells why a tag list is malformed.
type TagError struct {
	Duplicate bool
	At        int
	Detail    string // foreign text quoted
}

func (e *TagError) Error() string { return fmt.Sprintf("at offset %d: %s", e.At, e.Detail) }

// ParseTags cuts a tag list into its tags (RFC 6376, Section 3.2). Offsets count
// from the start of text. The errors are *[TagError].
func ParseTags(text []byte, dst []Span) ([]Span, error) {
	for at := 0; ; {
		semi := at
		for semi < len(text) && text[semi] != ';' {
			semi++
		}
		t, empty, err := tag(text, at, semi)
		switch {
		case err != nil:
			return dst, err
		case empty && semi < len(text):
			return dst, &TagError{At: at, Detail: "two semicolons without a tag between them, or one before the first tag"}
		case empty && len(dst) == 0:
			return dst, &TagError{At: at, Detail: "the list is empty"}
		case empty:
			return dst, nil
		case len(dst) == MaxTags:
			return dst, &TagError{At: at, Detail: fmt.Sprintf("more than %d tags", MaxTags)}
		}
		name := text[t.Name:t.NameEnd]
		for _, o := range dst {
			// RFC 6376, Section 3.2: a tag that occurs twice makes the whole list invalid.
			if string(text[o.Name:o.NameEnd]) == string(name) {
				return dst, &TagError{Duplicate: true, At: t.Name, Detail: fmt.Sprintf("%.20s= occurs twice", name)}
			}
		}
		dst = append(dst, t)
		if semi == len(text) {
			return dst, nil
		}
		at = semi + 1
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// tag reads what is between two semicolons.
func tag(text []byte, at, semi int) (t Span, empty bool, err error) {
	t = Span{Name: at, Semi: semi}
	for t.Name < semi && isSpace(text[t.Name]) {
		t.Name++
	}
	if t.Name == semi {
		return t, true, nil
	}
	t.NameEnd = t.Name
	for t.NameEnd < semi && isTagName(text[t.NameEnd], t.NameEnd == t.Name) {
		t.NameEnd++
	}
	t.Eq = t.NameEnd
	for t.Eq < semi && isSpace(text[t.Eq]) {
		t.Eq++
	}
	if t.NameEnd == t.Name || t.Eq == semi || text[t.Eq] != '=' {
		part := text[t.Name:semi]
		return t, false, &TagError{At: t.Name, Detail: fmt.Sprintf("%+.40q is no tag=value", part)}
	}
	t.Value, t.End = t.Eq+1, semi
	for t.Value < t.End && isSpace(text[t.Value]) {
		t.Value++
	}
	for t.End > t.Value && isSpace(text[t.End-1]) {
		t.End--
	}
	for i := t.Value; i < t.End; i++ {
		// RFC 6376, Section 3.2: printable ASCII and white space. RFC 8616, Section 5,
		// adds U-labels, so octets from 0x80 are let through.
		c := text[i]
		if c < ' ' && !isSpace(c) || c == 0x7f || c == '\r' && text[i+1] != '\n' {
			return t, false, &TagError{At: i, Detail: fmt.Sprintf("octet %#02x in the value of %.20s=", c, text[t.Name:t.NameEnd])}
		}
	}
	return t, false, nil
}

func isTagName(c byte, first bool) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || !first && (c == '_' || c >= '0' && c <= '9')
}

// Base64 decodes a value that may be folded into dst and returns what fits the
// length of dst at most; ok is false if it is no base64 or longer.
func Base64(dst, value []byte) (n int, ok bool) {
	var acc uint32
	digits, pad := 0, 0
	for _, c := range value {
		if isSpace(c) {
			continue
		}
		if c == '=' {
			pad++
			continue
		}
		v := decode[c]
		if v == 0 || pad > 0 {
			return 0, false
		}
		acc = acc<<6 | uint32(v-1)
		if digits++; digits%4 == 0 {
			if n+3 > len(dst) {
				return 0, false
			}
			dst[n], dst[n+1], dst[n+2] = byte(acc>>16), byte(acc>>8), byte(acc)
			n += 3
			acc = 0
		}
	}
	rest := digits % 4
	if rest == 1 || (digits+pad)%4 != 0 || pad > 2 || n+max(rest-1, 0) > len(dst) {
		return 0, false
	}
	switch rest {
	case 2:
		dst[n] = byte(acc >> 4)
		n++
	case 3:
		dst[n], dst[n+1] = byte(acc>>10), byte(acc>>2)
		n += 2
	}
	return n, digits > 0
}

// decode is the base64 value of an octet plus one, 0 for others.
var decode = func() (t [256]byte) {
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i) + 1
	}
	return t
}()
