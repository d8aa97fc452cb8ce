package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Names in the directory of an archive.
const (
	storeDatabase = "archive.db"
	storeRaw      = "raw"
)

// storeFlags name the archive of reports.
type storeFlags struct {
	dir string
}

func (f *storeFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "store", "", "`directory` of the archive of reports (default: $MAILCHECK_STORE, then $XDG_DATA_HOME/mailcheck/reports, then ~/.local/share/mailcheck/reports)")
}

// path is the directory of the archive.
func (f *storeFlags) path(s Streams) (string, error) {
	switch {
	case f.dir != "":
		return filepath.Clean(f.dir), nil
	case s.Getenv("MAILCHECK_STORE") != "":
		return filepath.Clean(s.Getenv("MAILCHECK_STORE")), nil
	case filepath.IsAbs(s.Getenv("XDG_DATA_HOME")): // the specification has relative ones ignored
		return filepath.Join(s.Getenv("XDG_DATA_HOME"), "mailcheck", "reports"), nil
	case s.Getenv("HOME") != "":
		return filepath.Join(s.Getenv("HOME"), ".local", "share", "mailcheck", "reports"), nil
	case s.Getenv("LOCALAPPDATA") != "": // Windows
		return filepath.Join(s.Getenv("LOCALAPPDATA"), "mailcheck", "reports"), nil
	}
	return "", usage("name the directory of the archive with --store", "there is no home directory to keep the archive of reports in")
}

// openStore opens the archive of reports. One that is opened for reading has to
// be there already. Its errors say what to do; those of the open archive become
// errors of a command with storeError.
func openStore(ctx context.Context, s Streams, f storeFlags, readOnly bool) (archive.Store, error) {
	dir, err := f.path(s)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, storeDatabase)
	if readOnly {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, noStore(dir)
		}
	} else if err := os.MkdirAll(dir, 0o700); err != nil { // reports tell who writes to whom
		return nil, storeError(dir, err)
	}
	store, err := openEngine(ctx, path, readOnly)
	if err != nil {
		return nil, storeError(dir, err)
	}
	return store, nil
}

// noStore is the error of a command that reads an archive that is not there.
func noStore(dir string) error {
	if info, err := os.Stat(filepath.Join(dir, storeRaw)); err == nil && info.IsDir() {
		return &Error{Code: ExitFailed, Err: fmt.Errorf("%s holds raw reports and no database", dir), Hint: "mailcheck reports rebuild --store " + dir}
	}
	return &Error{Code: ExitIncomplete, Err: fmt.Errorf("no archive of reports in %s", dir), Hint: "fill one with 'mailcheck reports import', or name another with --store"}
}

// storeError gives an error of the archive its exit code and what helps.
func storeError(dir string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	hint := ""
	switch {
	case errors.Is(err, context.Canceled):
		return &Error{Code: ExitInterrupted, Err: errors.New("interrupted")}
	case errors.Is(err, archive.ErrLocked):
		hint = "wait until the other import has ended; a run that died leaves no lock behind"
	case errors.Is(err, archive.ErrCorrupt), errors.Is(err, archive.ErrVersion):
		hint = "mailcheck reports rebuild --store " + dir + " makes it anew from the raw reports"
	case errors.Is(err, archive.ErrReadOnly), errors.Is(err, fs.ErrPermission):
		hint = "run as the owner of " + dir + ", or name another archive with --store"
	case errors.Is(err, archive.ErrFull), noSpace(err):
		hint = "make room and run it again: what was committed stays, and nothing is counted twice"
	}
	return &Error{Code: ExitFailed, Err: fmt.Errorf("archive in %s: %w", dir, err), Hint: hint}
}

// noSpace tells whether a file could not grow.
func noSpace(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
