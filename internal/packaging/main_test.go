package packaging

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/internal/cli"
)

// TestMain is mailcheck when the test is called by that name: scripts and units find
// the program without a build.
func TestMain(m *testing.M) {
	if name := filepath.Base(os.Args[0]); name == "mailcheck" {
		os.Exit(cli.Main(os.Args[1:], cli.System()))
	}
	os.Exit(m.Run())
}

// root is the root of the project.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// program makes mailcheck in a directory, and returns its path.
func program(t *testing.T, dir string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "mailcheck")
	if err := os.Symlink(self, path); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	return path
}

// text reads a file of the project.
func text(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root(t), path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// put writes a file of a test.
func put(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// shell names an interpreter, or skips the test.
func shell(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("there is no %s here", name)
	}
	return path
}

type outcome struct {
	status   int
	out, err string
}

// run runs a program in a directory, with no environment but the one given.
func run(t *testing.T, dir string, env []string, name string, args ...string) outcome {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir,
		"GORACE=atexit_sleep_ms=0"}, env...) // the race detector waits a second at the end of each mailcheck
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return outcome{exit.ExitCode(), out.String(), errs.String()}
	} else if err != nil {
		t.Fatal(err)
	}
	return outcome{0, out.String(), errs.String()}
}

// zones are the arguments that put the zone files in place of the network.
func zones(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, name := range []string{"good", "bad"} {
		path, err := filepath.Abs("testdata/" + name + ".zone")
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, "--zone="+path)
	}
	return append(out, "--offline")
}

// TestNoHost keeps names of registries out of what is shipped: where an image goes is
// for the environment of a release to say.
func TestNoHost(t *testing.T) {
	for _, path := range []string{".goreleaser.yaml", "Dockerfile", "action.yml", "contrib/action/install.sh", "contrib/action/audit.sh"} {
		for _, word := range []string{"ghcr", "docker.io", "quay", "gcr.", "proxy.golang"} {
			if strings.Contains(text(t, path), word) {
				t.Errorf("%s names %s", path, word)
			}
		}
	}
}
