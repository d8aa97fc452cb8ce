package sqlite

import (
	"errors"
	"fmt"

	engine "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// reasons are the result codes of SQLite a caller can act upon.
var reasons = map[int]error{
	lib.SQLITE_BUSY:     archive.ErrLocked,
	lib.SQLITE_LOCKED:   archive.ErrLocked,
	lib.SQLITE_CORRUPT:  archive.ErrCorrupt,
	lib.SQLITE_NOTADB:   archive.ErrCorrupt,
	lib.SQLITE_FORMAT:   archive.ErrCorrupt,
	lib.SQLITE_READONLY: archive.ErrReadOnly,
	lib.SQLITE_PERM:     archive.ErrReadOnly,
	lib.SQLITE_FULL:     archive.ErrFull,
}

// fail gives an error of the driver its reason.
func fail(err error) error {
	var e *engine.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	if e.Code() == lib.SQLITE_IOERR_CORRUPTFS || e.Code() == lib.SQLITE_IOERR_DATA {
		return fmt.Errorf("%w (%w)", archive.ErrCorrupt, err)
	}
	if reason := reasons[e.Code()&0xff]; reason != nil {
		return fmt.Errorf("%w (%w)", reason, err)
	}
	return fmt.Errorf("sqlite: %w", err)
}

// fatal tells whether an error ends a batch.
func fatal(err error) bool {
	var e *engine.Error
	if errors.As(err, &e) {
		return true
	}
	for _, reason := range []error{archive.ErrLocked, archive.ErrCorrupt, archive.ErrReadOnly, archive.ErrFull, archive.ErrClosed} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}
