package safe

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks may follow each other. Living languages
// need fewer; Unicode's stream-safe format stops at 30 (UAX #15), which is far
// more than a terminal line can hold.
const maxMarks = 8

// Text returns s as one line that is safe to show. It returns s itself, without
// allocating, when nothing has to be escaped.
func Text(s string) string { return escape(s, false) }

// Lines is [Text] for a text of several lines: line feeds stay, and CRLF becomes
// a line feed.
func Lines(s string) string { return escape(s, true) }

// Limit is [Text] of the first n runes of s. When more follow, it ends in
// "… (N octets)", where N is the length of s. Every invalid octet counts as a
// rune. The escapes may make the result longer than n.
func Limit(s string, n int) string {
	if len(s) <= n {
		return Text(s)
	}
	at := 0
	for range n {
		if at == len(s) {
			return Text(s)
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	if at == len(s) {
		return Text(s)
	}
	return Text(s[:at]) + "… (" + strconv.Itoa(len(s)) + " octets)"
}

// Quote is s in double quotes as a Go string: one line, reversible with
// [strconv.Unquote].
func Quote(s string) string {
	q := strconv.Quote(s)
	if clean(q) == len(q) {
		return q
	}
	// Blank runes and piled marks are printable for strconv.
	return strconv.QuoteToASCII(s)
}

// clean is the length of the part of s before the first thing to escape.
func clean(s string) int {
	i := 0
	for i < len(s) && s[i] >= ' ' && s[i] < 0x7f {
		i++
	}
	marks := 0
	for i < len(s) {
		if c := s[i]; c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				return i
			}
			marks = 0
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if !shown(r, size) {
			return i
		}
		if marks = count(marks, r); marks > maxMarks {
			return i
		}
		i += size
	}
	return i
}

// shown reports whether a rune of size octets may be shown as it is.
func shown(r rune, size int) bool {
	if r == utf8.RuneError && size <= 1 {
		return false
	}
	return unicode.IsPrint(r) && !blank(r)
}

// blank reports the runes that are letters, marks or symbols by category and
// are drawn as nothing, so that text can hide in them: fillers, variation
// selectors, the grapheme joiner and the empty Braille pattern.
func blank(r rune) bool {
	return r >= 0x034f && (r == 0x2800 || r == 0x1d159 ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r))
}

// count is the number of combining marks in a row after r.
func count(marks int, r rune) int {
	if r >= 0x0300 && unicode.In(r, unicode.Mn, unicode.Me) {
		return marks + 1
	}
	return 0
}

func escape(s string, keepLines bool) string {
	if clean(s) == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	marks := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		marks = count(marks, r)
		switch {
		case keepLines && r == '\n':
			b.WriteByte('\n')
		case keepLines && r == '\r' && strings.HasPrefix(s[i:], "\r\n"):
		case shown(r, size) && marks <= maxMarks:
			b.WriteString(s[i : i+size])
		default:
			writeEscape(&b, r, s[i], size)
		}
		i += size
	}
	return b.String()
}

// writeEscape writes the escape of rune r that begins with octet c.
func writeEscape(b *strings.Builder, r rune, c byte, size int) {
	const digits = "0123456789abcdef"
	switch {
	case r == '\t':
		b.WriteString(`\t`)
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case size <= 1:
		b.WriteString(`\x`)
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	default:
		b.WriteString(`\u{`)
		b.WriteString(strconv.FormatInt(int64(r), 16))
		b.WriteByte('}')
	}
}
