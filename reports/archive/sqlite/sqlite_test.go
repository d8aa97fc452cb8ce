package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/archivetest"
	"github.com/mailcheck-go/mailcheck/reports/archive/sqlite"
)

func TestConformance(t *testing.T) {
	archivetest.Run(t, archivetest.Engine{Open: func(t testing.TB, dir string) archive.Store {
		s, err := sqlite.Open(context.Background(), filepath.Join(dir, "data", "reports.db"), sqlite.Options{BusyTimeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}})
}
