//go:build lab

// Package dkim_test proves the set-up guides of package dkim/setup with the real
// programs of Debian: their steps are carried out in a directory of their own, a
// message is signed, and package dkim verifies it.
package dkim_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var domain = resolve.MustName("example.org")

const message = "From: Alice <alice@example.org>\r\n" +
	"To: bob@example.net\r\n" +
	"Subject: a test of the signer\r\n" +
	"Date: Sun, 01 Nov 2026 12:00:00 +0000\r\n" +
	"Message-ID: <1@example.org>\r\n" +
	"\r\n" +
	"Hello Bob,\r\nthis is a test.\r\n"

// need skips the test without root or without a program.
func need(t *testing.T, programs ...string) []string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, as the guides give files to the daemons' users")
	}
	var out []string
	for _, p := range programs {
		path, err := exec.LookPath(p)
		if err != nil {
			path = filepath.Join("/usr/sbin", p)
			if _, err := os.Stat(path); err != nil {
				t.Skipf("%s is not installed", p)
			}
		}
		out = append(out, path)
	}
	return out
}

// lab is a directory in which the steps of a guide are done, and a name server
// with the records of the keys.
type lab struct {
	dir  string
	keys []setup.Key
	zone *zonetest.Zone
	dns  string // address of the name server
}

// newLab makes keys of the types and publishes their records.
func newLab(t *testing.T, types ...string) *lab {
	t.Helper()
	// Not /tmp: OpenDKIM refuses keys below a directory that all can write to.
	dir, err := os.MkdirTemp("/var/lib", "mailcheck-lab-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // the daemons have users of their own
		t.Fatal(err)
	}
	l := &lab{dir: dir}
	text := "example.org. 3600 IN SOA ns1.example.org. admin.example.org. 1 7200 3600 1209600 7200\n"
	for i, typ := range types {
		k, err := keys.Generate(keys.Options{Type: typ})
		if err != nil {
			t.Fatal(err)
		}
		sel := "s" + strconv.Itoa(i+1)
		file := filepath.Join(dir, sel+".pem")
		if err := k.Create(file, ""); err != nil {
			t.Fatal(err)
		}
		r, err := k.Record()
		if err != nil {
			t.Fatal(err)
		}
		name, err := dkim.KeyName(domain, sel)
		if err != nil {
			t.Fatal(err)
		}
		text += setup.FormsOf(name, domain, r).Zone + "\n"
		l.keys = append(l.keys, setup.Key{Selector: sel, Type: typ, File: file})
	}
	l.zone, err = zonetest.Parse(text, zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := zonetest.Serve(l.zone, zonetest.ServerOptions{Recursive: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	l.dns = s.Addr()
	return l
}

// path moves an absolute path of a guide into the directory.
func (l *lab) path(p string) string { return filepath.Join(l.dir, "root", p) }

// moved does so for every path that begins with one of the prefixes.
func (l *lab) moved(text string, prefixes ...string) string {
	for _, p := range prefixes {
		text = strings.ReplaceAll(text, p, l.path(p))
	}
	return text
}

// carryOut does the steps: commands are run, files are written with their modes.
func (l *lab) carryOut(t *testing.T, g setup.Guide, prefixes ...string) {
	t.Helper()
	for _, p := range prefixes {
		if err := os.MkdirAll(l.path(p), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, st := range g.Steps {
		text := l.moved(st.Text, prefixes...)
		if st.File == "" {
			// What the guide calls mailcheck is the library here.
			for line := range strings.Lines(text) {
				if strings.HasPrefix(line, "mailcheck ") {
					l.convert(t, line)
					continue
				}
				run(t, "sh", "-ec", line)
			}
			continue
		}
		file := l.path(st.File)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		mode, err := strconv.ParseUint(st.Mode, 8, 32)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, os.FileMode(mode))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if st.User != "" {
			// Owners that this system does not know belong to another distribution.
			_ = exec.Command("chown", st.User, file).Run()
		}
	}
}

// convert does "mailcheck dkim keygen DOMAIN --from A … --form rspamd --key B".
func (l *lab) convert(t *testing.T, line string) {
	t.Helper()
	w := strings.Fields(line)
	flag := func(name string) string {
		for i, x := range w {
			if x == name && i+1 < len(w) {
				return w[i+1]
			}
		}
		t.Fatalf("no %s in %q", name, line)
		return ""
	}
	k, _, err := keys.ReadFile(flag("--from"))
	if err != nil {
		t.Fatal(err)
	}
	if flag("--form") != "rspamd" {
		t.Fatalf("unknown form in %q", line)
	}
	if err := k.Create(flag("--key"), keys.FormBareKeyPair); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// start runs a daemon until the end of the test and waits for its port.
func start(t *testing.T, addr, name string, args ...string) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(5 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-exited
		}
	})
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("%s ended: %v\n%s", name, err, out.String())
		default:
		}
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			c.Close()
			return &out
		}
	}
	t.Fatalf("%s does not listen on %s\n%s", name, addr, out.String())
	return nil
}

func freeAddr(t *testing.T) (addr, port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return l.Addr().String(), port
}

// verified fails unless every key of the lab signed the message.
func (l *lab) verified(t *testing.T, signed string) {
	t.Helper()
	v, err := dkim.Verify(context.Background(), strings.NewReader(signed), l.zone, dkim.VerifyOptions{Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Signatures) != len(l.keys) {
		t.Errorf("%d signatures, want %d", len(v.Signatures), len(l.keys))
	}
	for _, k := range l.keys {
		found := false
		for _, s := range v.Signatures {
			found = found || s.Selector == k.Selector && s.Status == dkim.Pass
		}
		if !found {
			t.Errorf("no passing signature with selector %s: %+v\n%s", k.Selector, v.Signatures, signed)
		}
	}
}
