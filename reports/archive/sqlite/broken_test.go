package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	engine "modernc.org/sqlite"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/archivetest"
	"github.com/mailcheck-go/mailcheck/reports/archive/sqlite"
)

// filled makes an archive with reports in it and gives its octets.
func filled(t *testing.T) (path string, octets []byte, docs []*archivetest.Document) {
	t.Helper()
	path, docs = filepath.Join(t.TempDir(), "reports.db"), archivetest.Corpus(9, 25)[:25]
	s := open(t, path)
	b := begin(t, s)
	for _, d := range docs {
		if _, err := d.Add(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(b.Commit(), s.Close()); err != nil {
		t.Fatal(err)
	}
	octets, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, octets, docs
}

// TestCorrupt gives Open what is no archive.
func TestCorrupt(t *testing.T) {
	_, good, _ := filled(t)
	change := func(at int, to ...byte) []byte {
		b := append([]byte(nil), good...)
		copy(b[at:], to)
		return b
	}
	for _, c := range []struct {
		name string
		file []byte
		want error
	}{
		{"empty", nil, archive.ErrCorrupt},
		{"text", []byte(strings.Repeat("not a database\n", 1000)), archive.ErrCorrupt},
		{"one octet", []byte("S"), archive.ErrCorrupt},
		{"header only", good[:100], archive.ErrCorrupt},
		{"zeros", make([]byte, len(good)), archive.ErrCorrupt},
		{"first page", good[:4096], archive.ErrCorrupt},
		{"half", good[:len(good)/2], archive.ErrCorrupt},
		{"half a page less", good[:len(good)-2048], archive.ErrCorrupt},
		{"magic", change(0, 'X'), archive.ErrCorrupt},
		{"page size", change(16, 3, 3), archive.ErrCorrupt},
		{"another application", change(68, 1, 2, 3, 4), archive.ErrCorrupt},
		{"another version", change(60, 0, 0, 0, 99), archive.ErrVersion},
		{"schema page", change(100, make([]byte, 1000)...), archive.ErrCorrupt},
		{"a page of zeros", change(len(good)/8192*4096, make([]byte, 4096)...), archive.ErrCorrupt},
		{"another program's", otherDatabase(t), archive.ErrCorrupt},
	} {
		for _, opt := range []sqlite.Options{{}, {ReadOnly: true}} {
			t.Run(fmt.Sprint(c.name, " ", opt.ReadOnly), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "reports.db")
				if err := os.WriteFile(path, c.file, 0o600); err != nil {
					t.Fatal(err)
				}
				s, err := sqlite.Open(context.Background(), path, opt)
				if !errors.Is(err, c.want) || s != nil {
					t.Errorf("got %v, want %v", err, c.want)
				}
				if b, _ := os.ReadFile(path); string(b) != string(c.file) {
					t.Error("the file was changed")
				}
			})
		}
	}
}

