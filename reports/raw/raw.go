package raw

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Reasons. An error of this package that is not one of the file system's matches
// one of them with errors.Is.
var (
	ErrDamaged = errors.New("raw: damaged pack")
	ErrMissing = errors.New("raw: no such document")
	ErrLimit   = errors.New("raw: limit exceeded")
)

const (
	ledgerName  = "ledger.jsonl"
	rejected    = "rejected" // comment of a member
	tempPattern = ".pack-*.tmp"
	spoolPrefix = ".spool-"
)

// packName is what a pack is called; other files in the directory are let alone.
var packName = regexp.MustCompile(`^\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{8}\.zip$`)

// Dir is a directory of packs. Its methods may be called from several goroutines.
type Dir struct {
	path string

	mu      sync.Mutex
	last    time.Time // of the newest pack made here, so that names sort in their order
	refused map[archive.Sum]bool
}

// Open opens a directory of packs, and makes it if it is not there. Reports tell
// who writes to whom: only the owner may read it.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	return &Dir{path: path}, nil
}

// Path is the directory.
func (d *Dir) Path() string { return d.path }

// Packs names the packs, the oldest first.
func (d *Dir) Packs() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if e.Type().IsRegular() && packName.MatchString(e.Name()) {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out, nil
}

// Clean removes what runs that crashed have left. To call it is safe while no
// other writer is at work.
func (d *Dir) Clean() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		ours := strings.HasPrefix(e.Name(), ".pack-") && strings.HasSuffix(e.Name(), ".tmp") || strings.HasPrefix(e.Name(), spoolPrefix)
		if !ours || !e.Type().IsRegular() {
			continue
		}
		if err := os.Remove(filepath.Join(d.path, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Rejected tells whether a document is kept that no parser could read, and how
// many are.
func (d *Dir) Rejected(ctx context.Context, sum archive.Sum) (known bool, count int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refused == nil {
		// Rejected documents are few, and the runs that meet one too: the packs are
		// looked through when the first is met.
		packs, err := d.Packs()
		if err != nil {
			return false, 0, err
		}
		refused := map[archive.Sum]bool{}
		for _, name := range packs {
			if err := ctx.Err(); err != nil {
				return false, 0, err
			}
			p, err := d.Pack(name)
			if errors.Is(err, ErrDamaged) {
				continue // told of where packs are read
			} else if err != nil {
				return false, 0, err
			}
			for m := range p.Members() {
				if m.Rejected {
					refused[m.Sum] = true
				}
			}
			p.Close()
		}
		d.refused = refused
	}
	return d.refused[sum], len(d.refused), nil
}

// remember adds to what Rejected knows.
func (d *Dir) remember(sums []archive.Sum) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range sums {
		if d.refused != nil {
			d.refused[s] = true
		}
	}
}

// name makes the name of a pack.
func (d *Dir) name(at time.Time) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	at = at.UTC().Truncate(time.Millisecond)
	if !at.After(d.last) {
		at = d.last.Add(time.Millisecond)
	}
	d.last = at
	return fmt.Sprintf("%s-%08x.zip", at.Format("20060102T150405.000Z"), random())
}

// Line is a line of the ledger in a pack: what the archive keeps of an input, and
// what of its mail the archive is told when the report is added. A line with a
// Place is about no input: it tells how far a source has been read.
type Line struct {
	archive.Input
	Proof     archive.Proof `json:"proof,omitempty"`
	TLSDomain string        `json:"tls_domain,omitempty"` // RFC 8460, Section 5.3
	Place     *Place        `json:"place,omitempty"`
}

// Place is what archive.Batch.SetCursor remembers.
type Place struct {
	Source string `json:"source"`
	archive.Cursor
}

// extension is the ending of a member's name.
func extension(k archive.Kind) string {
	switch k {
	case archive.TLS:
		return ".json"
	case archive.Failure:
		return ".eml"
	}
	return ".xml"
}

// member reads the name of a member.
func member(name string) (sum archive.Sum, kind archive.Kind, ok bool) {
	stem, ext, _ := strings.Cut(name, ".")
	for _, k := range []archive.Kind{archive.Aggregate, archive.TLS, archive.Failure} {
		if "."+ext == extension(k) && sum.UnmarshalText([]byte(stem)) == nil {
			return sum, k, sum.String() == stem // no upper case
		}
	}
	return sum, "", false
}
