package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/archivetest"
)

// TestFull lets the file grow no more, at many places of an import.
func TestFull(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "reports.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	docs, m := archivetest.Corpus(3, 30)[:30], &archivetest.Model{}
	full := 0
	for _, more := range []int{0, 1, 3, 7, 15, 20, 10000} {
		r, err := s.w.one("PRAGMA page_count")
		if err != nil {
			t.Fatal(err)
		}
		pages := strconv.Itoa(int(r.int(0)) + more)
		if _, err := s.w.one("PRAGMA max_page_count = " + pages); err != nil {
			t.Fatal(err)
		}
		b, err := s.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			if _, err = d.Add(ctx, b); err != nil {
				break
			}
		}
		if err == nil {
			err = b.Commit()
		} else {
			if _, again := docs[0].Add(ctx, b); !errors.Is(again, archive.ErrFull) {
				t.Errorf("%s pages: the batch can be used after it failed: %v", pages, again)
			}
			if again := b.Commit(); !errors.Is(again, archive.ErrFull) {
				t.Errorf("%s pages: Commit of a batch that failed: %v", pages, again)
			}
		}
		if err != nil {
			full++
			if !errors.Is(err, archive.ErrFull) {
				t.Errorf("%s pages: %v", pages, err)
			}
		} else {
			for _, d := range docs {
				m.Add(d)
			}
		}
		m.Compare(t, s, []archive.Filter{{}})
	}
	if full < 3 || full == 7 {
		t.Errorf("%d of 7 imports found no space", full)
	}
}
