package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	engine "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Options tune Open. The zero value is fine.
type Options struct {
	// ReadOnly opens the archive without the right to change it, and does not
	// make one if there is none. Where nothing can be written at all, not even
	// the files that SQLite keeps beside it, nobody else may write meanwhile.
	ReadOnly bool
	// BusyTimeout is how long Begin, Prune and PutNames wait for another
	// writer. Zero means DefaultBusyTimeout, less than zero not at all.
	BusyTimeout time.Duration
	// Check looks at the whole file when it is opened, which takes a second for
	// some 100 MB. Files up to SmallFile are always looked at.
	Check bool
}

const (
	DefaultBusyTimeout = 5 * time.Second
	// SmallFile is the size in octets up to which Open checks the whole file.
	SmallFile = 4 << 20
)

// Open opens the archive in a file; it makes the file, for the owner alone, and
// its directory if they are not there. Errors match those of package archive;
// with Options.ReadOnly a file that is not there is fs.ErrNotExist.
func Open(ctx context.Context, path string, opt Options) (*Store, error) {
	s := &Store{path: path, opt: opt, lock: make(chan struct{}, 1), looks: newLooks()}
	s.wait = max(0, cmp.Or(opt.BusyTimeout, DefaultBusyTimeout))
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && !opt.ReadOnly {
		if err = create(ctx, path); err == nil {
			info, err = os.Stat(path)
		}
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("sqlite: %w", system(err))
	case info.IsDir():
		return nil, fmt.Errorf("sqlite: %s is a directory", path)
	case info.Size() == 0: // to SQLite this would be a good database; ours are never empty
		return nil, fmt.Errorf("%w: %s is empty", archive.ErrCorrupt, path)
	}
	if err := s.open(ctx, info.Size()); err != nil {
		return nil, fmt.Errorf("%w: %s", err, path)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, size int64) error {
	log, err := os.Stat(s.path + "-wal")
	logged := err == nil && log.Size() > 0
	mode, cache := "rw", writerCache
	if s.opt.ReadOnly {
		mode, cache = "ro", readerCache
	}
	s.params = "mode=" + mode + "&_busy_timeout=" + strconv.Itoa(int(s.wait.Milliseconds())) +
		"&_pragma=cell_size_check(1)&_pragma=trusted_schema(0)" +
		"&_pragma=synchronous(full)&_pragma=journal_size_limit(67108864)"
	c, err := dial(ctx, s.path, s.params, cache)
	if err == nil {
		if err = check(ctx, c, size, logged, s.opt.Check || size <= SmallFile); err == nil && !s.opt.ReadOnly {
			err = writable(c)
		}
	}
	if isCannotOpen(err) || s.opt.ReadOnly && errors.Is(err, archive.ErrReadOnly) {
		if !s.opt.ReadOnly {
			err = fmt.Errorf("%w (%w)", archive.ErrReadOnly, err)
		} else if !logged {
			// A reader of a WAL database wants to make two files beside it. Where it
			// must not, and there is no log, the file is all there is.
			s.params += "&immutable=1"
			if c != nil {
				c.Close()
			}
			if c, err = dial(ctx, s.path, s.params, cache); err == nil {
				err = check(ctx, c, size, logged, s.opt.Check || size <= SmallFile)
			}
		}
	}
	if err != nil {
		if c != nil {
			c.Close()
		}
		return err
	}
	if s.opt.ReadOnly {
		s.idle = append(s.idle, c)
	} else {
		s.w, s.dict = c, newDict(c)
	}
	return nil
}

func isCannotOpen(err error) bool {
	var e *engine.Error
	return errors.As(err, &e) && e.Code()&0xff == lib.SQLITE_CANTOPEN
}

// check tells whether the file is an archive of this version, as far as can be
// told without reading all of it, or with full in earnest.
func check(ctx context.Context, c *conn, size int64, logged, full bool) error {
	var found [4]int64
	for i, sql := range []string{"PRAGMA application_id", "PRAGMA user_version", "PRAGMA page_count", "PRAGMA page_size"} {
		r, err := c.one(sql)
		if err != nil {
			return err
		}
		if r == nil {
			return fmt.Errorf("%w: no answer to %s", archive.ErrCorrupt, sql)
		}
		found[i] = r.int(0)
	}
	switch {
	case found[0] != applicationID:
		return fmt.Errorf("%w: not an archive of reports", archive.ErrCorrupt)
	case found[1] != version:
		return fmt.Errorf("%w: %d, this program has %d", archive.ErrVersion, found[1], version)
	case !logged && size < found[2]*found[3]:
		return fmt.Errorf("%w: %d of %d octets", archive.ErrCorrupt, size, found[2]*found[3])
	}
	n, err := c.one("SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~'")
	if err != nil {
		return err
	}
	if n == nil || n.int(0) != int64(objects()) {
		return fmt.Errorf("%w: tables are missing", archive.ErrCorrupt)
	}
	if !full {
		return nil
	}
	return c.each(ctx, "PRAGMA quick_check(1)", nil, func(r *record) error {
		if v := r.text(0); v != "ok" {
			return fmt.Errorf("%w: %.200q", archive.ErrCorrupt, v)
		}
		return nil
	})
}

// writable tells early that there will be no writing. That another writer is at
// work does not matter yet.
func writable(c *conn) error {
	if err := c.run("PRAGMA busy_timeout"); err != nil {
		return err
	}
	err := c.run("BEGIN IMMEDIATE")
	if errors.Is(err, archive.ErrLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.run("ROLLBACK")
}

// create makes the file under another name and then gives it its own, so that
// whoever sees the file sees all of it.
func create(ctx context.Context, path string) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	name := tmp.Name()
	tmp.Close()
	defer func() {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			os.Remove(name + suffix)
		}
	}()
	c, err := dial(ctx, name, "mode=rw", writerCache)
	if err != nil {
		return err
	}
	err = fill(c)
	if e := c.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	// Another process may have been faster: its file stays.
	if err := os.Link(name, path); err != nil && !errors.Is(err, fs.ErrExist) {
		if err := os.Rename(name, path); err != nil { // a file system without links
			return err
		}
	}
	if d, err := os.Open(dir); err == nil {
		d.Sync() // not every system can; the file itself is safe
		d.Close()
	}
	return nil
}

func fill(c *conn) error {
	all := append([]string{"BEGIN IMMEDIATE"}, statements()...)
	all = append(all, "PRAGMA application_id = "+strconv.Itoa(applicationID), "PRAGMA user_version = "+strconv.Itoa(version),
		"COMMIT", "PRAGMA journal_mode = wal")
	for _, sql := range all {
		if err := c.run(strings.TrimSpace(sql)); err != nil {
			return err
		}
	}
	return nil
}

// system gives an error of the operating system its reason.
func system(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w (%w)", archive.ErrReadOnly, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w (%w)", archive.ErrFull, err)
	}
	return err
}
