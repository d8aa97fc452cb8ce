package message

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// one takes an octet that needs a look at what came before it. It reports
// whether the octet is plain text, which is then left to the caller.
func (x *Hasher) one(c byte) (plain bool) {
	switch {
	case c == '\n':
		x.cr, x.space = false, false
		x.crlfs++
	case c == '\r':
		x.cr = true
	case x.relaxed && (c == ' ' || c == '\t'):
		x.space = true
	default:
		x.flush()
		return true
	}
	return false
}

// open takes the octet at p[at] and reports whether a run of text begins there.
func (x *Hasher) open(p []byte, at int) bool {
	if x.cr && p[at] != '\n' { // the CR before was a bare one: text
		x.cr = false
		x.flush()
		x.emit(cr)
	}
	if p[at] == '\r' && at+1 < len(p) && p[at+1] != '\n' { // and so is this one
		x.flush()
		return true
	}
	return x.one(p[at])
}

// blanks goes over line ends and white space eight octets at a time.
func (x *Hasher) blanks(p []byte, at int) int {
	for ; !x.cr && at+8 <= len(p); at += 8 {
		switch binary.LittleEndian.Uint64(p[at:]) {
		case 0x0a0d0a0d0a0d0a0d:
			x.crlfs += 4
		case 0x0a0a0a0a0a0a0a0a:
			x.crlfs += 8
		case 0x2020202020202020, 0x0909090909090909:
			if !x.relaxed {
				return at
			}
			x.space = true
			continue
		default:
			return at
		}
		x.space = false
	}
	return at
}

var (
	cr = []byte("\r")
	sp = []byte(" ")
)

// lines is a run of line ends for [Hasher.flush].
var lines = bytes.Repeat(crlf, 512)

// flush hashes the line ends and the space that come before text.
func (x *Hasher) flush() {
	for x.crlfs > 0 {
		n := min(x.crlfs, int64(len(lines)/2))
		x.emit(lines[:2*n])
		x.crlfs -= n
	}
	if x.space {
		x.space = false
		x.emit(sp)
	}
}

// writeSimple passes whole runs of lines to the hash.
// RFC 6376, Section 3.4.3: only empty lines at the end are left out.
func (x *Hasher) writeSimple(p []byte) {
	for at := 0; at < len(p); {
		if !x.open(p, at) {
			at = x.blanks(p, at+1)
			continue
		}
		start := at
		for {
			i := bytes.IndexByte(p[at:], '\n')
			if i < 0 {
				at = len(p)
				if p[at-1] == '\r' {
					at--
				}
				break
			}
			at += i
			if at == start || p[at-1] != '\r' {
				break // a bare LF
			}
			if at+1 >= len(p) || p[at+1] == '\r' || p[at+1] == '\n' {
				at-- // perhaps the end of the body
				break
			}
			at++
		}
		x.emit(p[start:at])
		at = x.dense(p, at)
	}
}

const (
	ones = 0x0101010101010101
	high = 0x8080808080808080
)

// writeRelaxed passes runs of text that is canonical already to the hash: single
// spaces between words, CRLF between lines.
// RFC 6376, Section 3.4.4: white space at line ends and empty lines at the end are
// left out, other white space is one space.
func (x *Hasher) writeRelaxed(p []byte) {
	for at := 0; at < len(p); {
		if !x.open(p, at) {
			at = x.blanks(p, at+1)
			continue
		}
		for {
			start := at
			at = clean(p, at)
			x.emit(p[start:at])
			if at-start < streak { // much to change here
				at = x.dense(p, at)
				break
			}
			sep, next := gap(p, at)
			if sep == nil {
				break
			}
			x.emit(sep)
			at = next
		}
	}
}

// gap recognizes what most often parts text: white space of any length, perhaps
// with one line end, and text after it. It tells what that is in canonical form.
func gap(p []byte, at int) (sep []byte, next int) {
	for at < len(p) && (p[at] == ' ' || p[at] == '\t') {
		at++
	}
	if sep = sp; at+1 < len(p) && p[at] == '\r' && p[at+1] == '\n' {
		sep, at = crlf, at+2
	} else if at < len(p) && p[at] == '\n' {
		sep, at = crlf, at+1
	}
	if at >= len(p) || p[at] <= ' ' {
		return nil, 0
	}
	return sep, at
}

// clean finds the end of the canonical text that begins at p[at].
func clean(p []byte, at int) int {
	for at+8 <= len(p) {
		// Mark the octets up to 0x20, eight at a time.
		w := binary.LittleEndian.Uint64(p[at:])
		m := ^((w &^ high) + (0x80-0x21)*ones) &^ w & high
		if m == 0 {
			at += 8
			continue
		}
		at += bits.TrailingZeros64(m) / 8
		next, ok := step(p, at)
		if !ok {
			return at
		}
		at = next
	}
	for at < len(p) {
		if p[at] > ' ' {
			at++
			continue
		}
		next, ok := step(p, at)
		if !ok {
			return at
		}
		at = next
	}
	return at
}

// streak is how much canonical text ends the work of [Hasher.dense].
const streak = 16

// dense converts octet by octet text in which there is much to change, such as
// bare LFs and white space at line ends, until the text is canonical for a while.
// It leaves alone what it cannot decide from p.
func (x *Hasher) dense(p []byte, at int) int {
	room := int64(hashBuffer / 2)
	if x.next < len(x.want) {
		room = min(room, x.want[x.next].Length-x.total-2*maxLines-4)
	}
	if x.cr || x.crlfs > maxLines || room <= 0 {
		return at
	}
	if len(x.buf)+hashBuffer/2+2*maxLines+4 > hashBuffer {
		x.h.Write(x.buf)
		x.buf = x.buf[:0]
	}
	buf, limit := x.buf, len(x.buf)+int(room)
	crlfs, space := x.crlfs, x.space
	last := at // where the text was last changed
	for ; at < len(p) && at-last < streak && len(buf) < limit; at++ {
		switch c := p[at]; {
		case c == '\n':
			if crlfs == maxLines {
				limit = 0
				at--
				continue
			}
			crlfs++
			space = false
			last = at
		case c == '\r':
			if at+1 >= len(p) || p[at+1] != '\n' {
				limit = 0
				at--
			}
		case x.relaxed && (c == ' ' || c == '\t'):
			if space || c == '\t' {
				last = at
			}
			space = true
		default:
			for ; crlfs > 0; crlfs-- {
				buf = append(buf, '\r', '\n')
			}
			if space {
				space = false
				buf = append(buf, ' ')
			}
			buf = append(buf, c)
		}
	}
	x.total += int64(len(buf) - len(x.buf))
	x.buf, x.crlfs, x.space = buf, crlfs, space
	return at
}

// maxLines is how many line ends dense keeps before text.
const maxLines = 8

// step goes over the octet at i, which is at most 0x20, and reports whether it is
// canonical where it stands; for a CRLF it goes over both octets.
func step(p []byte, i int) (next int, ok bool) {
	switch p[i] {
	case ' ':
		return i + 1, i+1 < len(p) && p[i+1] > ' '
	case '\r':
		switch {
		case i+2 < len(p) && p[i+1] == '\n' && p[i+2] > ' ':
			return i + 2, true
		case i+1 < len(p) && p[i+1] != '\n': // a bare CR: text
			for i++; i+1 < len(p) && p[i] == '\r' && p[i+1] != '\n'; {
				i++
			}
			return i, true
		}
		return i, false
	case '\t', '\n':
		return i, false
	}
	return i + 1, true
}
