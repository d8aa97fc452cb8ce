package aggregate

import (
	"bytes"
	"math"
	"unicode/utf8"
)

// leaf reads the text of value element e up to its end tag.
func (p *parser) leaf(e elem, f field) error {
	w, name := &p.w, elemNames[e]
	b := w.rest()
	if i := bytes.IndexByte(b, '<'); i >= 0 && i <= p.limits.Text {
		if t := b[i:]; len(t) >= len(name)+3 && t[1] == '/' && string(t[2:2+len(name)]) == name && t[2+len(name)] == '>' {
			w.pos += i + len(name) + 3
			p.set(f, b[:i])
			return nil
		}
	}
	return p.leafSlow(e, f)
}

// leafSlow is leaf for text with CDATA, comments, raw markup or a missing end
// tag, and for text that does not fit in the window.
func (p *parser) leafSlow(e elem, f field) error {
	w := &p.w
	p.scratch = p.scratch[:0]
	literals := 0
	from := w.offset()
	for {
		if w.offset()-from > maxRun {
			return p.fail(ErrLimit, "%d octets in %s", maxRun, f.path())
		}
		i := bytes.IndexByte(w.rest(), '<')
		if i < 0 {
			p.collect(f, w.rest())
			w.pos = w.end
			if !w.more() {
				return nil // cut off: half a value could be taken for a whole one
			}
			continue
		}
		p.collect(f, w.buf[w.pos:w.pos+i])
		w.pos += i
		done, err := p.inLeaf(e, f, &literals)
		if done || err != nil {
			p.set(f, p.scratch)
			return err
		}
	}
}

// inLeaf judges the "<" at pos within value element e; done says that the value
// is complete.
func (p *parser) inLeaf(e elem, f field, literals *int) (done bool, err error) {
	w := &p.w
	w.need(len("<![CDATA["))
	b := w.rest()
	switch {
	case bytes.HasPrefix(b, []byte("<!--")):
		w.pos += 4
		return false, p.skipPast("-->")
	case bytes.HasPrefix(b, []byte("<![CDATA[")):
		w.pos += len("<![CDATA[")
		return false, p.cdata(f)
	case bytes.HasPrefix(b, []byte("<?")):
		w.pos += 2
		return false, p.skipPast("?>")
	}
	n := p.tagEnd()
	b = w.rest()
	if n > 0 && b[1] == '/' {
		name := bytes.TrimSpace(b[2:n])
		prefix, local := split(name)
		other := lookup(local)
		switch {
		case other == e && (len(prefix) == 0 || string(prefix) == p.prefix):
			w.pos += n + 1
			return true, nil
		case other != eUnknown && p.match(other, name) > 0:
			p.note(Unclosed, f.path(), nil)
			return true, nil // the end tag is read again, as that of the element around
		case *literals > 0:
			*literals--
		case plainName(name):
			// Nothing like it was opened: a misspelt end tag.
			p.note(StrayEnd, f.path(), name)
			w.pos += n + 1
			return true, nil
		}
	} else if t, ok := p.startTag(); ok {
		if other := lookup(t.name); other != eUnknown && p.fits(other) {
			p.note(Unclosed, f.path(), nil)
			return true, nil
		}
		if !t.empty {
			*literals++
		}
	}
	if p.junk++; p.junk > maxJunk {
		return false, p.fail(ErrLimit, "more than %d times markup that is none", maxJunk)
	}
	p.note(RawMarkup, f.path(), b[:min(len(b), max(n+1, 1))])
	p.collect(f, b[:1])
	w.pos++
	return false, nil
}

func plainName(name []byte) bool {
	for _, c := range name {
		if !nameChar(c) {
			return false
		}
	}
	return len(name) > 0
}

// fits reports whether the element may stand beside or after the open one.
func (p *parser) fits(e elem) bool {
	for i := len(p.stack) - 1; i > 0; i-- {
		if actions[p.stack[i].state][e] != (action{}) {
			return true
		}
	}
	return false
}

