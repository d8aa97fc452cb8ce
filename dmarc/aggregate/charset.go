package aggregate

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decode looks at the first octets for a byte order mark or UTF-16 without one
// (XML 1.0, Appendix F).
func (p *parser) decode() {
	w := &p.w
	w.need(4)
	b := w.rest()
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		w.pos += 3
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("<\x00")):
		p.transcode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM))
	case bytes.HasPrefix(b, []byte("\xfe\xff")), bytes.HasPrefix(b, []byte("\x00<")):
		p.transcode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM))
	}
}

// transcode decodes the rest of the document.
func (p *parser) transcode(e encoding.Encoding) {
	w := &p.w
	p.decoded = true
	rest := bytes.Clone(w.rest())
	var src io.Reader = bytes.NewReader(rest)
	if w.err == nil && !w.eof {
		src = io.MultiReader(src, w.r)
	} else if w.err != nil {
		src = io.MultiReader(src, failing{w.err})
	}
	w.base += int64(w.pos)
	w.r = transform.NewReader(src, e.NewDecoder())
	w.pos, w.end, w.eof, w.err = 0, 0, false, nil
}

// failing is a reader that hands on an error met before.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// declaration reads the XML declaration for its encoding. It is ASCII here: UTF-16
// was decoded before.
func (p *parser) declaration(decl []byte) {
	_, rest, ok := bytes.Cut(decl, []byte("encoding"))
	if !ok {
		return
	}
	name := strings.Trim(string(bytes.TrimLeft(rest, " \t\r\n=")), " \t\r\n?")
	if name != "" && (name[0] == '"' || name[0] == '\'') {
		name, _, _ = strings.Cut(name[1:], name[:1])
	}
	name = strings.ToLower(strings.TrimSpace(name))
	switch name {
	case "utf-8", "utf8", "us-ascii", "ascii", "":
		return // wrong labels are noticed value by value
	case "utf-16", "utf-16le", "utf-16be", "ucs-2", "unicode":
		// Had this been true, the declaration could not have been read.
		if !p.decoded {
			p.note(CharsetUnknown, "", []byte(name))
		}
		return
	}
	e, err := htmlindex.Get(name)
	if p.decoded || err != nil {
		p.note(CharsetUnknown, "", []byte(name))
		return
	}
	p.transcode(e)
}

// windows1252 has the characters of 0x80 to 0x9f; zero where it has none. The
// octets from 0xa0 are those of ISO 8859-1.
var windows1252 = [32]rune{
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
	0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
}

// appendGuessed appends b as UTF-8, reading octets that are none as windows-1252.
func appendGuessed(dst, b []byte) []byte {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			if r = rune(b[0]); r < 0xa0 {
				r = windows1252[r-0x80]
			}
			if r == 0 {
				r = utf8.RuneError
			}
		}
		dst = utf8.AppendRune(dst, r)
		b = b[n:]
	}
	return dst
}
