package receive

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// MaildirOptions tell what the folders of a maildir are for, where their names do
// not.
type MaildirOptions struct {
	Inbox, Junk []string
}

// maildir is a mailbox in the file system. Folders are ".Name" beside new and cur
// (Maildir++), or directories with new and cur in them.
type maildir struct {
	dir  string
	opt  MaildirOptions
	seen map[string]int64 // octets: a file that grew is read again
}

// NewMaildir makes a seed of a maildir. It only reads.
func NewMaildir(dir string, opt MaildirOptions) (Seed, error) {
	if !isMaildir(dir) {
		return nil, fmt.Errorf("%w: %q is no maildir: it has neither new nor cur", ErrSeed, dir)
	}
	return &maildir{dir: dir, opt: opt, seen: map[string]int64{}}, nil
}

func isMaildir(dir string) bool {
	for _, sub := range []string{"new", "cur"} {
		if info, err := os.Lstat(filepath.Join(dir, sub)); err == nil && info.IsDir() {
			return true
		}
	}
	return false
}

func (m *maildir) Folders(context.Context) ([]Folder, error) {
	list := []Folder{{Name: "INBOX", Role: Inbox, By: "name"}}
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSeed, err)
	}
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() || name == "new" || name == "cur" || name == "tmp" || !isMaildir(filepath.Join(m.dir, name)) {
			continue
		}
		list = append(list, roleOf(strings.TrimPrefix(name, "."), nil))
	}
	return sorted(given(list, m.opt.Inbox, m.opt.Junk)), nil
}

// path finds the directory of a folder.
func (m *maildir) path(f Folder) string {
	if f.Role == Inbox && f.Name == "INBOX" {
		return m.dir
	}
	if p := filepath.Join(m.dir, "."+f.Name); isMaildir(p) {
		return p
	}
	return filepath.Join(m.dir, f.Name)
}

type file struct {
	path, id string
	at       time.Time
}

func (m *maildir) Look(ctx context.Context, f Folder, since time.Time, each func(Mail) bool) error {
	var files []file
	for _, sub := range []string{"new", "cur"} {
		dir := filepath.Join(m.path(f), sub)
		entries, err := os.ReadDir(dir)
		if err != nil {
			if os.IsNotExist(err) {
				continue
			}
			return fmt.Errorf("%w: %w", ErrSeed, err)
		}
		for _, e := range entries {
			// A mail keeps the first part of its name when it moves from new to cur.
			unique, _, _ := strings.Cut(e.Name(), ":")
			id := f.Name + "/" + unique
			info, err := e.Info()
			if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(e.Name(), ".") || m.seen[id] == info.Size()+1 ||
				info.Size() > MaxMail || info.ModTime().Before(since) {
				continue
			}
			files = append(files, file{filepath.Join(dir, e.Name()), id, info.ModTime()})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return b.at.Compare(a.at) })
	for _, x := range files[:min(len(files), MaxLook)] {
		if err := ctx.Err(); err != nil {
			return err
		}
		raw, err := readFile(x.path)
		if err != nil {
			continue // it moved meanwhile, and is looked at the next time
		}
		m.seen[x.id] = int64(len(raw)) + 1 // 0 is a file that was not seen
		if !each(Mail{Folder: f, ID: x.id, Raw: raw, Arrived: x.at.UTC()}) {
			return nil
		}
	}
	return nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fs.ErrInvalid
	}
	return io.ReadAll(io.LimitReader(f, MaxMail))
}
