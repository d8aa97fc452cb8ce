package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// textWidth keeps lines readable on wide terminals and whole on narrow ones.
func textWidth(w int) int {
	if w <= 0 {
		return 80
	}
	return max(40, min(w, 100))
}

// useColor follows --color, then NO_COLOR, then whether a person looks on.
func useColor(s Streams, word string) bool {
	switch word {
	case "always":
		return true
	case "never":
		return false
	}
	return s.OutTTY && s.Getenv("NO_COLOR") == "" && s.Getenv("TERM") != "dumb"
}

// output writes to standard output, or to a file that appears only when whole.
type output struct {
	io.Writer
	buf  *bufio.Writer
	file *os.File // the file while it is not complete
	path string

	direct *os.File // a device or a pipe
}

func openOutput(std io.Writer, path string) (*output, error) {
	if path == "" {
		return &output{Writer: std}, nil
	}
	switch info, err := os.Stat(path); {
	case err != nil:
	case info.IsDir():
		return nil, usage("name a file", "--output-file: %s is a directory", path)
	case !info.Mode().IsRegular():
		// A device or a pipe is written to: to put a file in its place would break it.
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, usage("name a file that can be written to", "--output-file: %w", err)
		}
		return &output{Writer: f, direct: f}, nil
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // the file behind a link is replaced, not the link
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".mailcheck-*")
	if err != nil {
		return nil, usage("name a file in a directory that can be written to", "--output-file: %w", err)
	}
	w := bufio.NewWriter(f)
	return &output{Writer: w, buf: w, file: f, path: path}, nil
}

// commit gives the file its name.
func (o *output) commit() error {
	if o.direct != nil {
		return o.direct.Close()
	}
	if o.file == nil {
		return nil
	}
	err := errors.Join(o.buf.Flush(), o.file.Chmod(0o644), o.file.Close())
	if err == nil {
		err = os.Rename(o.file.Name(), o.path)
	}
	if err != nil {
		os.Remove(o.file.Name())
		err = &Error{Code: ExitUsage, Err: fmt.Errorf("--output-file: %w", err)}
	}
	o.file = nil
	return err
}

// abandon removes a file that was never completed.
func (o *output) abandon() {
	if o.file != nil {
		o.file.Close()
		os.Remove(o.file.Name())
	}
}
