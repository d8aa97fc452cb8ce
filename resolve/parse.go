package resolve

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// toASCII maps what people type to A-labels (UTS #46, non-transitional, as
// RFC 5891 needs). Underscores are left alone: mail lives under them.
var toASCII = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.BidiRule())

// ParseName reads a domain name as a person writes it: any case, with or
// without the final dot, U-labels or A-labels. A URL, a mail address or an
// address is refused with a hint at the domain in it. Errors are *[NameError].
func ParseName(text string) (Name, error) {
	s := strings.TrimSpace(text)
	if e := mistaken(s); e != nil {
		e.In = shorten(text)
		return Name{}, e
	}
	if !isASCII(s) {
		if at := strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }); at >= 0 {
			return Name{}, &NameError{In: shorten(text), At: at, Reason: "control character or invalid UTF-8"}
		}
		a, err := toASCII.ToASCII(s)
		if err != nil {
			return Name{}, &NameError{In: shorten(text), At: -1, Reason: "not a valid internationalized name"}
		}
		s = a
	}
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '-' && c != '_' && c != '.' {
			return Name{}, &NameError{In: shorten(text), At: i, Reason: fmt.Sprintf("character %q", rune(c)), Hint: "a domain name has letters, digits, hyphens and dots"}
		}
	}
	n, err := NameFromText(s)
	if e, ok := errors.AsType[*NameError](err); ok {
		e.In = shorten(text)
		return Name{}, e
	}
	return n, nil
}

// mistaken finds what is pasted in place of a domain name.
func mistaken(s string) *NameError {
	switch {
	case s == "":
		return &NameError{At: -1, Reason: "it is empty"}
	case strings.Contains(s, "://"):
		_, host, _ := strings.Cut(s, "://")
		host, _, _ = strings.Cut(host, "/")
		if i := strings.LastIndexByte(host, '@'); i >= 0 {
			host = host[i+1:]
		}
		host, _, _ = strings.Cut(host, ":")
		return &NameError{At: -1, Reason: "it is a URL", Hint: hintName(host)}
	case strings.Contains(s, "@"):
		return &NameError{At: -1, Reason: "it is a mail address", Hint: hintName(s[strings.LastIndexByte(s, '@')+1:])}
	case strings.HasPrefix(s, "*."):
		return &NameError{At: -1, Reason: "it is a wildcard", Hint: hintName(s[2:])}
	}
	if a := strings.Trim(s, "[]"); a != "" {
		if _, err := netip.ParseAddr(a); err == nil {
			return &NameError{At: -1, Reason: "it is an IP address"}
		}
	}
	if i := strings.IndexByte(s, '/'); i > 0 {
		return &NameError{At: i, Reason: "it has a path", Hint: hintName(s[:i])}
	}
	if i := strings.IndexByte(s, ':'); i > 0 {
		return &NameError{At: i, Reason: "it has a port", Hint: hintName(s[:i])}
	}
	return nil
}

func hintName(s string) string {
	if n, err := ParseName(strings.Trim(s, "<> ")); err == nil && !n.IsRoot() {
		return "did you mean " + n.String()
	}
	return ""
}

// shorten keeps error texts readable when the input is huge.
func shorten(s string) string {
	const limit = 80
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
