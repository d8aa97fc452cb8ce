//go:build story

package story

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestMain is also the first process of each machine.
func TestMain(m *testing.M) {
	if name := os.Getenv("STORY_INIT"); name != "" {
		if err := machine(name, os.Getenv("STORY_DIR")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Stdout.WriteString("ready\n")
		os.Stdout.Close()
		reap()
	}
	os.Exit(m.Run())
}

// machine gives the process a name, and an /etc, /var and /root whose changes
// nobody else sees; /run and /proc are new.
func machine(name, dir string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mounts: %w", err)
	}
	for _, top := range []string{"etc", "var", "root"} {
		upper, work := filepath.Join(dir, top), filepath.Join(dir, top+".work")
		for _, d := range []string{upper, work} {
			if err := os.MkdirAll(d, 0o755); err != nil {
				return err
			}
		}
		opt := fmt.Sprintf("lowerdir=/%s,upperdir=%s,workdir=%s", top, upper, work)
		if err := syscall.Mount("overlay", "/"+top, "overlay", 0, opt); err != nil {
			return fmt.Errorf("overlay of /%s: %w", top, err)
		}
	}
	if err := syscall.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("/run: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("/proc: %w", err)
	}
	return syscall.Sethostname([]byte(name))
}

// reap is what the first process of a machine is for: children that lost their
// parent would otherwise stay as dead processes that look alive.
func reap() {
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil {
			time.Sleep(200 * time.Millisecond)
		}
	}
}
