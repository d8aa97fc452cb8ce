package source

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync"
)

// budget bounds what comes out of one compressed container and all within it.
type budget struct {
	in    int64 // octets read of the container
	out   int64 // octets that came out of all layers
	ratio int64
}

func (b *budget) spend(n int) error {
	b.out += int64(n)
	if b.out > slack && (b.out-slack)/b.ratio > b.in {
		return limitError(fmt.Sprintf("it decompresses to more than %d times its size", b.ratio))
	}
	return nil
}

// limitError is an error that a reader returns when a limit ends it.
type limitError string

func (e limitError) Error() string        { return "limit exceeded: " + string(e) }
func (e limitError) Is(target error) bool { return target == ErrLimit }

func limitDetail(err error) string {
	var l limitError
	if errors.As(err, &l) {
		return string(l)
	}
	return ""
}

// damaged reports whether the error is that of a decompressor.
func damaged(err error) bool {
	var corrupt flate.CorruptInputError
	for _, e := range []error{gzip.ErrHeader, gzip.ErrChecksum, zlib.ErrHeader, zlib.ErrChecksum, zlib.ErrDictionary,
		zip.ErrFormat, zip.ErrChecksum, tar.ErrHeader, io.ErrUnexpectedEOF} {
		if errors.Is(err, e) {
			return true
		}
	}
	return errors.As(err, &corrupt)
}

// counted counts what is read of a compressed container.
type counted struct {
	r *bufio.Reader
	n *int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	*c.n += int64(n)
	return n, err
}

func (c counted) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		*c.n++
	}
	return b, err
}

// metered charges the budget for what is read.
type metered struct {
	r io.Reader
	b *budget
}

func (m metered) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if e := m.b.spend(n); e != nil {
		return n, e
	}
	return n, err
}

// limited ends a document that is too long with an error.
type limited struct {
	r    io.Reader
	left int64
	max  int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n, limitError(fmt.Sprintf("more than %d octets", l.max))
	}
	return n, err
}

func (w *walker) limit(r io.Reader) io.Reader {
	return &limited{r: r, left: w.opt.Bytes, max: w.opt.Bytes}
}

// compressed opens what a decompressor yields; src makes it of the counted input.
func (w *walker) compressed(a at, r *bufio.Reader, src func(counted) (io.Reader, error)) {
	var in int64
	counter := &in
	if a.budget == nil {
		a.budget = &budget{ratio: w.opt.Ratio}
		counter = &a.budget.in
	}
	w.top = nil
	z, err := src(counted{r, counter})
	if err != nil {
		w.readError(a, err)
		return
	}
	br := buffers.Get().(*bufio.Reader)
	br.Reset(metered{z, a.budget})
	a.depth++
	w.open(a, br)
	br.Reset(nil)
	buffers.Put(br)
}

var gzips = sync.Pool{New: func() any { return new(gzip.Reader) }}

func (w *walker) gzip(a at, r *bufio.Reader) {
	z := gzips.Get().(*gzip.Reader)
	defer gzips.Put(z)
	w.compressed(a, r, func(in counted) (io.Reader, error) {
		if err := z.Reset(in); err != nil {
			return nil, err
		}
		z.Multistream(false)
		return &gunzip{z, in}, nil
	})
}

// gunzip reads the members of a gzip stream (RFC 1952, Section 2.2) and leaves
// out what follows them: mail systems append line ends.
type gunzip struct {
	z  *gzip.Reader
	in counted
}

func (g *gunzip) Read(p []byte) (int, error) {
	for {
		n, err := g.z.Read(p)
		if n > 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		if head, _ := g.in.r.Peek(3); string(head) != "\x1f\x8b\x08" {
			return 0, io.EOF
		}
		if err := g.z.Reset(g.in); err != nil {
			return 0, err
		}
		g.z.Multistream(false)
	}
}

func (w *walker) zlib(a at, r *bufio.Reader) {
	w.compressed(a, r, func(in counted) (io.Reader, error) { return zlib.NewReader(in) })
}

func (w *walker) base64(a at, r *bufio.Reader) {
	w.top = nil
	b, ok := w.all(a, r)
	if !ok {
		return
	}
	out, _ := decodeBase64(b)
	a = a.note("base64 without a label")
	a.depth++
	w.open(a, bufio.NewReader(bytes.NewReader(out)))
}

// decodeBase64 decodes what it can: characters that are no base64 are left out,
// padding ends a run and not the text. Clean says that nothing was out of order.
func decodeBase64(b []byte) (out []byte, clean bool) {
	out = make([]byte, base64.StdEncoding.DecodedLen(len(b)))
	if n, err := base64.StdEncoding.Decode(out, bytes.TrimSpace(b)); err == nil {
		return out[:n], true
	}
	out, clean = out[:0], true
	var quantum [4]byte
	var dst [3]byte
	n := 0
	flush := func() {
		if n > 1 {
			if k, err := base64.RawStdEncoding.Decode(dst[:], quantum[:n]); err == nil {
				out = append(out, dst[:k]...)
			}
		}
		n = 0
	}
	for _, c := range b {
		switch {
		case c == '-':
			c, clean = '+', false
		case c == '_':
			c, clean = '/', false
		case c == '=':
			flush()
			continue
		case !base64Char(c):
			clean = clean && space(c)
			continue
		}
		quantum[n] = c
		if n++; n == 4 {
			flush()
		}
	}
	flush()
	return out, clean
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
