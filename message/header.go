package message

import (
	"bytes"
	"fmt"
	"strings"
)

// Header is the header of a mail or of a part of it.
type Header struct {
	Fields   []Field   `json:"fields,omitempty"`
	Start    int64     `json:"start"` // offset of the first field
	End      int64     `json:"end"`   // offset of the body: after the empty line
	Problems []Problem `json:"problems,omitempty"`
	Mbox     string    `json:"mbox,omitempty"`    // the "From " line of a mailbox file, if there is one
	Dropped  int       `json:"dropped,omitempty"` // fields above the limits, which are not in Fields
}

// Field is one header field.
type Field struct {
	Index int    `json:"index"` // place in the header, from 0
	Name  string `json:"name"`  // as written
	Raw   string `json:"raw"`   // what follows the colon, as written, without the last line end
	Value string `json:"value"` // Raw unfolded and trimmed, still encoded (RFC 5322, Section 2.2.3)
	Start int64  `json:"start"` // offset of the name
	End   int64  `json:"end"`   // offset after the last line end
}

// Is reports whether the field has this name, in any case.
func (f Field) Is(name string) bool { return strings.EqualFold(f.Name, name) }

// Text is the value with its encoded words decoded: foreign text, escape before
// showing.
func (f Field) Text() string { return DecodeWords(f.Value) }

// Get is the value of the first field of that name, and whether there is one.
func (h *Header) Get(name string) (string, bool) {
	for i := range h.Fields {
		if h.Fields[i].Is(name) {
			return h.Fields[i].Value, true
		}
	}
	return "", false
}

// All are the fields of that name, from the top.
func (h *Header) All(name string) []Field {
	var out []Field
	for _, f := range h.Fields {
		if f.Is(name) {
			out = append(out, f)
		}
	}
	return out
}

// ParseHeader reads a header alone, as bounces carry it. The empty line at its
// end may be missing.
func ParseHeader(text []byte, opt Options) Header {
	src := source{data: text, eol: eolOf(text)}
	return scanHeader(src, span{0, len(text)}, opt, true)
}

// get is Get for those who take no field and an empty one for the same.
func (h *Header) get(name string) string {
	v, _ := h.Get(name)
	return v
}

func (h *Header) note(code Code, at int, text []byte) {
	const most = 50
	if len(h.Problems) < most {
		h.Problems = append(h.Problems, Problem{code, int64(at), shorten(string(text), maxQuote)})
	}
}

// scanHeader reads the header at the head of a span. A mail may have lines before
// it that are none of it.
func scanHeader(src source, in span, opt Options, top bool) Header {
	h := Header{Start: int64(in.start)}
	at := in.start
	if top {
		at = h.preamble(src, in)
	}
	maxHeader, maxFields := pick(opt.MaxHeader, MaxHeader), pick(opt.MaxFields, MaxFields)
	h.Start = int64(at)
	begin, spans := at, []fieldSpan(nil)
	inField := false
	for at < in.end {
		end, next := src.line(at, in.end)
		line := src.data[at:end]
		over := next-begin > maxHeader || len(spans) >= maxFields
		switch {
		case len(line) == 0:
			h.End = int64(next)
			h.finish(src, spans)
			return h
		case line[0] == ' ' || line[0] == '\t':
			// RFC 5322, Section 2.2.3: a line that begins with white space goes on.
			if len(bytes.TrimLeft(line, " \t")) == 0 {
				h.note(BlankFold, at, nil)
			} else if !inField && len(spans) == 0 && h.Dropped == 0 {
				h.note(JunkLine, at, line)
			}
			if inField && !over {
				spans[len(spans)-1].end, spans[len(spans)-1].next = end, next
			}
		default:
			f, spaced, ok := fieldAt(src.data, at, end)
			f.next = next
			switch {
			case ok && over:
				h.Dropped++
				inField = false
			case ok:
				if spaced {
					h.note(SpaceBeforeColon, at, line)
				}
				spans = append(spans, f)
				inField = true
			case at == begin && !top, at == begin && !looksLikeHeader(src, span{next, in.end}):
				h.note(NoHeader, at, line)
				h.End = int64(at)
				return h
			case bytes.HasPrefix(line, []byte("--")):
				h.note(NoBlankLine, at, line) // a multipart's body without the empty line
				h.End = int64(at)
				h.finish(src, spans)
				return h
			default:
				h.note(JunkLine, at, line)
				inField = false
			}
		}
		at = next
	}
	h.End = int64(in.end)
	h.finish(src, spans)
	return h
}

