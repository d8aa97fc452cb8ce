package cli

import (
	"context"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/sqlite"
)

// openEngine opens the database of an archive.
func openEngine(ctx context.Context, path string, readOnly bool) (archive.Store, error) {
	return sqlite.Open(ctx, path, sqlite.Options{ReadOnly: readOnly})
}
