package source

import (
	"io/fs"
	"iter"
	"path"
	"strings"
)

// Tree yields what [Read] does for every file at and below root, in the order of
// their names. A Maildir, which is a directory with cur and new in it, gives its
// mails and no other files. Hidden files and what is no regular file are told as
// [ErrSkipped]. Names are taken as they are: "[" and "*" mean nothing.
func Tree(fsys fs.FS, root string, opt Options) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		w := &walker{opt: opt.defaults(), yield: yield}
		dirs := map[string]bool{}
		isMaildir := func(dir string) bool {
			is, known := dirs[dir]
			if !known {
				is = maildir(fsys, dir)
				dirs[dir] = is
			}
			return is
		}
		err := fs.WalkDir(fsys, root, func(name string, d fs.DirEntry, err error) error {
			a := at{path: name}
			switch {
			case w.stopped:
			case err != nil:
				w.fail(a, ErrRead, err, "")
			case d.IsDir():
				if path.Base(name) == "tmp" && isMaildir(path.Dir(name)) {
					return fs.SkipDir // mails that are being delivered
				}
				// A folder of a Maildir++ begins with a dot too.
				if name != root && strings.HasPrefix(path.Base(name), ".") && !isMaildir(name) {
					w.fail(a, ErrSkipped, nil, "hidden directory")
					return fs.SkipDir
				}
			case name != root && strings.HasPrefix(path.Base(name), "."):
				w.fail(a, ErrSkipped, nil, "hidden file")
			case isMaildir(path.Dir(name)):
				w.fail(a, ErrSkipped, nil, "file of the Maildir itself")
			default:
				w.file(fsys, a)
			}
			if w.stopped {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			w.fail(at{path: root}, ErrRead, err, "")
		}
	}
}

func maildir(fsys fs.FS, dir string) bool {
	for _, sub := range []string{"cur", "new"} {
		if info, err := fs.Stat(fsys, path.Join(dir, sub)); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}

// file opens one file of a tree.
func (w *walker) file(fsys fs.FS, a at) {
	info, err := fs.Stat(fsys, a.path)
	if err != nil {
		w.fail(a, ErrRead, err, "")
		return
	}
	if !info.Mode().IsRegular() {
		w.fail(a, ErrSkipped, nil, "not a regular file")
		return
	}
	f, err := fsys.Open(a.path)
	if err != nil {
		w.fail(a, ErrRead, err, "")
		return
	}
	defer f.Close()
	for doc, err := range Read(a.path, f, w.opt) {
		if !w.yield(doc, err) {
			w.stopped = true
			return
		}
	}
}
