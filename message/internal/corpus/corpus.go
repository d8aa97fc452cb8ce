// Package corpus compares what is read from the mails of a test corpus with a table
// of names and verdicts. It is for tests.
package corpus

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/message"
)

// Root is the corpus, seen from a package one level below message.
const Root = "../../../shared/corpus"

// Compare runs line over all mails below the directories of root and compares with
// the table; with update it writes the table instead. It skips the test if there is
// no corpus. Mails of which line says nothing are not in the table.
func Compare(t *testing.T, root string, dirs []string, table string, update bool, line func(*message.Message) string) {
	t.Helper()
	if _, err := os.Stat(root); err != nil {
		t.Skipf("no corpus at %s", root)
	}
	want := read(t, table, update)
	var b strings.Builder
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) == ".tsv" {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, _ := filepath.Rel(root, path)
			name = filepath.ToSlash(name)
			got := line(message.Parse(data, message.Options{}))
			if got != "" {
				b.WriteString(name + "\t" + got + "\n")
			}
			if w := want[name]; !update && w != got {
				t.Errorf("%s:\n got %s\nwant %s", name, got, w)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if update {
		if err := os.WriteFile(table, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, table string, update bool) map[string]string {
	t.Helper()
	out := map[string]string{}
	f, err := os.Open(table)
	if err != nil {
		if !update {
			t.Fatal(err)
		}
		return out
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		name, rest, _ := strings.Cut(sc.Text(), "\t")
		out[name] = rest
	}
	return out
}
