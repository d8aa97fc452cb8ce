package source

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// zip opens all members of an archive.
func (w *walker) zip(a at, r *bufio.Reader) {
	ra, size, ok := w.randomAccess()
	if !ok {
		b, ok := w.all(a, r)
		if !ok {
			return
		}
		ra, size = bytes.NewReader(b), int64(len(b))
	}
	w.top = nil
	if a.budget == nil {
		a.budget = &budget{ratio: w.opt.Ratio, in: size}
	}
	z, err := zip.NewReader(ra, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		w.salvage(a.note("zip archive without its directory"), io.NewSectionReader(ra, 0, size), err)
		return
	}
	if len(z.File) > w.opt.Members {
		w.fail(a, ErrLimit, nil, "archive of more than %d members", w.opt.Members)
		return
	}
	told := w.told
	var names []string
	for _, f := range z.File {
		if w.stopped {
			return
		}
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if len(names) < 5 {
			names = append(names, quote(f.Name))
		}
		w.member(a.in(f.Name), f)
	}
	switch {
	case w.told > told:
	case len(names) == 0:
		w.fail(a, ErrNotReport, nil, "archive without a file")
	default:
		w.fail(a, ErrNotReport, nil, "archive without a report: %s", strings.Join(names, ", "))
	}
}

func (w *walker) member(a at, f *zip.File) {
	if f.Flags&1 != 0 {
		w.fail(a, ErrUnsupported, nil, "encrypted member of an archive")
		return
	}
	rc, err := f.Open()
	if err != nil {
		w.readError(a, err)
		return
	}
	defer rc.Close()
	br := buffers.Get().(*bufio.Reader)
	br.Reset(metered{rc, a.budget})
	defer func() { br.Reset(nil); buffers.Put(br) }()
	if head, _ := br.Peek(peekSize); besides(f.Name, head) {
		w.fail(a, ErrSkipped, nil, "member that is no report")
		return
	}
	w.open(a, br)
}

// besides reports whether a member of an archive is one of the files that stand
// beside reports: tables, notes, what systems add.
func besides(name string, head []byte) bool {
	if strings.HasPrefix(name, "__MACOSX/") || strings.HasSuffix(name, ".DS_Store") {
		return true
	}
	c := sniff(head)
	lower := strings.ToLower(name)
	for _, ext := range []string{".csv", ".txt", ".html", ".htm", ".png", ".jpg", ".gif", ".pdf", ".md", ".sig", ".asc"} {
		if strings.HasSuffix(lower, ext) {
			return c != isXML && c != isJSON && c != isGzip && c != isZip && (ext != ".txt" || c == isText)
		}
	}
	return false
}

// randomAccess is the input itself, if it can be read at any place.
func (w *walker) randomAccess() (io.ReaderAt, int64, bool) {
	ra, ok := w.top.(io.ReaderAt)
	s, ok2 := w.top.(io.Seeker)
	if !ok || !ok2 {
		return nil, 0, false
	}
	size, err := s.Seek(0, io.SeekEnd)
	return ra, size, err == nil
}

// localHeader is the fixed part of a member's header in front of its data.
const localHeader = 30

// salvage reads the members of an archive whose directory is damaged or cut off,
// by the headers in front of them.
func (w *walker) salvage(a at, src io.Reader, cause error) {
	r := bufio.NewReaderSize(src, 64<<10)
	found := 0
	for !w.stopped && found < w.opt.Members {
		head, _ := r.Peek(localHeader)
		if len(head) < localHeader {
			break
		}
		if string(head[:4]) != "PK\x03\x04" {
			r.Discard(1)
			continue
		}
		flags, method := binary.LittleEndian.Uint16(head[6:]), binary.LittleEndian.Uint16(head[8:])
		size := int64(binary.LittleEndian.Uint32(head[18:]))
		nameLen, extra := int(binary.LittleEndian.Uint16(head[26:])), int(binary.LittleEndian.Uint16(head[28:]))
		r.Discard(localHeader)
		name := make([]byte, nameLen)
		if _, err := io.ReadFull(r, name); err != nil {
			break
		}
		r.Discard(extra)
		var data io.Reader
		switch {
		case flags&1 != 0 || bytes.HasSuffix(name, []byte("/")):
			continue
		case method == zip.Deflate:
			data = flate.NewReader(r)
		case method == zip.Store && size > 0 && flags&8 == 0:
			data = io.LimitReader(r, size)
		default:
			continue
		}
		found++
		w.open(a.in(string(name)), bufio.NewReader(metered{data, a.budget}))
	}
	if found == 0 {
		w.fail(a, ErrDamaged, cause, "")
	}
}

// tar opens all files of an archive.
func (w *walker) tar(a at, r *bufio.Reader) {
	w.top = nil
	t := tar.NewReader(r)
	for n := 0; !w.stopped; n++ {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			w.readError(a, err)
			return
		case n == w.opt.Members:
			w.fail(a, ErrLimit, nil, "archive of more than %d members", w.opt.Members)
			return
		case h.Typeflag == tar.TypeReg:
			w.open(a.in(h.Name), bufio.NewReader(t))
		}
	}
}
