package source

import (
	"bytes"
	"mime"
	"net/mail"
	"sort"
	"strconv"
	"strings"
)

// header is the header of a mail or of one of its parts.
type header []headerField

type headerField struct{ name, value string } // name in lower case, value unfolded

const (
	maxFields = 2000    // of one header
	maxHeader = 1 << 20 // octets of one header
	maxValue  = 8 << 10 // octets of a field after which folded lines are left out
)

// splitHeader reads the header at the head of b (RFC 5322, Section 2.2) and
// returns what follows it. Lines that are no fields are left out.
func splitHeader(b []byte) (header, []byte) {
	var h header
	start := len(b)
	for len(b) > 0 && start-len(b) < maxHeader {
		l, rest := cutLine(b)
		if len(bytes.TrimSpace(l)) == 0 {
			return h, rest
		}
		if i := bytes.IndexByte(l, ':'); (l[0] == ' ' || l[0] == '\t') && len(h) > 0 {
			if last := &h[len(h)-1]; len(last.value) < maxValue {
				last.value += " " + string(bytes.TrimSpace(l))
			}
		} else if i > 0 && fieldName(bytes.TrimRight(l[:i], " \t")) && len(h) < maxFields {
			h = append(h, headerField{
				strings.ToLower(string(bytes.TrimRight(l[:i], " \t"))),
				string(bytes.TrimSpace(l[i+1:])),
			})
		} else if bytes.HasPrefix(l, []byte("--")) {
			return h, b // a body without the empty line in front of it
		}
		b = rest
	}
	return h, b
}

// cutLine returns the first line without its end, and what follows.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexAny(b, "\r\n")
	if i < 0 {
		return b, nil
	}
	rest = b[i+1:]
	if b[i] == '\r' && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	return b[:i], rest
}

func (h header) get(name string) string {
	for _, f := range h {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

func (h header) all(name string) (out []string) {
	for _, f := range h {
		if f.name == name {
			out = append(out, f.value)
		}
	}
	return out
}

// contentType is the media type in lower case with its parameters.
func (h header) contentType() (string, map[string]string) {
	v := h.get("content-type")
	if v == "" {
		v = h.get("contenttype") // seen in the reports of one large receiver
	}
	return params(v)
}

// filename is the name of a part, from either field that may hold one.
func (h header) filename() string {
	_, disposition := params(h.get("content-disposition"))
	if n := disposition["filename"]; n != "" {
		return decodeWords(n)
	}
	_, ct := h.contentType()
	return decodeWords(ct["name"])
}

// params reads a value with parameters (RFC 2045, Section 5.1; RFC 2231), as
// loosely as mail systems write them: no quotes around "=", none at the end.
func params(v string) (string, map[string]string) {
	main, rest, _ := strings.Cut(v, ";")
	raw := map[string]string{}
	for rest != "" && len(raw) < 100 {
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
			val, rest = quoted(after[1:])
		} else {
			val, rest, _ = strings.Cut(after, ";")
			val = strings.TrimSpace(val)
		}
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := raw[name]; !twice {
			raw[name] = val
		}
	}
	return strings.ToLower(strings.TrimSpace(main)), joinParts(raw)
}

// quoted reads a quoted-string after its first quote.
func quoted(s string) (val, rest string) {
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
			parts[base] = append(parts[base], n)
		} else if star == "" {
			out[base] = percent(val, true)
		}
	}
	for base, list := range parts {
		sort.Ints(list)
		var b strings.Builder
		for i, n := range list {
			key := base + "*" + strconv.Itoa(n)
			if val, ok := raw[key+"*"]; ok {
				b.WriteString(percent(val, i == 0))
			} else {
				b.WriteString(raw[key])
			}
		}
		out[base] = b.String()
	}
	return out
}

// percent decodes an extended value; the first has "charset'language'" in front.
func percent(s string, first bool) string {
	if first {
		if parts := strings.SplitN(s, "'", 3); len(parts) == 3 {
			s = parts[2]
		}
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(v))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

var words mime.WordDecoder

// decodeWords decodes RFC 2047 words; text that has none, or bad ones, stays.
func decodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return s
	}
	if out, err := words.DecodeHeader(s); err == nil {
		return out
	}
	return s
}

// mail describes the mail the header is of.
func (h header) mail() *Mail {
	m := &Mail{
		From: decodeWords(h.get("from")), Subject: decodeWords(h.get("subject")), MessageID: h.get("message-id"),
		AuthenticationResults: h.all("authentication-results"),
		TLSDomain:             h.get("tls-report-domain"), TLSSubmitter: h.get("tls-report-submitter"),
	}
	if t, err := mail.ParseDate(h.get("date")); err == nil {
		m.Date = t.UTC()
	}
	return m
}