// fieldSpan is a field as offsets.
type fieldSpan struct{ start, nameEnd, value, end, next int }

// preamble skips what is before the header of a mail and returns its start.
func (h *Header) preamble(src source, in span) int {
	at := in.start
	for at < in.end {
		end, next := src.line(at, in.end)
		if len(bytes.TrimSpace(src.data[at:end])) > 0 {
			break
		}
		at = next
	}
	if at > in.start {
		end, _ := src.line(at, in.end)
		if _, _, ok := fieldAt(src.data, at, end); !ok && !bytes.HasPrefix(src.data[at:end], []byte("From ")) {
			return in.start // an empty header, and a body
		}
		h.note(LeadingLines, in.start, nil)
	}
	for _, prefix := range []string{"From ", ">From "} {
		if bytes.HasPrefix(src.data[at:in.end], []byte(prefix)) {
			end, next := src.line(at, in.end)
			if _, _, ok := fieldAt(src.data, at, end); ok {
				break // "From : a@example.org"
			}
			h.Mbox = shorten(string(src.data[at:end]), MaxLine)
			h.note(MboxLine, at, src.data[at:end])
			return next
		}
	}
	return at
}

// fieldAt reads the name of a field. RFC 5322, Section 3.6.8: printable ASCII but
// the colon; Section 4.5 lets white space stand before the colon. RFC 6532 does not
// allow other octets in names either.
func fieldAt(b []byte, at, end int) (f fieldSpan, spaced, ok bool) {
	i := bytes.IndexByte(b[at:end], ':')
	if i <= 0 {
		return f, false, false
	}
	name := at + i
	for name > at && (b[name-1] == ' ' || b[name-1] == '\t') {
		name--
		spaced = true
	}
	for _, c := range b[at:name] {
		if c <= ' ' || c >= 0x7f {
			return f, false, false
		}
	}
	return fieldSpan{start: at, nameEnd: name, value: at + i + 1, end: end}, spaced, name > at
}

// looksLikeHeader reports whether a header goes on after a first line that is no
// field.
func looksLikeHeader(src source, in span) bool {
	at := in.start
	for n := 0; n < 3 && at < in.end; n++ {
		end, next := src.line(at, in.end)
		if end == at {
			return false
		}
		if _, spaced, ok := fieldAt(src.data, at, end); ok && !spaced {
			return true
		}
		at = next
	}
	return false
}

// finish makes fields of the offsets.
func (h *Header) finish(src source, spans []fieldSpan) {
	h.Fields = make([]Field, len(spans))
	for i, s := range spans {
		raw := string(src.data[s.value:s.end])
		h.Fields[i] = Field{
			Index: i, Name: string(src.data[s.start:s.nameEnd]), Raw: raw, Value: unfold(raw, src.eol),
			Start: int64(s.start), End: int64(s.next),
		}
	}
	if h.Dropped > 0 {
		h.Problems = append(h.Problems, Problem{Cut, h.End, fmt.Sprintf("%d fields above the limits of a header", h.Dropped)})
	}
}

// unfold removes line ends (RFC 5322, Section 2.2.3) and the white space around
// the value. What follows a line end here is always white space.
func unfold(raw string, eol byte) string {
	if strings.IndexByte(raw, eol) < 0 {
		return strings.Trim(raw, " \t")
	}
	var b strings.Builder
	b.Grow(len(raw))
	for {
		i := strings.IndexByte(raw, eol)
		if i < 0 {
			b.WriteString(raw)
			break
		}
		line := raw[:i]
		if eol == '\n' {
			line = strings.TrimSuffix(line, "\r")
		}
		b.WriteString(line)
		raw = raw[i+1:]
	}
	return strings.Trim(b.String(), " \t")
}
