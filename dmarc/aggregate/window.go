package aggregate

import (
	"errors"
	"io"
)

const (
	windowSize = 128 << 10 // octets of the document held at a time
	readSize   = 32 << 10  // octets read at once: they stay in the processor's cache until parsed
)

// window is the part of the document that is in memory. Everything before pos is
// done with.
type window struct {
	r        io.Reader
	buf      []byte
	pos, end int
	base     int64 // offset of buf[0] in the document
	max      int64 // octets that may be read
	eof      bool
	err      error // the source's, other than io.EOF
}

var errTooLong = errors.New("too long")

func (w *window) offset() int64 { return w.base + int64(w.pos) }

// rest is what is in memory and not done with.
func (w *window) rest() []byte { return w.buf[w.pos:w.end] }

// more reads more of the document behind what is in memory, moving it to the
// front. It is false at the end and when the window is full.
func (w *window) more() bool {
	if w.pos > 0 {
		copy(w.buf, w.buf[w.pos:w.end])
		w.base += int64(w.pos)
		w.end -= w.pos
		w.pos = 0
	}
	for tries := 0; !w.eof && w.end < len(w.buf); tries++ {
		n, err := w.r.Read(w.buf[w.end:min(len(w.buf), w.end+readSize)])
		w.end += n
		switch {
		case errors.Is(err, io.EOF):
			w.eof = true
		case err != nil:
			w.eof, w.err = true, err
		case n == 0 && tries == 100:
			w.eof, w.err = true, io.ErrNoProgress
		}
		if w.base+int64(w.end) > w.max {
			w.eof, w.err = true, errTooLong
			return false
		}
		if n > 0 {
			return true
		}
	}
	return false
}

// need makes n octets available, if the document has them.
func (w *window) need(n int) bool {
	for w.end-w.pos < n {
		if !w.more() {
			return false
		}
	}
	return true
}
