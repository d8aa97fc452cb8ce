package message

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
)

// DecodeWords decodes the encoded words of a value (RFC 2047) and makes it valid
// UTF-8. Words inside quotes, next to text or with spaces in them are decoded as
// well, and a character cut in two by two words is joined: mail programs write all
// of these. Words that cannot be decoded stay as they are. The result is foreign
// text and may hold control characters.
func DecodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return toUTF8(s)
	}
	var out strings.Builder
	var run struct { // words that follow each other in one charset
		charset string
		data    []byte
	}
	flush := func() {
		if run.charset != "" {
			text, _ := decodeCharset(run.charset, run.data)
			out.WriteString(text)
		}
		run.charset, run.data = "", run.data[:0]
	}
	for s != "" {
		i := strings.Index(s, "=?")
		if i < 0 {
			break
		}
		w, n := encodedWord(s[i:])
		if n == 0 {
			flush()
			out.WriteString(toUTF8(s[:i+2]))
			s = s[i+2:]
			continue
		}
		// RFC 2047, Section 6.2: white space between two words is not shown.
		if before := s[:i]; run.charset == "" || strings.TrimLeft(before, " \t\r\n") != "" {
			flush()
			out.WriteString(toUTF8(before))
		}
		if run.charset != "" && !strings.EqualFold(run.charset, w.charset) {
			flush()
		}
		run.charset = w.charset
		run.data = append(run.data, w.data...)
		s = s[i+n:]
	}
	flush()
	out.WriteString(toUTF8(s))
	return out.String()
}

type word struct {
	charset string
	data    []byte
}

const maxCharset = 40 // octets of the name of a charset

// encodedWord reads one encoded word at the head of s and tells its length, 0 if
// there is none.
func encodedWord(s string) (word, int) {
	rest := s[2:]
	i := strings.IndexByte(rest, '?')
	if i <= 0 || i > maxCharset || len(rest) < i+3 || rest[i+2] != '?' {
		return word{}, 0
	}
	charset, _, _ := strings.Cut(rest[:i], "*") // RFC 2231, Section 5: a language
	if strings.ContainsAny(charset, " \t\r\n\"()<>,;") || charset == "" {
		return word{}, 0
	}
	kind, text := rest[i+1], rest[i+3:]
	end := strings.Index(text, "?=")
	if end < 0 {
		return word{}, 0
	}
	text = text[:end]
	var data []byte
	switch kind {
	case 'B', 'b':
		clean := strings.Map(func(r rune) rune {
			if r == '=' || r <= ' ' {
				return -1
			}
			return r
		}, text)
		var err error
		if data, err = base64.RawStdEncoding.DecodeString(clean); err != nil {
			if data, err = base64.RawStdEncoding.DecodeString(clean[:len(clean)/4*4]); err != nil {
				return word{}, 0
			}
		}
	case 'Q', 'q':
		data = make([]byte, 0, len(text))
		for i := 0; i < len(text); i++ {
			switch c := text[i]; {
			case c == '_':
				data = append(data, ' ')
			case c == '=' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
				data = append(data, unhex(text[i+1])<<4|unhex(text[i+2]))
				i += 2
			default:
				data = append(data, c)
			}
		}
	default:
		return word{}, 0
	}
	return word{charset, data}, 2 + i + 3 + end + 2
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}

// decodeCharset converts octets to UTF-8 and reports whether they were all of the
// charset. Without a known charset the octets are taken as UTF-8 or Windows-1252.
func decodeCharset(charset string, b []byte) (string, bool) {
	name := strings.ToLower(strings.Trim(charset, " \t\"'"))
	switch name {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "ansi_x3.4-1968":
		s := string(b)
		if utf8.ValidString(s) {
			return s, name == "" || name[0] == 'u' && name[1] == 't' || isASCII(s)
		}
		return toUTF8(s), false
	}
	e, err := htmlindex.Get(name)
	if err != nil || e == encoding.Replacement {
		return toUTF8(string(b)), false
	}
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return toUTF8(string(b)), false
	}
	s := string(out)
	return s, !strings.ContainsRune(s, utf8.RuneError)
}

// toUTF8 makes text of unknown charset valid: octets that are no UTF-8 are taken
// for Latin-1, so that nothing is lost.
func toUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			b.WriteRune(rune(s[0]))
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
