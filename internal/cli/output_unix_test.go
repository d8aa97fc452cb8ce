//go:build unix

package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe or a device is written to, and never replaced by a file: --output-file
// /dev/null as root must leave /dev/null what it is.
func TestOutputToPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("no named pipes here:", err)
	}
	got := make(chan string)
	go func() {
		f, err := os.Open(path)
		if err != nil {
			got <- err.Error()
			return
		}
		b, _ := io.ReadAll(f)
		got <- string(b)
	}()
	out, err := openOutput(io.Discard, path)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(out, "report")
	if err := out.commit(); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "report" {
		t.Errorf("read %q", s)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe became %v, %v", info.Mode(), err)
	}
}

// A file appears only when it is whole, and a link is not replaced.
func TestOutputIsWhole(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, whole := range []bool{false, true} {
		out, err := openOutput(io.Discard, link)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(out, "new")
		want := "old"
		if whole {
			want = "new"
			if err := out.commit(); err != nil {
				t.Fatal(err)
			}
		}
		out.abandon()
		if b, _ := os.ReadFile(file); string(b) != want {
			t.Errorf("complete %v: the file holds %q", whole, b)
		}
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".mailcheck-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