// cdata collects up to "]]>". The text is literal, so that its "&" is escaped
// for what follows.
func (p *parser) cdata(f field) error {
	w := &p.w
	for {
		b := w.rest()
		i := bytes.Index(b, []byte("]]>"))
		part := b
		if i >= 0 {
			part = b[:i]
		} else {
			part = b[:max(0, len(b)-2)]
		}
		for len(part) > 0 {
			j := bytes.IndexByte(part, '&')
			if j < 0 {
				p.collect(f, part)
				break
			}
			p.collect(f, part[:j])
			p.collect(f, []byte("&amp;"))
			part = part[j+1:]
		}
		if i >= 0 {
			w.pos += i + 3
			return nil
		}
		w.pos += max(0, len(b)-2)
		if !w.more() {
			w.pos = w.end
			return nil
		}
	}
}

// collect appends to the value being read, up to its limit.
func (p *parser) collect(f field, b []byte) {
	room := p.limits.Text - len(p.scratch)
	if len(b) > room {
		if bytes.TrimSpace(b[room:]) != nil {
			p.note(ValueTooLong, f.path(), nil)
		}
		b = b[:room]
	}
	p.scratch = append(p.scratch, b...)
}

// clean makes text of the octets between two tags: entities resolved, UTF-8, no
// control characters, no white space around it.
func (p *parser) clean(f field, b []byte) []byte {
	for len(b) > 0 && b[0] <= ' ' && space(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' && space(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	for _, c := range b {
		if c == '&' || c < ' ' || c >= 0x7f {
			return p.cleanSlow(f, b)
		}
	}
	return b
}

func (p *parser) cleanSlow(f field, b []byte) []byte {
	out := p.cleaned[:0]
	if !utf8.Valid(b) {
		p.note(CharsetGuessed, f.path(), nil)
		b = appendGuessed(nil, b)
	}
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case c == '&':
			n, ok := 0, false
			if out, n, ok = appendEntity(out, b[i:]); !ok {
				p.note(EntityUnknown, f.path(), b[i:min(len(b), i+12)])
			}
			i += n
			continue
		case c < ' ' && !space(c), c == 0x7f:
			p.note(ControlCharacter, f.path(), nil)
		default:
			out = append(out, c)
		}
		i++
	}
	p.cleaned = out
	return bytes.TrimSpace(out)
}

// appendEntity appends what the reference at the head of b stands for and tells
// how long the reference is; the "&" itself if it is none.
func appendEntity(out, b []byte) (res []byte, n int, ok bool) {
	end := bytes.IndexByte(b[:min(len(b), 12)], ';')
	if end < 2 {
		return append(out, '&'), 1, false
	}
	switch name := string(b[1:end]); name {
	case "amp":
		return append(out, '&'), end + 1, true
	case "lt":
		return append(out, '<'), end + 1, true
	case "gt":
		return append(out, '>'), end + 1, true
	case "quot":
		return append(out, '"'), end + 1, true
	case "apos":
		return append(out, '\''), end + 1, true
	}
	if r, ok := charRef(b[1:end]); ok {
		return utf8.AppendRune(out, r), end + 1, true
	}
	return append(out, '&'), 1, false
}

// charRef reads "#65" or "#x41". Characters that XML does not have are none.
func charRef(b []byte) (rune, bool) {
	if b[0] != '#' {
		return 0, false
	}
	base, digits := rune(10), b[1:]
	if len(digits) > 0 && digits[0] == 'x' {
		base, digits = 16, digits[1:]
	}
	r := rune(0)
	for _, c := range digits {
		d := rune(99)
		switch {
		case c >= '0' && c <= '9':
			d = rune(c - '0')
		case c >= 'a' && c <= 'f':
			d = rune(c-'a') + 10
		case c >= 'A' && c <= 'F':
			d = rune(c-'A') + 10
		}
		if d >= base || r > utf8.MaxRune {
			return 0, false
		}
		r = r*base + d
	}
	if len(digits) == 0 || !utf8.ValidRune(r) || r < ' ' && !space(byte(r)) || r == 0x7f || r == 0xfffe || r == 0xffff {
		return 0, false
	}
	return r, true
}

// intern returns b as a string, the same one as before if it came lately: a
// report has few different domains, selectors and comments.
func (p *parser) intern(b []byte) string {
	n := len(b)
	if n == 0 {
		return ""
	}
	if n > 96 {
		return string(b)
	}
	h := uint32(n)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	slot := &p.words[(h^h>>15)%uint32(len(p.words))]
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}

const maxCount = math.MaxInt64
