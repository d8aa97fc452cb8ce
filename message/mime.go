package message

import (
	"bytes"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// Part is a mail, or a part of its MIME tree (RFC 2046).
type Part struct {
	Path        string            `json:"path"` // "2.1" is the first part of the second; empty for the mail
	Header      Header            `json:"header"`
	Type        string            `json:"type"`             // in lower case; "text/plain" if there is none
	Params      map[string]string `json:"params,omitempty"` // of Content-Type, names in lower case
	Encoding    string            `json:"encoding"`         // in lower case; "7bit" if there is none
	Disposition string            `json:"disposition,omitempty"`
	Filename    string            `json:"filename,omitempty"` // decoded; foreign text
	Start       int64             `json:"start"`              // offset of the header
	Body        int64             `json:"body"`               // offset of the body
	End         int64             `json:"end"`                // offset after the body
	Boundary    string            `json:"boundary,omitempty"` // of a multipart, as it was used
	Parts       []*Part           `json:"parts,omitempty"`    // of a multipart, or the mail in a message/rfc822

	// Detached is true if the offsets count in the decoded body of a part above,
	// not in the mail.
	Detached bool      `json:"detached,omitempty"`
	Problems []Problem `json:"problems,omitempty"`

	src source
}

// IsMultipart reports whether the part is a multipart.
func (p *Part) IsMultipart() bool { return strings.HasPrefix(p.Type, "multipart/") }

// IsMessage reports whether the part holds another mail (RFC 2046, Section 5.2.1;
// RFC 6532, Section 3.7).
func (p *Part) IsMessage() bool {
	switch p.Type {
	case "message/rfc822", "message/global", "message/news":
		return true
	}
	return false
}

// Raw is the body as it was sent, in its transfer encoding. It must not be changed.
func (p *Part) Raw() []byte { return p.src.data[p.Body:p.End] }

// Whole is the part as it was sent, header included. It must not be changed.
func (p *Part) Whole() []byte { return p.src.data[p.Start:p.End] }

// Walk yields the part and all parts below it, in the order of the mail. Those of
// mails inside the mail come only if nested is true.
func (p *Part) Walk(nested bool) iter.Seq[*Part] {
	return func(yield func(*Part) bool) { p.walk(nested, yield) }
}

func (p *Part) walk(nested bool, yield func(*Part) bool) bool {
	if !yield(p) {
		return false
	}
	if p.IsMessage() && !nested {
		return true
	}
	for _, c := range p.Parts {
		if !c.walk(nested, yield) {
			return false
		}
	}
	return true
}

// Find is the first part of a media type in the mail itself, nil if there is none.
func (m *Message) Find(mediaType string) *Part {
	for p := range m.Root.Walk(false) {
		if p.Type == mediaType {
			return p
		}
	}
	return nil
}

func (p *Part) note(code Code, at int, text string) {
	const most = 20
	if len(p.Problems) < most {
		p.Problems = append(p.Problems, Problem{code, int64(at), shorten(text, maxQuote)})
	}
}

type parser struct {
	m     *Message
	opt   Options
	left  int64 // octets that may still be decoded for nested mails
	parts int   // parts that may still be read
	told  bool  // the limit of parts is in the problems
}

// message reads a header and the body under it.
func (p *parser) message(src source, in span, path string, depth int, top bool) *Part {
	h := scanHeader(src, in, p.opt, top)
	part := &Part{Path: path, Header: h, Start: h.Start, Body: h.End, End: int64(in.end), src: src}
	part.describe()
	switch {
	case part.IsMultipart():
		if depth >= min(pick(p.opt.MaxDepth, MaxDepth), MaxDepth) {
			part.note(Cut, int(part.Body), "parts inside this one were not read")
			return part
		}
		p.multipart(part, depth)
	case part.IsMessage():
		if depth >= min(pick(p.opt.MaxDepth, MaxDepth), MaxDepth) {
			part.note(Cut, int(part.Body), "the mail inside was not read")
			return part
		}
		p.nested(part, depth)
	default:
		part.check()
	}
	return part
}

// describe reads the MIME fields.
func (p *Part) describe() {
	h := &p.Header
	for _, name := range []string{"Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "MIME-Version"} {
		if fields := h.All(name); len(fields) > 1 {
			p.note(RepeatedType, int(fields[1].Start), name)
		}
	}
	ct := parseParams(h.get("Content-Type"))
	p.Type, p.Params = ct.value, ct.params
	if f := h.All("Content-Type"); len(f) > 0 {
		main, sub, ok := strings.Cut(p.Type, "/")
		if !ok || main == "" || sub == "" || strings.ContainsAny(p.Type, " \t\"") {
			p.note(BadType, int(f[0].Start), f[0].Value)
		}
		p.Type, _, _ = strings.Cut(p.Type, " ") // a semicolon is missing
		p.Type, _, _ = strings.Cut(p.Type, "\t")
		if ct.repeated != "" {
			p.note(RepeatedParam, int(f[0].Start), ct.repeated)
		}
		if ct.cut {
			p.note(Cut, int(f[0].Start), fmt.Sprintf("more than %d parameters", maxParams))
		}
	}
	if p.Type == "" || !strings.Contains(p.Type, "/") {
		p.Type = "text/plain" // RFC 2045, Section 5.2
	}
	p.Encoding = strings.ToLower(strings.Trim(StripComments(h.get("Content-Transfer-Encoding")), " \t;\"'"))
	if p.Encoding == "" {
		p.Encoding = "7bit" // RFC 2045, Section 6.1
	}
	switch p.Encoding {
	case "7bit", "8bit", "binary", "base64", "quoted-printable":
	default:
		p.note(BadEncoding, int(p.Start), p.Encoding)
	}
	cd := parseParams(h.get("Content-Disposition"))
	p.Disposition = cd.value
	for _, n := range []string{cd.params["filename"], ct.params["name"]} {
		if n != "" {
			p.Filename = DecodeWords(n)
			break
		}
	}
}

// multipart reads the parts of a multipart.
func (p *parser) multipart(part *Part, depth int) {
	if part.Encoding == "base64" || part.Encoding == "quoted-printable" {
		// RFC 2045, Section 6.4: a multipart has no encoding of its own.
		part.note(EncodedComposite, int(part.Body), part.Encoding)
	}
	b := part.Params["boundary"]
	in := span{int(part.Body), int(part.End)}
	sections, closed := split(part.src, in, b, p.parts)
	if len(sections) == 0 {
		if b == "" {
			part.note(NoBoundary, int(part.Body), "")
		}
		if guess := guessBoundary(part.src, in); guess != "" && guess != b {
			part.note(GuessedBoundary, int(part.Body), guess)
			b = guess
			sections, closed = split(part.src, in, b, p.parts)
		}
	}
	part.Boundary = b
	if len(sections) == 0 {
		part.note(NoParts, int(part.Body), "")
		return
	}
	if !closed {
		part.note(NotClosed, int(part.End), "")
	}
	for i, s := range sections {
		if !p.take() {
			return
		}
		part.Parts = append(part.Parts, p.message(part.src, s, below(part.Path, i+1), depth+1, false))
	}
}

// nested reads the mail inside a part.
func (p *parser) nested(part *Part, depth int) {
	src, in, detached := part.src, span{int(part.Body), int(part.End)}, part.Detached
	if part.Encoding == "base64" || part.Encoding == "quoted-printable" {
		// RFC 2046, Section 5.2.1: no encoding; RFC 6532, Section 3.7, lets
		// message/global have one. Systems use it for both.
		if part.Type != "message/global" {
			part.note(EncodedComposite, int(part.Body), part.Encoding)
		}
		data, whole := part.Content(p.left)
		if !whole {
			part.note(Cut, int(part.Body), "decoded octets of nested mails")
		}
		if p.left > 0 {
			p.left = max(0, p.left-int64(len(data)))
		}
		src, in, detached = source{data: data, eol: eolOf(data)}, span{0, len(data)}, true
	}
	if !p.take() {
		return
	}
	inner := p.message(src, in, below(part.Path, 1), depth+1, true)
	for c := range inner.Walk(true) {
		c.Detached = c.Detached || detached
	}
	part.Parts = []*Part{inner}
}

// take counts a part.
func (p *parser) take() bool {
	if p.parts--; p.parts >= 0 {
		return true
	}
	if !p.told {
		p.told = true
		p.m.Problems = append(p.m.Problems, Problem{Cut, -1, fmt.Sprintf("more than %d parts", pick(p.opt.MaxParts, MaxParts))})
	}
	return false
}

func below(path string, n int) string {
	if path == "" {
		return strconv.Itoa(n)
	}
	return path + "." + strconv.Itoa(n)
}

// split cuts a multipart's body at its boundary (RFC 2046, Section 5.1.1), into at
// most one section more than may be read.
func split(src source, in span, boundary string, most int) (out []span, closed bool) {
	if boundary == "" {
		return nil, false
	}
	delim := []byte("--" + boundary)
	start := -1
	for at := in.start; at < in.end; {
		// Most lines are none: look for the delimiter, then at its line.
		i := bytes.Index(src.data[at:in.end], delim)
		if i < 0 {
			break
		}
		pos := at + i
		if pos > in.start && src.data[pos-1] != src.eol {
			at = pos + 1
			continue
		}
		end, next := src.line(pos, in.end)
		tail := bytes.TrimRight(src.data[pos+len(delim):end], " \t")
		last := bytes.Equal(tail, []byte("--"))
		if !last && len(tail) > 0 {
			at = next
			continue
		}
		if start >= 0 {
			out = append(out, span{start, max(start, src.trimEOL(start, pos))})
		}
		start, at = next, next
		if last || len(out) > most {
			return out, last
		}
	}
	if start >= 0 && start < in.end {
		out = append(out, span{start, in.end})
	}
	return out, false
}

// trimEOL removes the line end before a boundary, which belongs to it (RFC 2046,
// Section 5.1.1).
func (s source) trimEOL(start, end int) int {
	if end > start && s.data[end-1] == s.eol {
		end--
		if s.eol == '\n' && end > start && s.data[end-1] == '\r' {
			end--
		}
	}
	return end
}

// guessBoundary takes the first line that looks like a delimiter: two dashes, and
// a MIME field in the next line.
func guessBoundary(src source, in span) string {
	at := in.start
	for n := 0; n < 200 && at < in.end; n++ {
		end, next := src.line(at, in.end)
		l := bytes.TrimRight(src.data[at:end], " \t")
		head := bytes.ToLower(src.data[next:min(next+8, in.end)])
		if len(l) > 4 && len(l) < 200 && bytes.HasPrefix(l, []byte("--")) &&
			(bytes.HasPrefix(head, []byte("content-")) || bytes.HasPrefix(head, []byte("mime-"))) {
			return string(l[2:])
		}
		at = next
	}
	return ""
}
