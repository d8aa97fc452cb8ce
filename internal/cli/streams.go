package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Streams is all that a command may read and write. Tests give buffers.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	InTTY    bool // a person may be asked
	OutTTY   bool // reports may be coloured
	ErrTTY   bool // progress may be shown
	Width    int  // columns of the terminal; 0: unknown
	Getenv   func(string) string
}

// System returns the streams of the process.
func System() Streams {
	s := Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv}
	s.InTTY = term.IsTerminal(int(os.Stdin.Fd()))
	s.OutTTY = term.IsTerminal(int(os.Stdout.Fd()))
	s.ErrTTY = term.IsTerminal(int(os.Stderr.Fd()))
	if s.OutTTY {
		if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
			s.Width = w
		}
	}
	return s
}
