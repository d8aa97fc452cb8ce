//go:build unix

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/sqlite"
)

func init() { helpers["readonly"] = helperReadOnly }

// TestNoRights opens archives where the owner of the process may not write.
func TestNoRights(t *testing.T) {
	_, octets, _ := filled(t)
	dir, err := os.MkdirTemp("", "mailcheck-noright-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "reports.db")
	if err := errors.Join(os.WriteFile(path, octets, 0o444), os.Chmod(dir, 0o555)); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	if out, err := helper(t, "readonly", path).Output(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func helperReadOnly(path string) int {
	if os.Getuid() == 0 { // who may do everything
		if err := errors.Join(syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
			fmt.Println("cannot become nobody:", err)
			return 0
		}
	}
	ctx := context.Background()
	if _, err := sqlite.Open(ctx, path, sqlite.Options{}); !errors.Is(err, archive.ErrReadOnly) {
		fmt.Println("opened for writing:", err)
		return 1
	}
	if _, err := sqlite.Open(ctx, filepath.Join(filepath.Dir(path), "new", "x.db"), sqlite.Options{}); !errors.Is(err, archive.ErrReadOnly) {
		fmt.Println("made where nothing can be made:", err)
		return 1
	}
	for range 2 {
		s, err := sqlite.Open(ctx, path, sqlite.Options{ReadOnly: true})
		if err != nil {
			fmt.Println("opened for reading:", err)
			return 1
		}
		defer s.Close()
		if list, err := s.Totals(ctx, archive.Filter{}, archive.ByDay); err != nil || len(list) == 0 {
			fmt.Println("totals:", list, err)
			return 1
		}
	}
	return 0
}
