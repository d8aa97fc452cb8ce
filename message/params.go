package message

import (
	"slices"
	"strconv"
	"strings"
)

const maxParams = 100 // of one field

// paramField is a value with parameters, such as Content-Type.
type paramField struct {
	value    string // in lower case
	params   map[string]string
	repeated string // a parameter given twice
	cut      bool
}

// parseParams reads a value with parameters (RFC 2045, Section 5.1; RFC 2231), as
// loosely as mail systems write them: comments anywhere, no quotes around what
// needs them, no quote at the end.
func parseParams(v string) paramField {
	s := StripComments(v)
	main, rest, _ := strings.Cut(s, ";")
	out := paramField{value: strings.ToLower(strings.TrimSpace(main))}
	raw := map[string]string{}
	for rest != "" {
		name, after, ok := strings.Cut(rest, "=")
		if i := strings.LastIndexByte(name, ';'); i >= 0 {
			name = name[i+1:]
		}
		if !ok {
			break
		}
		var val string
		after = strings.TrimLeft(after, " \t")
		if strings.HasPrefix(after, `"`) {
			val, rest = quotedValue(after[1:])
		} else {
			val, rest, _ = strings.Cut(after, ";")
			val = strings.TrimSpace(val)
		}
		if len(raw) >= maxParams {
			out.cut = true
			break
		}
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := raw[name]; twice {
			out.repeated = name
		} else {
			raw[name] = val
		}
	}
	out.params = joinParts(raw)
	return out
}

// StripComments removes comments outside quotes (RFC 5322, Section 3.2.2). One that does not end is kept as
// text: the parameter behind it is worth more than the comment.
func StripComments(s string) string {
	if strings.IndexByte(s, '(') < 0 {
		return s
	}
	var b strings.Builder
	depth, quoted, open := 0, false, 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			if depth == 0 {
				b.WriteString(s[i : i+2])
			}
			i++
			continue
		case c == '"' && depth == 0:
			quoted = !quoted
		case c == '(' && !quoted:
			if depth == 0 {
				open = i
			}
			depth++
			continue
		case c == ')' && depth > 0:
			depth--
			continue
		}
		if depth == 0 {
			b.WriteByte(c)
		}
	}
	if depth > 0 {
		b.WriteString(s[open:])
	}
	return b.String()
}

// quotedValue reads a quoted-string after its first quote, and goes to the next
// parameter.
func quotedValue(s string) (val, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i+1 < len(s) {
				i++
				b.WriteByte(s[i])
			}
		case '"':
			_, rest, _ = strings.Cut(s[i+1:], ";")
			return b.String(), rest
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// joinParts undoes RFC 2231, Sections 3 and 4: name*0, name*1* and name* are one
// value, in percent encoding where a star ends the name.
func joinParts(raw map[string]string) map[string]string {
	if len(raw) == 0 {
		return nil
	}
	out := map[string]string{}
	parts := map[string][]int{}
	for name, val := range raw {
		base, star, ok := strings.Cut(name, "*")
		if !ok {
			if _, done := out[name]; !done {
				out[name] = val
			}
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSuffix(star, "*")); err == nil && n >= 0 {
			if !slices.Contains(parts[base], n) {
				parts[base] = append(parts[base], n)
			}
		} else if star == "" {
			charset, data := percent(val, true)
			out[base], _ = decodeCharset(charset, data)
		}
	}
	for base, list := range parts {
		slices.Sort(list)
		var all []byte
		charset := ""
		for i, n := range list {
			key := base + "*" + strconv.Itoa(n)
			if val, ok := raw[key+"*"]; ok {
				cs, data := percent(val, i == 0)
				if i == 0 {
					charset = cs
				}
				all = append(all, data...)
			} else {
				all = append(all, raw[key]...)
			}
		}
		out[base], _ = decodeCharset(charset, all)
	}
	return out
}

// percent decodes an extended value; the first has "charset'language'" in front.
func percent(s string, first bool) (charset string, data []byte) {
	if first {
		if parts := strings.SplitN(s, "'", 3); len(parts) == 3 {
			charset, s = parts[0], parts[2]
		}
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			data = append(data, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		data = append(data, s[i])
	}
	return charset, data
}
