package message

import (
	"bytes"
	"hash"
)

// Field is one header field, as offsets into [Header.Raw].
type Field struct {
	Start   int // of the name
	NameEnd int // end of the name, before white space
	Value   int // after the colon
	End     int // before the line end of its last line
	up      int32
	id      int32
}

// Header is a header block and its index.
type Header struct {
	Raw    []byte // with the empty line after it, if there was one
	Fields []Field
	Junk   int  // lines that belong to no field
	JunkAt int  // offset of the first of them
	Mbox   bool // the first line is the "From " line of an mbox

	last   []int32 // by name id: the lowest field of that name
	names  []int32 // by name id: a field that has the name
	table  []int32 // open addressing by hash of the name; id+1, 0 is free
	relax  []byte  // all fields in relaxed form, each with CRLF
	ends   []int   // of each field in relax
	cursor []int32 // by name id, for [Picker]
	stamp  []uint32
	round  uint32
}

func (h *Header) reset() {
	raw := h.Raw[:0]
	*h = Header{
		Raw: raw, Fields: h.Fields[:0], last: h.last[:0], names: h.names[:0], table: h.table[:0], relax: h.relax[:0],
		ends: h.ends[:0], cursor: h.cursor[:0], stamp: h.stamp[:0],
	}
}

// index finds the fields of Raw.
func (h *Header) index() {
	raw := h.Raw
	if n := bytes.Count(raw, []byte{'\n'}) + 1; cap(h.Fields) < n {
		h.Fields = make([]Field, 0, n)
	}
	inField := false
	for at := 0; at < len(raw); {
		next := len(raw)
		if i := bytes.IndexByte(raw[at:], '\n'); i >= 0 {
			next = at + i + 1
		}
		end := trimEOL(raw, at, next)
		switch {
		case end == at: // the empty line
		case raw[at] == ' ' || raw[at] == '\t':
			if inField {
				h.Fields[len(h.Fields)-1].End = end
			} else {
				h.junk(at)
			}
		default:
			f, ok := field(raw, at, end)
			if inField = ok; ok {
				h.Fields = append(h.Fields, f)
			} else if at == 0 && bytes.HasPrefix(raw, []byte("From ")) {
				h.Mbox = true
			} else {
				h.junk(at)
			}
		}
		at = next
	}
}

func (h *Header) junk(at int) {
	if h.Junk == 0 {
		h.JunkAt = at
	}
	h.Junk++
}

func trimEOL(raw []byte, at, end int) int {
	if end > at && raw[end-1] == '\n' {
		end--
		if end > at && raw[end-1] == '\r' {
			end--
		}
	}
	return end
}

// field reads the name of a field. RFC 5322, Section 3.6.8: printable ASCII but
// the colon; Section 4.5 allows white space before the colon in old messages.
func field(raw []byte, at, end int) (Field, bool) {
	colon := bytes.IndexByte(raw[at:end], ':')
	if colon <= 0 {
		return Field{}, false
	}
	name := at + colon
	for name > at && (raw[name-1] == ' ' || raw[name-1] == '\t') {
		name--
	}
	for _, c := range raw[at:name] {
		if c <= ' ' || c >= 0x7f {
			return Field{}, false
		}
	}
	return Field{Start: at, NameEnd: name, Value: at + colon + 1, End: end, up: -1}, name > at
}

// Name is the name of field i as written.
func (h *Header) Name(i int) []byte { return h.Raw[h.Fields[i].Start:h.Fields[i].NameEnd] }

// Value is the value of field i as written, folding included.
func (h *Header) Value(i int) []byte { return h.Raw[h.Fields[i].Value:h.Fields[i].End] }

// Is reports whether field i has the name, which is given in lower case.
func (h *Header) Is(i int, name string) bool { return equalFold(h.Name(i), name) }

// Relaxed is field i in relaxed form with its CRLF. All fields are converted once.
func (h *Header) Relaxed(i int) []byte {
	if len(h.ends) == 0 {
		if cap(h.relax) < len(h.Raw)+2 {
			h.relax = make([]byte, 0, len(h.Raw)+2)
		}
		for i := range h.Fields {
			f := h.Fields[i]
			h.relax = AppendRelaxed(h.relax, h.Raw[f.Start:f.NameEnd], h.Raw[f.Value:f.End])
			h.relax = append(h.relax, '\r', '\n')
			h.ends = append(h.ends, len(h.relax))
		}
	}
	start := 0
	if i > 0 {
		start = h.ends[i-1]
	}
	return h.relax[start:h.ends[i]]
}

// Write hashes field i with its CRLF in the form that relaxed tells.
func (h *Header) Write(w hash.Hash, i int, relaxed bool) {
	if relaxed {
		w.Write(h.Relaxed(i))
		return
	}
	f := h.Fields[i]
	writeSimple(w, h.Raw[f.Start:f.End])
	w.Write(crlf)
}

// WriteBlank hashes field i without its CRLF and without the octets from cut to
// end, offsets into Raw: a signature with its b= emptied (RFC 6376, Section 3.7).
func (h *Header) WriteBlank(w hash.Hash, i, cut, end int, relaxed bool) {
	f := h.Fields[i]
	if !relaxed {
		writeSimple(w, h.Raw[f.Start:cut])
		writeSimple(w, h.Raw[end:f.End])
		return
	}
	value := make([]byte, 0, 1024)
	value = append(append(value, h.Raw[f.Value:cut]...), h.Raw[end:f.End]...)
	w.Write(AppendRelaxed(make([]byte, 0, 1024), h.Raw[f.Start:f.NameEnd], value))
}

var crlf = []byte("\r\n")

// writeSimple hashes text with bare LF as CRLF.
func writeSimple(w hash.Hash, text []byte) {
	start := 0
	for at := 0; ; {
		i := bytes.IndexByte(text[at:], '\n')
		if i < 0 {
			break
		}
		if at += i; at == 0 || text[at-1] != '\r' {
			w.Write(text[start:at])
			w.Write(crlf)
			start = at + 1
		}
		at++
	}
	w.Write(text[start:])
}

// AppendRelaxed appends a field in relaxed form without CRLF.
// RFC 6376, Section 3.4.2: name in lower case, lines unfolded, runs of white space
// one space, none at the ends of the value.
func AppendRelaxed(dst, name, value []byte) []byte {
	for _, c := range name {
		dst = append(dst, lower(c))
	}
	dst = append(dst, ':')
	first, space := len(dst), false
	for at := 0; at < len(value); {
		c := value[at]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' && at+1 < len(value) && value[at+1] == '\n':
			// A line end inside a field is always followed by white space.
			space = true
			at++
			continue
		}
		if space && len(dst) > first {
			dst = append(dst, ' ')
		}
		space = false
		end := at + 1
		for end < len(value) && value[end] > ' ' {
			end++
		}
		dst = append(dst, value[at:end]...)
		at = end
	}
	return dst
}
