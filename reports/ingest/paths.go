package ingest

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Paths gives the inputs of files and directories, in the order of their names. Of
// a directory those are all regular files at and below it. Left alone are hidden
// files and directories, and of a Maildir, which is a directory with cur and new in
// it, what is no delivered mail. Names mean what they are: "[" and "*" nothing.
//
// A step with an error tells of what could not be looked into.
func Paths(paths ...string) iter.Seq2[Input, error] {
	return func(yield func(Input, error) bool) {
		for _, p := range paths {
			info, err := os.Stat(p)
			switch {
			case err != nil:
				if !yield(Input{Name: p}, bare(err)) {
					return
				}
			case !info.IsDir():
				if !yield(File(p, info), nil) {
					return
				}
			case !tree(p, yield):
				return
			}
		}
	}
}

// File is the input of one file.
func File(path string, info fs.FileInfo) Input {
	in := Input{Name: path, Open: func() (io.ReadCloser, error) { return os.Open(path) }}
	if abs, err := filepath.Abs(path); err == nil && info.Mode().IsRegular() {
		in.Cursor, in.At = "file:"+sameMail(abs), state(info)
	}
	return in
}

// sameMail is the path of a mail in a Maildir without what changes when it is
// read: it moves from new to cur, and flags follow its name.
func sameMail(path string) string {
	dir, base := filepath.Split(path)
	parent := filepath.Base(dir)
	if parent != "cur" && parent != "new" {
		return path
	}
	base, _, _ = strings.Cut(base, ":2,")
	return filepath.Join(filepath.Dir(filepath.Clean(dir)), "cur", base)
}

// state tells whether a file has changed.
func state(info fs.FileInfo) archive.Cursor {
	h := fnv.New64a()
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], uint64(info.Size()))
	binary.LittleEndian.PutUint64(b[8:], uint64(info.ModTime().UnixNano()))
	h.Write(b[:])
	sum := h.Sum64() | 1 // never the zero value
	return archive.Cursor{Validity: uint32(sum >> 32), UID: uint32(sum)}
}

// tree walks a directory. It reports whether the loop goes on.
func tree(root string, yield func(Input, error) bool) bool {
	on := true
	maildirs := map[string]bool{}
	isMaildir := func(dir string) bool {
		is, known := maildirs[dir]
		if !known {
			is = isDir(filepath.Join(dir, "cur")) && isDir(filepath.Join(dir, "new"))
			maildirs[dir] = is
		}
		return is
	}
	stop := func(ok bool) error {
		if on = ok; !on {
			return fs.SkipAll
		}
		return nil
	}
	// A link that is named is followed, one that is met is not, unless to a file.
	if real, err := filepath.EvalSymlinks(root); err == nil {
		if info, err := os.Lstat(root); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			root = real
		}
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name := filepath.Base(path)
		hidden := path != root && strings.HasPrefix(name, ".")
		switch {
		case err != nil:
			return stop(yield(Input{Name: path}, bare(err)))
		case d.IsDir() && name == "tmp" && isMaildir(filepath.Dir(path)):
			return fs.SkipDir // mails that are being delivered
		case d.IsDir() && hidden && !isMaildir(path): // a folder of a Maildir++ begins with a dot too
			return fs.SkipDir
		case d.IsDir(), hidden, isMaildir(filepath.Dir(path)):
			return nil
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return stop(yield(Input{Name: path}, bare(err)))
		case !info.Mode().IsRegular():
			return nil
		}
		return stop(yield(File(path, info), nil))
	})
	if err != nil && on {
		return yield(Input{Name: root}, bare(err))
	}
	return on
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// bare is an error without the path, which stands beside it.
func bare(err error) error {
	if pe, ok := err.(*fs.PathError); ok {
		return fmt.Errorf("cannot be read: %w", pe.Err)
	}
	return err
}
