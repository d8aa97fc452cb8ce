//go:build story

package story

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Times after which something is wrong with the machine, not with mailcheck.
const (
	startTime   = 60 * time.Second
	commandTime = 3 * time.Minute
)

// wire is the bridge that all machines stand on.
const wire = "wire0"

// world is all machines of the story.
type world struct {
	t     *testing.T // the act that is played; play sets it
	dir   string
	hosts map[string]*host
	log   io.Writer // the transcript

	mu     sync.Mutex
	dns    *nameServers
	mail   *mailHosts
	ca     *authority
	caFile string // the certificate of the authority that all machines trust
}

// host is one machine: the namespaces that its first process holds.
type host struct {
	w       *world
	name    string // host name, fully-qualified without the last dot
	ip4     string
	ip6     string // empty: none
	dir     string // seen by all machines; of this one by convention
	pid     int
	daemons []*daemon
}

// daemon is a server in the foreground and what it said.
type daemon struct {
	host   *host
	name   string
	cmd    *exec.Cmd
	out    *lockedBuffer
	exited chan struct{}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newWorld lays the wire. It has to run in namespaces of its own, as run.sh
// arranges: what it makes would otherwise stay on the machine.
func newWorld(t *testing.T) *world {
	t.Helper()
	if os.Getenv("STORY_OUTER") != "1" {
		t.Fatal(`the story makes networks and mounts: run it with "make story"`)
	}
	w := &world{t: t, hosts: map[string]*host{}, log: io.Discard}
	w.dir = t.TempDir()
	// In memory, and on a file system that an overlay can stand on whatever /tmp is.
	w.must("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", w.dir)
	w.must("ip", "link", "set", "lo", "up")
	w.must("ip", "link", "add", wire, "type", "bridge")
	w.must("ip", "link", "set", wire, "up")
	if path := os.Getenv("STORY_TRANSCRIPT"); path != "" {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		w.log = f
	}
	t.Cleanup(w.stop)
	return w
}

// must runs a program outside of the machines.
func (w *world) must(args ...string) string {
	w.t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// play runs one act with the world's failures reported there. The story ends with
// the first act that fails: the next ones build on it.
func (w *world) play(name string, act func(t *testing.T)) {
	outer := w.t
	outer.Helper()
	ok := outer.Run(name, func(t *testing.T) {
		w.t = t
		defer func() { w.t = outer }()
		fmt.Fprintf(w.log, "\n## %s\n", name)
		act(t)
	})
	if !ok {
		outer.FailNow()
	}
}

// stop ends what still runs, for the messages of the servers alone; the
// processes would end with the namespaces.
func (w *world) stop() {
	for _, h := range w.hosts {
		for _, d := range h.daemons {
			if w.t.Failed() {
				w.t.Logf("%s on %s said:\n%s", d.name, h.name, last(d.out.String(), 6000))
			}
			d.stop()
		}
		_ = syscall.Kill(h.pid, syscall.SIGKILL)
	}
	time.Sleep(100 * time.Millisecond)
	_ = exec.Command("umount", "-l", w.dir).Run()
}

func last(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return "... " + s[len(s)-n:]
}

// host starts a machine and connects it. The name is the one it has in its own
// eyes; ip6 may be empty.
func (w *world) host(name, ip4, ip6 string) *host {
	w.t.Helper()
	h := &host{w: w, name: name, ip4: ip4, ip6: ip6, dir: filepath.Join(w.dir, name)}
	for _, d := range []string{h.dir, filepath.Join(h.dir, "layers")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			w.t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "STORY_INIT="+name, "STORY_DIR="+filepath.Join(h.dir, "layers"))
	var out lockedBuffer
	cmd.Stderr = &out
	ready, err := cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	h.pid = cmd.Process.Pid
	if line, _ := io.ReadAll(io.LimitReader(ready, 6)); string(line) != "ready\n" {
		w.t.Fatalf("machine %s does not start: %s", name, out.String())
	}
	// The name of a link has at most 15 octets.
	link := fmt.Sprintf("v%d", len(w.hosts))
	w.must("ip", "link", "add", link, "master", wire, "type", "veth", "peer", "name", "eth0", "netns", fmt.Sprint(h.pid))
	w.must("ip", "link", "set", link, "up")
	h.must("ip", "link", "set", "lo", "up")
	h.must("ip", "addr", "add", ip4+"/32", "dev", "eth0")
	if ip6 != "" {
		h.must("ip", "addr", "add", ip6+"/128", "dev", "eth0", "nodad")
	}
	h.must("ip", "link", "set", "eth0", "up")
	// Everybody is on the same wire, whatever the network: no router is needed.
	h.must("ip", "route", "add", "default", "dev", "eth0")
	if ip6 != "" {
		h.must("ip", "-6", "route", "add", "default", "dev", "eth0")
	}
	h.write("/etc/hostname", name+"\n", 0o644)
	h.write("/etc/mailname", name+"\n", 0o644)
	h.write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n", 0o644)
	h.write("/etc/resolv.conf", "nameserver "+resolverIP+"\noptions timeout:5 attempts:2\n", 0o644)
	w.hosts[name] = h
	return h
}

// command prepares a program to run on the machine.
func (h *host) command(args ...string) *exec.Cmd {
	return h.commandContext(context.Background(), args...)
}

func (h *host) commandContext(ctx context.Context, args ...string) *exec.Cmd {
	in := []string{"-t", fmt.Sprint(h.pid), "-n", "-m", "-u", "-p", "-i", "--wd=" + h.dir}
	cmd := exec.CommandContext(ctx, "nsenter", append(in, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/root", "LANG=C.UTF-8", "TZ=UTC"}
	return cmd
}

// run runs a program on the machine, in the machine's directory, and wants its
// exit status. It is written into the transcript with what it printed.
func (h *host) run(want int, in []byte, args ...string) (stdout, stderr string) {
	h.w.t.Helper()
	stdout, stderr, code := h.try(in, args...)
	if code != want {
		h.w.t.Fatalf("%s# %s: exit status %d, want %d\n%s%s", h.name, strings.Join(args, " "), code, want, stdout, stderr)
	}
	return stdout, stderr
}

// try is run without a wish.
func (h *host) try(in []byte, args ...string) (stdout, stderr string, code int) {
	h.w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := h.commandContext(ctx, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &errs
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		code = e.ExitCode()
	} else if err != nil {
		h.w.t.Fatalf("%s# %s: %v", h.name, strings.Join(args, " "), err)
	}
	h.w.mu.Lock()
	fmt.Fprintf(h.w.log, "\n%s# %s\n%s%s[%d]\n", h.name, quoted(args), out.String(), errs.String(), code)
	h.w.mu.Unlock()
	return out.String(), errs.String(), code
}

// must is for preparations: they are not part of the story.
func (h *host) must(args ...string) string {
	h.w.t.Helper()
	out, err := h.command(args...).CombinedOutput()
	if err != nil {
		h.w.t.Fatalf("%s# %s: %v\n%s", h.name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// sh runs lines of shell as they are printed for an admin.
func (h *host) sh(lines string) string {
	h.w.t.Helper()
	out, errs := h.run(0, nil, "sh", "-ec", lines)
	return out + errs
}

// mailcheck runs the command under test on the machine.
func (h *host) mailcheck(want int, args ...string) (stdout, stderr string) {
	h.w.t.Helper()
	return h.run(want, nil, append([]string{"mailcheck"}, args...)...)
}

// write writes a file of the machine, whose /etc, /var, /run and /root are its own.
func (h *host) write(path, text string, mode os.FileMode) string {
	h.w.t.Helper()
	if !filepath.IsAbs(path) {
		path = filepath.Join(h.dir, path)
	}
	cmd := h.command("sh", "-ec", `mkdir -p "$(dirname "$1")"; cat >"$1"; chmod "$2" "$1"`, "sh", path, fmt.Sprintf("%o", mode))
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		h.w.t.Fatalf("%s: %s: %v %s", h.name, path, err, out)
	}
	return path
}

// add writes lines at the end of a file.
func (h *host) add(path, text string) {
	h.w.t.Helper()
	cmd := h.command("sh", "-ec", `cat >>"$1"`, "sh", path)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		h.w.t.Fatalf("%s: %s: %v %s", h.name, path, err, out)
	}
}

// read is a file of the machine.
func (h *host) read(path string) string {
	h.w.t.Helper()
	return h.must("cat", path)
}

// daemon runs a server in the foreground until the end, or until stop.
func (h *host) daemon(args ...string) *daemon {
	h.w.t.Helper()
	d := &daemon{host: h, name: filepath.Base(args[0]), out: &lockedBuffer{}, exited: make(chan struct{})}
	d.cmd = h.command(args...)
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.out
	d.cmd.WaitDelay = 5 * time.Second // its children may keep the pipe
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.cmd.Start(); err != nil {
		h.w.t.Fatal(err)
	}
	go func() { _ = d.cmd.Wait(); close(d.exited) }()
	h.daemons = append(h.daemons, d)
	return d
}

// stop ends the server. nsenter passes no signals on, so its child gets it too.
func (d *daemon) stop() {
	h := d.host
	h.daemons = slices.DeleteFunc(slices.Clone(h.daemons), func(o *daemon) bool { return o == d })
	_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-d.exited:
	case <-time.After(10 * time.Second):
		_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		<-d.exited
	}
}

// listens waits until a TCP port of the machine takes connections.
func (h *host) listens(address string) {
	h.w.t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		h.w.t.Fatal(err)
	}
	h.wait("a server at "+address, func() bool {
		return h.command("bash", "-c", "exec 3<>/dev/tcp/"+host+"/"+port).Run() == nil
	})
}

// wait waits until something is so.
func (h *host) wait(what string, so func() bool) {
	h.w.t.Helper()
	for end := time.Now().Add(startTime); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if so() {
			return
		}
		for _, d := range h.daemons {
			select {
			case <-d.exited:
				h.w.t.Fatalf("%s: %s ended", h.name, d.name)
			default:
			}
		}
	}
	h.w.t.Fatalf("%s: waited in vain for %s", h.name, what)
}

// quoted is a command line as one types it.
func quoted(args []string) string {
	var b strings.Builder
	for i, a := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		if a == "" || strings.ContainsAny(a, " \n\"'$;&|<>()*?\\#~") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		b.WriteString(a)
	}
	return b.String()
}
