//go:build lab

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

const (
	startTime = 20 * time.Second // for a server to load its zone and answer
	portTries = 3                // a free port can be taken before the server opens it
)

// errEnded is a server that gave up, such as for a port taken in the meantime.
var errEnded = errors.New("it ended before it answered")

// program finds a server; Debian has them in /usr/sbin, which is not in the
// path of every user.
func program(name string) (string, bool) {
	if p, err := exec.LookPath(name); err == nil {
		return p, true
	}
	p := filepath.Join("/usr/sbin", name)
	_, err := os.Stat(p)
	return p, err == nil
}

// freePort finds a port that is free for UDP and TCP.
func freePort(t *testing.T) int {
	t.Helper()
	for range 50 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		l.Close()
		if err == nil {
			u.Close()
			return port
		}
	}
	t.Fatal("no port is free for UDP and TCP")
	return 0
}

// serverKind says how to run one kind of server in the foreground, without
// privileges, on one loopback port, with all of its files in dir.
type serverKind struct {
	program string
	config  func(dir string, port int) string
	args    func(conf string) []string
}

var nsd = serverKind{
	program: "nsd",
	config: func(dir string, port int) string {
		return fmt.Sprintf(`server:
  server-count: 1
  ip-address: 127.0.0.1@%d
  do-ip6: no
  username: ""
  chroot: ""
  zonesdir: %q
  pidfile: ""
  database: ""
  xfrdfile: "%[2]s/xfrd.state"
  xfrdir: "%[2]s"
  zonelistfile: "%[2]s/zone.list"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: "world.zone"
`, port, dir)
	},
	args: func(conf string) []string { return []string{"-d", "-c", conf} },
}

var knot = serverKind{
	program: "knotd",
	config: func(dir string, port int) string {
		return fmt.Sprintf(`server:
  rundir: %[2]q
  listen: 127.0.0.1@%[1]d
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: %[2]q
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: %[2]q
    semantic-checks: off
    zonefile-sync: -1
    journal-content: none
zone:
  - domain: .
    file: world.zone
`, port, dir)
	},
	args: func(conf string) []string { return []string{"-c", conf} },
}

// unbound is a recursive resolver whose whole world is one authoritative server.
func unbound(authority string) serverKind {
	host, port, _ := net.SplitHostPort(authority)
	return serverKind{
		program: "unbound",
		config: func(dir string, listen int) string {
			return fmt.Sprintf(`server:
  directory: %[2]q
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  log-time-ascii: no
  interface: 127.0.0.1@%[1]d
  port: %[1]d
  num-threads: 1
  do-ip6: no
  do-daemonize: no
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  module-config: "iterator"
  qname-minimisation: no
  minimal-responses: yes
  local-zone: "test." nodefault
  local-zone: "invalid." nodefault
  jostle-timeout: 2000
remote-control:
  control-enable: no
stub-zone:
  name: "."
  stub-addr: %[3]s@%[4]s
`, listen, dir, host, port)
		},
		args: func(conf string) []string { return []string{"-d", "-c", conf} },
	}
}

// start runs a server for the time of the test and returns its address. It
// skips the test when the server is not installed.
func (k serverKind) start(t *testing.T, zone string) string {
	t.Helper()
	path, ok := program(k.program)
	if !ok {
		t.Skipf("%s is not installed; internal/lab/run.sh does that when root", k.program)
	}
	var log string
	for range portTries {
		addr, out, err := k.try(t, path, zone)
		if err == nil {
			return addr
		}
		if log = fmt.Sprintf("%v\n%s", err, out); !errors.Is(err, errEnded) {
			break
		}
	}
	t.Fatalf("%s does not start: %s", k.program, log)
	return ""
}

func (k serverKind) try(t *testing.T, path, zone string) (string, string, error) {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	conf := filepath.Join(dir, "server.conf")
	for name, text := range map[string]string{"world.zone": zone, "server.conf": k.config(dir, port)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	cmd := exec.Command(path, k.args(conf)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
	if err := cmd.Start(); err != nil {
		return "", "", err
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	stop := func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-exited
		}
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	ready := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	go func() { ready <- answering(ctx, addr) }()
	select {
	case err := <-exited:
		return "", out.String(), fmt.Errorf("%w: %v", errEnded, err)
	case err := <-ready:
		if err != nil {
			stop()
			return "", out.String(), err
		}
	}
	t.Cleanup(stop)
	return addr, "", nil
}

// answering waits until the server answers for the root.
func answering(ctx context.Context, addr string) error {
	for {
		c, err := client.New(client.Options{Servers: []string{addr}, Timeout: time.Second})
		if err != nil {
			return err
		}
		_, err = c.Resolve(ctx, resolve.Question{Name: resolve.Root, Type: resolve.TypeSOA})
		c.Close()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
