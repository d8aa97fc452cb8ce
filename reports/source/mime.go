package source

import (
	"bytes"
	"strconv"
	"strings"
)

const (
	maxParts     = 1000 // of one mail
	maxMultipart = 20   // multiparts in each other
)

// part is a leaf of a mail's tree.
type part struct {
	h         header
	mediaType string
	name      string // filename
	body      []byte // as transferred
	data      []byte // decoded
	notes     []string
}

// tree is the leaves of a mail.
type tree struct {
	parts []part
	cut   bool
}

func (t *tree) find(mediaType string) *part {
	for i := range t.parts {
		if t.parts[i].mediaType == mediaType {
			return &t.parts[i]
		}
	}
	return nil
}

// text is the first text for people.
func (t *tree) text() []byte {
	if p := t.find("text/plain"); p != nil {
		return p.data
	}
	return nil
}

// types lists the parts for an error.
func (t *tree) types() string {
	var list []string
	for i := range t.parts {
		if i == 6 {
			list = append(list, "…")
			break
		}
		s := t.parts[i].mediaType
		if t.parts[i].name != "" {
			s += " " + t.parts[i].name
		}
		list = append(list, quote(s))
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// add walks a body into the leaves.
func (t *tree) add(h header, body []byte, depth int) {
	mediaType, ct := h.contentType()
	if mediaType == "" {
		mediaType = "text/plain" // RFC 2045, Section 5.2
	}
	if strings.HasPrefix(mediaType, "multipart/") && depth < maxMultipart {
		if sections := split(body, ct["boundary"]); len(sections) > 0 {
			for _, s := range sections {
				if len(t.parts) == maxParts {
					t.cut = true
					return
				}
				sh, sb := splitHeader(s)
				t.add(sh, sb, depth+1)
			}
			return
		}
	}
	p := part{h: h, mediaType: mediaType, name: h.filename(), body: body}
	p.decode()
	t.parts = append(t.parts, p)
}

// split cuts a multipart body at its boundary (RFC 2046, Section 5.1.1). Without
// a boundary, or with one that does not occur, the first line that looks like one
// is taken.
func split(body []byte, boundary string) [][]byte {
	if boundary == "" || !bytes.Contains(body, []byte("--"+boundary)) {
		if boundary = guessBoundary(body); boundary == "" {
			return nil
		}
	}
	delim := []byte("--" + boundary)
	var out [][]byte
	start := -1
	for pos := 0; pos < len(body); {
		l, rest := cutLine(body[pos:])
		next := len(body) - len(rest)
		if bytes.HasPrefix(l, delim) {
			tail := bytes.TrimRight(l[len(delim):], " \t")
			end := bytes.HasPrefix(tail, []byte("--"))
			if end || len(tail) == 0 {
				if start >= 0 {
					out = append(out, trimLineEnd(body[start:pos]))
				}
				start = next
				if end {
					return out
				}
			}
		}
		pos = next
		if len(out) > maxParts {
			return out
		}
	}
	if start >= 0 && start < len(body) {
		out = append(out, body[start:]) // the last delimiter is missing
	}
	return out
}

// trimLineEnd removes the line end before a boundary, which belongs to it (RFC
// 2046, Section 5.1.1).
func trimLineEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

func guessBoundary(body []byte) string {
	for n := 0; n < 200 && len(body) > 0; n++ {
		var l []byte
		l, body = cutLine(body)
		l = bytes.TrimRight(l, " \t")
		if next := bytes.ToLower(body[:min(len(body), 8)]); len(l) > 4 && len(l) < 200 && bytes.HasPrefix(l, []byte("--")) &&
			(bytes.HasPrefix(next, []byte("content-")) || bytes.HasPrefix(next, []byte("mime-"))) {
			return string(l[2:])
		}
	}
	return ""
}

// decode undoes the transfer encoding.
func (p *part) decode() {
	p.data = p.body
	switch encoding := strings.ToLower(strings.Trim(p.h.get("content-transfer-encoding"), " \t;\"'")); encoding {
	case "base64":
		// Content that is not encoded in spite of the label is taken as it is.
		if c := sniff(p.body[:min(len(p.body), peekSize)]); c == isXML || c == isGzip || c == isZip {
			p.notes = append(p.notes, "labelled as base64, and not encoded")
			return
		}
		data, clean := decodeBase64(p.body)
		if !clean {
			p.notes = append(p.notes, "base64 with other characters in it")
		}
		p.data = data
	case "quoted-printable":
		p.data = decodeQuoted(p.body)
	}
}

// decodeQuoted decodes quoted-printable (RFC 2045, Section 6.7); an "=" that
// begins no code stays.
func decodeQuoted(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '=' {
			out = append(out, b[i])
			continue
		}
		rest := b[i+1:]
		if l, after := cutLine(rest); len(bytes.TrimRight(l, " \t")) == 0 {
			i = len(b) - len(after) - 1 // soft line break
			continue
		}
		if len(rest) >= 2 {
			if v, err := strconv.ParseUint(string(rest[:2]), 16, 8); err == nil {
				out = append(out, byte(v))
				i += 2
				continue
			}
		}
		out = append(out, '=')
	}
	return out
}