// otherDatabase gives a good database that is not ours.
func otherDatabase(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other.db")
	connector, err := engine.NewConnector(path)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	_, err = db.Exec("CREATE TABLE report (id INTEGER PRIMARY KEY, name TEXT)")
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFlipped changes octets of an archive that is too large to be checked when
// it is opened: a question gives an answer or a typed error, and never a panic.
func TestFlipped(t *testing.T) {
	_, good, _ := filled(t)
	step := 40
	if raceEnabled || testing.Short() {
		step = 6
	}
	ctx := context.Background()
	dir := t.TempDir()
	found := 0
	for i := range step {
		bad := append([]byte(nil), good...)
		page := 1 + i*(len(bad)/4096-1)/step // not the first, which has the schema
		for k := range 64 {
			bad[page*4096+(k*k*37)%4096] ^= byte(0x80 | k)
		}
		path := filepath.Join(dir, fmt.Sprint(i, ".db"))
		if err := os.WriteFile(path, append(bad, make([]byte, sqlite.SmallFile)...), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(ctx, path, sqlite.Options{})
		if err == nil {
			_, err = s.Totals(ctx, archive.Filter{}, archive.BySource)
			for _, e := range s.Rows(ctx, archive.Filter{}) {
				err = errors.Join(err, e)
			}
			for _, e := range s.Flows(ctx, archive.Filter{}) {
				err = errors.Join(err, e)
			}
			_, e := s.Selectors(ctx, archive.Filter{})
			_, e2 := s.Prune(ctx, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
			err = errors.Join(err, e, e2)
			s.Close()
		}
		if err != nil {
			found++
			if !errors.Is(err, archive.ErrCorrupt) {
				t.Errorf("page %d: %v", page, err)
			}
		}
		os.Remove(path)
		if _, err := sqlite.Open(ctx, path, sqlite.Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file that is not there: %v", err)
		}
	}
	if found < step/2 {
		t.Errorf("%d of %d damages were found", found, step)
	}
}

// TestLocked has another writer, as another process would be.
func TestLocked(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "reports.db")
	one := open(t, path)
	defer one.Close()
	two, err := sqlite.Open(ctx, path, sqlite.Options{BusyTimeout: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	b := begin(t, one)
	if _, err := two.Begin(ctx); !errors.Is(err, archive.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("Begin: %v", err)
	}
	if _, err := two.Prune(ctx, time.Now()); !errors.Is(err, archive.ErrLocked) {
		t.Errorf("Prune: %v", err)
	}
	if err := two.PutNames(ctx, nil); !errors.Is(err, archive.ErrLocked) {
		t.Errorf("PutNames: %v", err)
	}
	three, err := sqlite.Open(ctx, path, sqlite.Options{BusyTimeout: -1})
	if err != nil {
		t.Fatalf("opening beside a writer: %v", err)
	}
	defer three.Close()
	if _, err := three.Begin(ctx); !errors.Is(err, archive.ErrLocked) {
		t.Errorf("Begin without waiting: %v", err)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	b = begin(t, two)
	if err := b.Commit(); err != nil {
		t.Error(err)
	}
	// What another has pruned is forgotten here too.
	docs := archivetest.Corpus(1, 3)[:3]
	for _, s := range []*sqlite.Store{one, two, one} {
		b := begin(t, s)
		for _, d := range docs {
			if _, err := d.Add(ctx, b); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
		if s == two {
			if _, err := two.Prune(ctx, time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
				t.Fatal(err)
			}
		}
	}
	m := &archivetest.Model{}
	for _, d := range docs {
		m.Add(d)
	}
	m.Compare(t, two, []archive.Filter{{}})
}

func TestReadOnly(t *testing.T) {
	ctx := context.Background()
	path, octets, docs := filled(t)
	s, err := sqlite.Open(ctx, path, sqlite.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Begin(ctx); !errors.Is(err, archive.ErrReadOnly) {
		t.Errorf("Begin: %v", err)
	}
	if _, err := s.Prune(ctx, time.Now()); !errors.Is(err, archive.ErrReadOnly) {
		t.Errorf("Prune: %v", err)
	}
	if err := s.PutNames(ctx, nil); !errors.Is(err, archive.ErrReadOnly) {
		t.Errorf("PutNames: %v", err)
	}
	m := &archivetest.Model{}
	for _, d := range docs {
		m.Add(d)
	}
	m.Compare(t, s, []archive.Filter{{}})
	s.Close()
	if b, err := os.ReadFile(path); err != nil || string(b) != string(octets) {
		t.Error("the file was changed")
	}
}

func TestPermissions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b ?#%41")
	path := filepath.Join(dir, "reports.db")
	s := open(t, path)
	defer s.Close()
	b := begin(t, s)
	if _, err := archivetest.Corpus(1, 1)[0].Add(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{dir: 0o700, filepath.Dir(dir): 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
	if list, err := filepath.Glob(filepath.Join(dir, "*.new-*")); len(list) > 0 || err != nil {
		t.Errorf("left behind: %v, %v", list, err)
	}
	if _, err := sqlite.Open(context.Background(), dir, sqlite.Options{}); err == nil {
		t.Error("a directory can be opened")
	}
}
