package signature

import (
	"crypto/sha256"
	"math"
	"strings"

	"github.com/mailcheck-go/mailcheck/dkim/internal/message"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// tag takes one tag; unknown ones are passed over (RFC 6376, Section 3.2).
func (s *Field) tag(name, value string) *Fault {
	if len(name) == 1 && name[0] >= 'a' && name[0] <= 'z' || name == "bh" || name == "cv" {
		s.seen |= tagBit(name)
	} else {
		return nil
	}
	switch name {
	case "v":
		s.Version = value
	case "a":
		s.Algorithm = value
		if value != "rsa-sha256" && value != "ed25519-sha256" && value != "rsa-sha1" {
			return fault(Algorithm, "a=%+.40q is no algorithm of DKIM", value)
		}
	case "b":
		return s.b(value)
	case "c":
		if s.Kind != Seal {
			return s.c(value)
		}
	case "d":
		return s.d(value)
	case "s":
		s.Selector = value
		if value == "" {
			return fault(Selector, "s= is empty")
		}
	case "t":
		return s.time(&s.Time, name, value)
	case "i":
		return s.i(value)
	case "cv":
		s.CV = value
	case "h":
		if s.Kind == Seal {
			// RFC 8617, Section 4.1.3: a seal with h= fails the chain.
			return fault(Syntax, "ARC-Seal has h=, which it must not have")
		}
		return s.h(value)
	case "bh":
		if s.Kind != Seal {
			return s.bh(value)
		}
	default:
		if s.Kind != Seal {
			return s.optional(name, value)
		}
	}
	return nil
}

func (s *Field) optional(name, value string) *Fault {
	switch name {
	case "l":
		return s.l(value)
	case "q":
		for m := range strings.SplitSeq(value, ":") {
			if strings.EqualFold(strings.Trim(m, space), "dns/txt") {
				return nil
			}
		}
		// RFC 6376, Section 3.5: unknown methods are ignored; none is left.
		return fault(Query, "q=%+.40q has no known query method, dns/txt is the only one", value)
	case "x":
		return s.time(&s.Expires, name, value)
	case "z":
		s.Copied = value
	}
	return nil
}

const space = " \t\r\n"

const sha1Size = 20

func (s *Field) b(value string) *Fault {
	if value == "" {
		return fault(MissingTag, "b= is empty")
	}
	buf := make([]byte, min(maxB, len(value)*3/4+3))
	n, ok := message.Base64(buf, []byte(value))
	if !ok {
		return fault(Syntax, "b= is no base64, or longer than any signature")
	}
	s.Signature = buf[:n]
	return nil
}

func (s *Field) bh(value string) *Fault {
	if value == "" {
		return fault(MissingTag, "bh= is empty")
	}
	var buf [maxB]byte
	n, ok := message.Base64(buf[:], []byte(value))
	switch {
	case !ok:
		return fault(Syntax, "bh= is no base64")
	case n == sha1Size: // judged with a=
		s.short = true
	case n != sha256.Size:
		return fault(Syntax, "bh= has %d octets, a SHA-256 hash has %d", n, sha256.Size)
	}
	copy(s.BodyHash[:], buf[:n])
	return nil
}

// c reads the canonicalization; the default of both halves is simple.
func (s *Field) c(value string) *Fault {
	header, body, both := strings.Cut(value, "/")
	for _, x := range []struct {
		word string
		to   *bool
		must bool
	}{{header, &s.RelaxedHeader, true}, {body, &s.RelaxedBody, both}} {
		switch {
		case x.word == "relaxed":
			*x.to = true
		case x.word != "simple" && x.must:
			return fault(Canonicalization, "c=%+.40q is no canonicalization of DKIM", value)
		}
	}
	return nil
}

func (s *Field) d(value string) *Fault {
	s.Domain = value
	n, err := resolve.ParseName(value)
	if err != nil {
		return fault(Domain, "d=%+.80q is no domain", value)
	}
	// RFC 6376, Section 3.5: d= has two labels at least and no final dot.
	if n.NumLabels() < 2 || strings.HasSuffix(value, ".") {
		return fault(Domain, "d=%+.80q is no domain of two labels or more", value)
	}
	s.Name = n
	return nil
}

func (s *Field) i(value string) *Fault {
	if s.Kind != DKIM {
		// RFC 8617, Section 4.2.1: one or two digits, 1 to 50.
		n, ok := Instance(value)
		if !ok {
			return fault(Syntax, "i=%+.20q is no instance from 1 to %d", value, MaxInstance)
		}
		s.Instance = n
		return nil
	}
	// RFC 6376, Section 3.5: the value is in the quoted-printable of Section 2.11.
	value = unquote(value)
	s.Identity = value
	at := strings.LastIndexByte(value, '@')
	if at < 0 {
		return fault(Identity, "i=%+.80q has no \"@\"", value)
	}
	n, err := resolve.ParseName(value[at+1:])
	if err != nil {
		return fault(Identity, "i=%+.80q has no domain", value)
	}
	s.IdentityName = n
	return nil
}

// unquote decodes dkim-quoted-printable. What is no escape stays as it is.
func unquote(s string) string {
	if !strings.ContainsAny(s, "="+space) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isSpace(c):
		case c == '=' && i+2 < len(s) && hex(s[i+1]) >= 0 && hex(s[i+2]) >= 0:
			out = append(out, byte(hex(s[i+1])<<4|hex(s[i+2])))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func hex(c byte) int { return strings.IndexByte("0123456789ABCDEF", c) }

// Copies are the fields that z= holds, as name and value.
func (s *Field) Copies() [][2]string {
	var out [][2]string
	for part := range strings.SplitSeq(s.Copied, "|") {
		name, value, ok := strings.Cut(part, ":")
		if ok && len(out) < MaxNames {
			out = append(out, [2]string{strings.Trim(unquote(name), space), unquote(value)})
		}
	}
	return out
}

// MaxInstance is the highest instance of an ARC set (RFC 8617, Section 4.2.1).
const MaxInstance = 50

// Instance reads the value of i= of an ARC field.
func Instance(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, s != "" && len(s) <= 2 && n >= 1 && n <= MaxInstance
}

func (s *Field) h(value string) *Fault {
	count := strings.Count(value, ":") + 1
	if count > MaxNames {
		return fault(Limit, "h= lists %d names, limit %d", count, MaxNames)
	}
	s.Names = make([]string, 0, count)
	for n := range strings.SplitSeq(value, ":") {
		n = strings.Trim(n, space)
		if n == "" {
			return fault(Syntax, "h= has an empty name")
		}
		for i := range len(n) {
			if n[i] <= ' ' || n[i] >= 0x7f || n[i] == ';' {
				return fault(Syntax, "h= lists %+.40q, which is no field name", n)
			}
		}
		s.Names = append(s.Names, n)
	}
	return nil
}

// maxDigits is the length from which a time means "for ever" (RFC 6376, Section 3.5).
const maxDigits = 12

func (s *Field) time(to *int64, name, value string) *Fault {
	n, ok := digits(value)
	if !ok {
		return fault(Syntax, "%s=%+.40q is no time in seconds", name, value)
	}
	if len(value) > maxDigits {
		n = math.MaxInt64
	}
	*to = n
	return nil
}

func (s *Field) l(value string) *Fault {
	n, ok := digits(value)
	if !ok || len(value) > 76 { // RFC 6376, Section 3.5: up to 76 digits
		return fault(Syntax, "l=%+.40q is no length", value)
	}
	s.Length = n
	return nil
}

// digits reads a number; one too big for an int64 is the biggest.
func digits(s string) (n int64, ok bool) {
	for i := range len(s) {
		d := int64(s[i]) - '0'
		if d < 0 || d > 9 {
			return 0, false
		}
		if n > (math.MaxInt64-9)/10 {
			n = math.MaxInt64 / 10
		}
		n = n*10 + d
	}
	return n, s != ""
}
