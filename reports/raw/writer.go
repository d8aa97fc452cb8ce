package raw

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Writer makes one pack. It belongs to one goroutine.
type Writer struct {
	dir      *Dir
	at       time.Time
	file     *os.File
	zip      *zip.Writer
	ledger   bytes.Buffer
	added    map[archive.Sum]bool
	rejected []archive.Sum
	octets   int64
}

// Begin starts a pack. Nothing is written before the first document or line.
func (d *Dir) Begin(at time.Time) *Writer {
	return &Writer{dir: d, at: at, added: map[archive.Sum]bool{}}
}

func (w *Writer) open() error {
	if w.file != nil {
		return nil
	}
	f, err := os.CreateTemp(w.dir.path, tempPattern)
	if err != nil {
		return err
	}
	w.file, w.zip = f, zip.NewWriter(f)
	return nil
}

// Add adds a document, unless the pack has it.
func (w *Writer) Add(d *Document, refused bool) error {
	if w.added[d.Sum] {
		return nil
	}
	if err := w.open(); err != nil {
		return err
	}
	r, n, err := d.compressed()
	if err != nil {
		return err
	}
	h := &zip.FileHeader{
		Name: d.Sum.String() + extension(d.Kind), Method: zip.Deflate,
		CRC32: d.crc, CompressedSize64: uint64(n), UncompressedSize64: uint64(d.Size),
	}
	h.SetModTime(w.at.UTC()) //lint:ignore SA1019 CreateRaw takes the time from nowhere else
	if refused {
		h.Comment = rejected
	}
	to, err := w.zip.CreateRaw(h)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, r); err != nil {
		return err
	}
	w.added[d.Sum] = true
	if refused {
		w.rejected = append(w.rejected, d.Sum)
	}
	w.octets += n
	return nil
}

// Line adds a line to the ledger.
func (w *Writer) Line(l Line) error {
	if err := w.open(); err != nil {
		return err
	}
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	w.ledger.Write(b)
	w.ledger.WriteByte('\n')
	return nil
}

// Octets is the size of the documents in the pack, compressed.
func (w *Writer) Octets() int64 { return w.octets }

// Commit gives the pack its name, once it is on the disk, and returns it; empty
// if there was nothing to keep.
func (w *Writer) Commit() (string, error) {
	if w.file == nil {
		return "", nil
	}
	name := w.dir.name(w.at)
	if err := w.seal(filepath.Join(w.dir.path, name)); err != nil {
		w.Abort()
		return "", err
	}
	w.dir.remember(w.rejected)
	return name, nil
}

func (w *Writer) seal(path string) error {
	l, err := w.zip.CreateHeader(&zip.FileHeader{Name: ledgerName, Method: zip.Deflate, Modified: w.at.UTC()})
	if err != nil {
		return err
	}
	if _, err := l.Write(w.ledger.Bytes()); err != nil {
		return err
	}
	if err := errors.Join(w.zip.Close(), w.file.Sync(), w.file.Close()); err != nil {
		return err
	}
	if err := os.Rename(w.file.Name(), path); err != nil {
		return err
	}
	w.file = nil
	return syncDir(filepath.Dir(path))
}

// Abort gives up the pack; after Commit it does nothing.
func (w *Writer) Abort() {
	if w.file != nil {
		w.file.Close()
		os.Remove(w.file.Name())
		w.file = nil
	}
}

// syncDir makes a new name in a directory durable.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // a directory cannot be opened there
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
