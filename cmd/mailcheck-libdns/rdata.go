package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// maxString is the length of a character-string (RFC 1035, Section 2.3.4).
const maxString = 255 // octets

// strs reads character-strings in master file form (RFC 1035, Section 5.1):
// quoted or bare, with \X and \DDD.
func strs(data string) ([]string, error) {
	var out []string
	for i := 0; i < len(data); {
		if data[i] == ' ' || data[i] == '\t' {
			i++
			continue
		}
		quoted := data[i] == '"'
		if quoted {
			i++
		}
		var b strings.Builder
		closed := false
		for i < len(data) {
			c := data[i]
			if quoted && c == '"' {
				closed = true
				i++
				break
			}
			if !quoted && (c == ' ' || c == '\t' || c == '"') {
				break
			}
			if c != '\\' {
				b.WriteByte(c)
				i++
				continue
			}
			v, n, err := escape(data[i:])
			if err != nil {
				return nil, err
			}
			b.WriteByte(v)
			i += n
		}
		switch {
		case quoted && !closed:
			return nil, fmt.Errorf("no closing quote in %.80q", data)
		case !quoted && i < len(data) && data[i] == '"', closed && i < len(data) && data[i] != ' ' && data[i] != '\t' && data[i] != '"':
			return nil, fmt.Errorf("a quote in the middle of %.80q", data)
		case b.Len() > maxString:
			return nil, fmt.Errorf("a string of %d octets in %.80q", b.Len(), data)
		}
		out = append(out, b.String())
	}
	if out == nil {
		return nil, fmt.Errorf("no string in %.80q", data)
	}
	return out, nil
}

// escape reads \X or \DDD at the beginning of s, and says how long it is.
func escape(s string) (byte, int, error) {
	if len(s) < 2 {
		return 0, 0, fmt.Errorf("backslash at the end")
	}
	if s[1] < '0' || s[1] > '9' {
		return s[1], 2, nil
	}
	if len(s) < 4 {
		return 0, 0, fmt.Errorf("escape %.4q is not three digits", s)
	}
	v, err := strconv.ParseUint(s[1:4], 10, 8)
	if err != nil {
		return 0, 0, fmt.Errorf("escape %.4q is not three digits up to 255", s)
	}
	return byte(v), 4, nil
}

// quote writes character-strings in master file form.
func quote(list []string) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteByte('"')
		for j := range len(s) {
			switch c := s[j]; {
			case c == '"' || c == '\\':
				b.WriteByte('\\')
				b.WriteByte(c)
			case c < ' ' || c > '~':
				fmt.Fprintf(&b, `\%03d`, c)
			default:
				b.WriteByte(c)
			}
		}
		b.WriteByte('"')
	}
	return b.String()
}

// split cuts a text into character-strings.
func split(text string) []string {
	var out []string
	for len(text) > maxString {
		out, text = append(out, text[:maxString]), text[maxString:]
	}
	return append(out, text)
}

// text is what the strings of a TXT record stand for.
func text(data string) (string, error) {
	s, err := strs(data)
	return strings.Join(s, ""), err
}

// fromMaster makes a TXT record of what a provider keeps in master file form,
// with or without the outer quotes: some packages strip them, and leave those
// between strings (libdns/cloudflare issues 13 and 24).
func fromMaster(s string) string {
	for _, form := range []string{s, `"` + s + `"`} {
		if list, err := strs(form); err == nil && strings.HasPrefix(form, `"`) {
			return quote(list)
		}
	}
	return quote(split(s))
}

// fromRaw makes one of what a provider keeps as bare text, or shows as strings in
// quotes without escapes.
func fromRaw(s string) string {
	in := s
	if t := strings.TrimSpace(s); len(t) >= 2 && strings.HasPrefix(t, `"`) && strings.HasSuffix(t, `"`) {
		in = t[1 : len(t)-1]
	}
	// Strings of 255 octets each, but for the last, are one text that was cut.
	list := strings.Split(in, `" "`)
	for i, part := range list {
		if len(part) > maxString || i < len(list)-1 && len(part) < maxString {
			return fromLiteral(in)
		}
	}
	return quote(list)
}

// fromLiteral makes one of the text itself.
func fromLiteral(s string) string { return quote(split(s)) }

// canon is record data in one spelling, so that it can be compared. A name without
// a final dot is below origin, or absolute if that is empty.
func canon(typ, data, origin string) (string, error) {
	f := strings.Fields(data)
	number := func(s string, bits int) bool { _, err := strconv.ParseUint(s, 10, bits); return err == nil }
	switch {
	case typ == "TXT" || typ == "SPF":
		list, err := strs(data)
		if err != nil {
			return "", err
		}
		return quote(list), nil
	case (typ == "A" || typ == "AAAA") && len(f) == 1:
		a, err := netip.ParseAddr(f[0])
		if err != nil {
			return "", fmt.Errorf("no address: %.80q", data)
		}
		return a.String(), nil
	case (typ == "CNAME" || typ == "NS" || typ == "PTR") && len(f) == 1:
		return host(f[0], origin), nil
	case typ == "MX" && len(f) == 2 && number(f[0], 16):
		return trim(f[0]) + " " + host(f[1], origin), nil
	case typ == "SRV" && len(f) == 4 && number(f[0], 16) && number(f[1], 16) && number(f[2], 16):
		return trim(f[0]) + " " + trim(f[1]) + " " + trim(f[2]) + " " + host(f[3], origin), nil
	case typ == "TLSA" && len(f) >= 4 && number(f[0], 8) && number(f[1], 8) && number(f[2], 8):
		return trim(f[0]) + " " + trim(f[1]) + " " + trim(f[2]) + " " + strings.ToLower(strings.Join(f[3:], "")), nil
	case typ == "CAA" && len(f) >= 3 && number(f[0], 8):
		_, rest, _ := strings.Cut(strings.TrimSpace(data), " ")
		_, rest, _ = strings.Cut(strings.TrimSpace(rest), " ")
		v, err := text(rest)
		if err != nil {
			return "", err
		}
		return trim(f[0]) + " " + strings.ToLower(f[1]) + " " + quote([]string{v}), nil
	}
	switch typ {
	case "A", "AAAA", "CNAME", "NS", "PTR", "MX", "SRV", "TLSA", "CAA":
		return "", fmt.Errorf("no data of type %s: %.80q", typ, data)
	}
	return "", fmt.Errorf("records of type %.20q are not handled", typ)
}

func trim(n string) string {
	if n = strings.TrimLeft(n, "0"); n == "" {
		return "0"
	}
	return n
}

// host is a name with its final dot.
func host(s, origin string) string {
	s = strings.ToLower(s)
	switch {
	case strings.HasSuffix(s, "."):
		return s
	case s == "@" && origin != "":
		return strings.ToLower(origin) + "."
	case origin != "":
		return s + "." + strings.ToLower(origin) + "."
	}
	return s + "."
}

// same tells whether two sets, in canonical form, hold the same: TXT by its text,
// as most providers cut it where they like.
func same(typ string, a, b []string) bool {
	return slices.Equal(keys(typ, a), keys(typ, b))
}

func keys(typ string, list []string) []string {
	var out []string
	for _, d := range list {
		out = append(out, key(typ, d))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func key(typ, data string) string {
	if typ == "TXT" || typ == "SPF" {
		if t, err := text(data); err == nil {
			return t
		}
	}
	return data
}
