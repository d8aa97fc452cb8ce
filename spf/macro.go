package spf

import (
	"strconv"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const (
	// maxExpansion bounds what macros make of a text: a domain name needs 253
	// octets of it, an explanation of more is no help to anybody.
	maxExpansion = 16 << 10
	maxParts     = 1 << 16 // RFC 7208, Section 7.3: numbers of parts up to at least 127
)

// vars are the values of the macros (RFC 7208, Section 7.2).
type vars struct {
	local, senderDomain, helo string
	utf8Local                 bool // the local part is not ASCII
	ip                        client
}

// domainName is a domain with the text that the macro d stands for.
type domainName struct {
	name resolve.Name
	text string
}

// expansion is why a macro-string could not be expanded.
type expansion uint8

const (
	expanded    expansion = iota
	expNoMatch            // can never match, see RFC 8616, Section 4
	expNeedsPTR           // has the macro p and no value for it was given
	expTooLong
)

// expand appends the expansion of a checked macro-string to dst. ptr is the
// value of p, empty if it is not known yet; explain has the values of r and t.
func (v *vars) expand(dst []byte, s string, domain, ptr string, explain *Options) ([]byte, expansion) {
	for i := 0; i < len(s); i++ {
		if len(dst) > maxExpansion {
			return dst, expTooLong
		}
		if s[i] != '%' {
			dst = append(dst, s[i])
			continue
		}
		i++
		switch s[i] {
		case '%':
			dst = append(dst, '%')
			continue
		case '_':
			dst = append(dst, ' ')
			continue
		case '-':
			dst = append(dst, "%20"...)
			continue
		}
		end := i + strings.IndexByte(s[i:], '}')
		var e expansion
		if dst, e = v.macro(dst, s[i+1:end], domain, ptr, explain); e != expanded {
			return dst, e
		}
		i = end
	}
	return dst, expanded
}

// macro appends one macro-expand, given what is between its braces.
func (v *vars) macro(dst []byte, m, domain, ptr string, explain *Options) ([]byte, expansion) {
	var value string
	switch m[0] | 0x20 {
	case 's':
		value = v.local + "@" + v.senderDomain
	case 'l':
		value = v.local
	case 'o':
		value = v.senderDomain
	case 'd':
		value = domain
	case 'i':
		value = v.ip.dotted()
	case 'p':
		if ptr == "" {
			return dst, expNeedsPTR
		}
		value = ptr
	case 'h':
		value = v.helo
	case 'v':
		value = "ip6"
		if v.ip.v4 {
			value = "in-addr"
		}
	case 'c':
		value = v.ip.addr.String()
	case 'r':
		if value = explain.Receiver; value == "" {
			value = "unknown"
		}
	case 't':
		now := time.Now
		if explain.Now != nil {
			now = explain.Now
		}
		value = strconv.FormatInt(now().Unix(), 10)
	}
	// RFC 8616, Section 4: with a local part that is not ASCII, s and l match nothing.
	if v.utf8Local && (m[0]|0x20 == 's' || m[0]|0x20 == 'l') {
		return dst, expNoMatch
	}
	from := len(dst)
	dst = transform(dst, value, m[1:])
	if m[0] < 'a' {
		dst = escape(dst, from)
	}
	return dst, expanded
}

// transform appends value split, reversed and cut as t says.
func transform(dst []byte, value, t string) []byte {
	if t == "" {
		return append(dst, value...)
	}
	keep, i := 0, 0
	for ; i < len(t) && class[t[i]]&clDigit != 0; i++ {
		keep = min(keep*10+int(t[i]-'0'), maxParts)
	}
	reverse := i < len(t) && t[i]|0x20 == 'r'
	if reverse {
		i++
	}
	delims := t[i:]
	if delims == "" {
		delims = "."
	}
	var array [40]string
	parts := array[:0]
	for {
		at := strings.IndexAny(value, delims)
		if at < 0 {
			break
		}
		parts = append(parts, value[:at])
		value = value[at+1:]
	}
	parts = append(parts, value)
	// RFC 7208, Section 7.3: the parts are counted from the right after the reversal.
	from, to := 0, len(parts)
	if keep > 0 && keep < len(parts) {
		if reverse {
			to = keep
		} else {
			from = len(parts) - keep
		}
	}
	parts = parts[from:to]
	for k := range parts {
		if k > 0 {
			dst = append(dst, '.')
		}
		if reverse {
			dst = append(dst, parts[len(parts)-1-k]...)
		} else {
			dst = append(dst, parts[k]...)
		}
	}
	return dst
}

// escape rewrites dst[from:] as an upper-case macro letter asks: what is not
// unreserved (RFC 3986, Section 2.3) becomes %XX.
func escape(dst []byte, from int) []byte {
	plain := true
	for _, c := range dst[from:] {
		if class[c]&clName == 0 && c != '~' {
			plain = false
		}
	}
	if plain {
		return dst
	}
	const hex = "0123456789ABCDEF"
	src := string(dst[from:])
	dst = dst[:from]
	for _, c := range []byte(src) {
		if class[c]&clName != 0 || c == '~' {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// targetName makes a name of an expanded domain-spec.
//
// RFC 7208, Section 7.3: labels are dropped from the left until the name fits,
// and a trailing dot is not part of it. The error is a *resolve.NameError.
func targetName(text string) (domainName, error) {
	text = strings.TrimSuffix(text, ".")
	for len(text) > resolve.MaxName {
		_, rest, found := strings.Cut(text, ".")
		if !found {
			break
		}
		text = rest
	}
	n, err := resolve.NameFromText(text)
	return domainName{n, text}, err
}
