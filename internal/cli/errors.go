package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/mailcheck-go/mailcheck/internal/safe"
)

// Exit codes. They are part of the interface: docs/cli.md lists them.
const (
	ExitOK          = 0   // clean
	ExitFindings    = 1   // findings at or above --fail-on
	ExitIncomplete  = 2   // something could not be known
	ExitUsage       = 3   // the command line or a file given is wrong
	ExitFailed      = 4   // apply or verify failed
	ExitInterrupted = 130 // stopped by SIGINT or SIGTERM; what was finished is printed
)

// Error ends a command with an exit code and a hint at what to type next.
type Error struct {
	Code int
	Err  error
	Hint string
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// usage is an error in what the user gave.
func usage(hint, format string, args ...any) error {
	return &Error{Code: ExitUsage, Err: fmt.Errorf(format, args...), Hint: hint}
}

// report writes an error the one way and returns its exit code.
func report(w io.Writer, err error) int {
	if err == nil {
		return ExitOK
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Code: ExitIncomplete, Err: err}
		if closedPipe(err) {
			return ExitIncomplete // the reader has gone: nobody is left to tell
		}
	}
	if e.Err != nil {
		// Errors quote what strangers and files said, so they are escaped as a whole.
		fmt.Fprintf(w, "mailcheck: error: %s\n", safe.Text(strings.TrimSpace(e.Err.Error())))
	}
	if e.Hint != "" {
		fmt.Fprintf(w, "mailcheck: hint: %s\n", safe.Text(e.Hint))
	}
	return e.Code
}

// exit is an outcome that is no error: the report has said all.
func exit(code int) error {
	if code == ExitOK {
		return nil
	}
	return &Error{Code: code}
}

func closedPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}

// nearest returns the candidate that was probably meant, or "".
func nearest(word string, candidates []string) string {
	best, dist := "", 3
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < dist {
			best, dist = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance, bounded by refusing long words.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 99
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			prev, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, prev+cost)
		}
	}
	return row[len(b)]
}
