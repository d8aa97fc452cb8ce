package raw

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"hash"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"sync"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// spoolMemory is the size up to which a document is held in memory. Of 3,221
// reports from the field none was larger.
const spoolMemory = 1 << 20

// Document is one document on its way into a pack. Close it when done.
type Document struct {
	Sum  archive.Sum
	Kind archive.Kind
	Size int64

	plain  []byte   // a small document
	packed []byte   // the same, compressed
	file   *os.File // a large document, compressed
	length int64    // of file
	crc    uint32
}

// Spool reads a document: a small one into memory, a large one, compressed, into
// a file in the directory that has no name. If reading fails, the document is what
// came before, and the error is returned with it; the document is nil only if it
// could not be written.
func (d *Dir) Spool(kind archive.Kind, r io.Reader) (*Document, error) {
	var buf bytes.Buffer
	_, err := io.CopyN(&buf, r, spoolMemory+1)
	if buf.Len() <= spoolMemory {
		if err == io.EOF {
			err = nil
		}
		b := buf.Bytes()
		return &Document{Sum: sha256.Sum256(b), Kind: kind, Size: int64(len(b)), plain: b, crc: crc32.ChecksumIEEE(b)}, err
	}
	return d.spoolFile(kind, &buf, r)
}

func (d *Dir) spoolFile(kind archive.Kind, head *bytes.Buffer, r io.Reader) (*Document, error) {
	f, err := os.CreateTemp(d.path, spoolPrefix+"*")
	if err != nil {
		return nil, err
	}
	// Without a name it is gone with the process. Where an open file cannot be
	// removed, Clean does it later.
	os.Remove(f.Name())
	doc := &Document{Kind: kind, file: f}
	sums := sums{sha256.New(), crc32.NewIEEE()}
	count := &counter{w: f}
	z := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(z)
	z.Reset(count)
	in := &origin{r: io.MultiReader(head, r)}
	doc.Size, err = io.Copy(io.MultiWriter(sums, z), in)
	if err == nil || in.err != nil {
		if cerr := z.Close(); cerr != nil {
			err, in.err = cerr, nil
		}
	}
	if err != nil && in.err == nil { // the file is at fault, not the document
		doc.Close()
		return nil, err
	}
	doc.Sum, doc.crc, doc.length = archive.Sum(sums.sha.Sum(nil)), sums.crc.Sum32(), count.n
	return doc, in.err
}

// Open reads the document.
func (d *Document) Open() io.Reader {
	if d.file == nil {
		return bytes.NewReader(d.plain)
	}
	return flate.NewReader(io.NewSectionReader(d.file, 0, d.length))
}

// Large tells whether the document is not held in memory.
func (d *Document) Large() bool { return d.file != nil }

// Compress does the work of packing ahead of the Writer, where it may be done
// for several documents at a time.
func (d *Document) Compress() error {
	if d.file != nil || d.packed != nil {
		return nil
	}
	var b bytes.Buffer
	z := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(z)
	z.Reset(&b)
	if _, err := z.Write(d.plain); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	d.packed = b.Bytes()
	return nil
}

// Close frees what the document holds.
func (d *Document) Close() error {
	d.plain, d.packed = nil, nil
	if d.file == nil {
		return nil
	}
	os.Remove(d.file.Name()) // where that was not possible before
	return d.file.Close()
}

// compressed is the document as it goes into a pack, and its length.
func (d *Document) compressed() (io.Reader, int64, error) {
	if d.file != nil {
		return io.NewSectionReader(d.file, 0, d.length), d.length, nil
	}
	if err := d.Compress(); err != nil {
		return nil, 0, err
	}
	return bytes.NewReader(d.packed), int64(len(d.packed)), nil
}

// Reports are repetitive: the quickest level makes them about a twentieth, the
// best a thirtieth in five times the time.
var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(io.Discard, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is a valid one
	}
	return w
}}

// sums counts and sums up what is written.
type sums struct {
	sha hash.Hash
	crc hash.Hash32
}

func (s sums) Write(b []byte) (int, error) {
	s.sha.Write(b)
	s.crc.Write(b)
	return len(b), nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// origin tells errors of the reader from those of the writer.
type origin struct {
	r   io.Reader
	err error
}

func (s *origin) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func random() uint32 { return rand.Uint32() }
