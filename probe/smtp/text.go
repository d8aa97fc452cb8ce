package smtp

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text is text from a host, octet by octet as it came; it may hold escapes,
// NULs and octets that are no UTF-8. In JSON a backslash is written \\ and an
// octet that is not UTF-8 \xNN, so nothing is lost.
type Text string

// MarshalText writes the reversible form.
func (t Text) MarshalText() ([]byte, error) {
	var b []byte
	for s := string(t); s != ""; {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b = fmt.Appendf(b, `\x%02x`, s[0])
		case r == '\\':
			b = append(b, `\\`...)
		default:
			b = append(b, s[:n]...)
		}
		s = s[n:]
	}
	return b, nil
}

// UnmarshalText reads the reversible form. A backslash that begins neither
// sequence stands for itself.
func (t *Text) UnmarshalText(text []byte) error {
	var b strings.Builder
	for s := string(text); s != ""; {
		if strings.HasPrefix(s, `\\`) {
			b.WriteByte('\\')
			s = s[2:]
			continue
		}
		if len(s) >= 4 && s[:2] == `\x` {
			if n, err := strconv.ParseUint(s[2:4], 16, 8); err == nil {
				b.WriteByte(byte(n))
				s = s[4:]
				continue
			}
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	*t = Text(b.String())
	return nil
}

// quote makes foreign text fit for an error string.
func quote[T ~string](s T) string {
	const most = 80
	if len(s) > most {
		s = s[:most]
	}
	return strconv.QuoteToASCII(string(s))
}
