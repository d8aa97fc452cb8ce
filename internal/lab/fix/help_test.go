//go:build lab

// Package fix_test plays repairs against real name servers: BIND as the primary
// that takes signed updates, Knot DNS as a secondary that lags, NSD as a server
// that does not know the zone. The command is the one that users run.
package fix_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const (
	startTime = 20 * time.Second
	toolTime  = time.Minute

	keyText = `key "upd.example." { algorithm hmac-sha256; secret "c2VjcmV0IG9mIHRoZSB0ZXN0LCAzMiBvY3RldHMgbG9uZw=="; };` + "\n"
)

// mailcheck is the command, built once.
var mailcheck string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "mailcheck-lab-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	mailcheck = filepath.Join(dir, "mailcheck")
	build := exec.Command("go", "build", "-o", mailcheck, "../../../cmd/mailcheck")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func need(t *testing.T, program string) string {
	t.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	path := filepath.Join("/usr/sbin", program)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not installed; internal/lab/run.sh does that when root", program)
	}
	return path
}

// lab is a directory, and one port on several loopback addresses.
type lab struct {
	t    *testing.T
	dir  string
	port int
}

// newLab finds a port that is free on all the addresses.
func newLab(t *testing.T) *lab {
	t.Helper()
	for range 50 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		free := true
		for _, host := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"} {
			addr := net.JoinHostPort(host, strconv.Itoa(port))
			u, err := net.ListenPacket("udp", addr)
			if err == nil {
				u.Close()
			}
			c, err2 := net.Listen("tcp", addr)
			if err2 == nil {
				c.Close()
			}
			free = free && err == nil && err2 == nil
		}
		if free {
			dir := t.TempDir()
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			return &lab{t, dir, port}
		}
	}
	t.Fatal("no port is free on all addresses")
	return nil
}

func (l *lab) write(name, text string, mode os.FileMode) string {
	l.t.Helper()
	path := filepath.Join(l.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		l.t.Fatal(err)
	}
	return path
}

func (l *lab) at(host string) string { return net.JoinHostPort(host, strconv.Itoa(l.port)) }

// serve runs a server until the end of the test, and waits until it answers.
func (l *lab) serve(host, program string, args ...string) {
	l.t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = l.dir, &out, &out
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	l.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-exited
		}
		if l.t.Failed() {
			l.t.Logf("%s:\n%s", program, out.String())
		}
	})
	m := new(dns.Msg)
	m.SetQuestion("example.org.", dns.TypeSOA)
	for end := time.Now().Add(startTime); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		select {
		case <-exited:
			l.t.Fatalf("%s ended:\n%s", program, out.String())
		default:
		}
		if r, err := dns.Exchange(m, l.at(host)); err == nil && (len(r.Answer) > 0 || r.Rcode == dns.RcodeRefused) {
			return
		}
	}
	l.t.Fatalf("%s does not answer", program)
}

// primary runs BIND with the zones, which take updates signed with the key.
func (l *lab) primary(zones map[string]string) {
	l.t.Helper()
	named := need(l.t, "named")
	var b strings.Builder
	fmt.Fprintf(&b, `%soptions {
	directory %q;
	listen-on port %d { 127.0.0.1; };
	listen-on-v6 { none; };
	pid-file none;
	session-keyfile none;
	lock-file none;
	recursion no;
	dnssec-validation no;
	notify no;
	allow-transfer { 127.0.0.0/8; };
};
controls { };
`, keyText, l.dir, l.port)
	for zone, text := range zones {
		l.write("primary/"+zone+"db", text, 0o644)
		fmt.Fprintf(&b, "zone %q { type primary; file \"primary/%sdb\"; allow-update { key upd.example.; }; };\n", zone, zone)
	}
	l.serve("127.0.0.1", named, "-g", "-n", "1", "-c", l.write("named.conf", b.String(), 0o644))
}

// secondary runs Knot DNS, which hears of no change until it is told to transfer.
func (l *lab) secondary() (transfer func()) {
	l.t.Helper()
	knotd, knotc := need(l.t, "knotd"), need(l.t, "knotc")
	conf := l.write("knot.conf", fmt.Sprintf(`server:
  rundir: %[2]q
  listen: 127.0.0.2@%[1]d
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "%[2]s/knot"
log:
  - target: stderr
    any: warning
remote:
  - id: primary
    address: 127.0.0.1@%[1]d
    via: 127.0.0.1
acl:
  - id: transfer
    address: 127.0.0.0/8
    action: transfer
template:
  - id: default
    storage: "%[2]s/knot"
zone:
  - domain: example.org.
    master: primary
    acl: transfer
    zonefile-sync: -1
    refresh-min-interval: 3600
`, l.port, l.dir), 0o644)
	if err := os.Mkdir(filepath.Join(l.dir, "knot"), 0o755); err != nil {
		l.t.Fatal(err)
	}
	l.serve("127.0.0.2", knotd, "-c", conf)
	return func() {
		l.run(0, nil, knotc, "-b", "-c", conf, "zone-retransfer", "example.org.")
	}
}

// lame runs NSD, which knows none of the zones.
func (l *lab) lame() {
	l.t.Helper()
	l.write("other.zone", "other.test. 60 IN SOA ns.other.test. a.other.test. 1 60 60 60 60\nother.test. 60 IN NS ns.other.test.\n", 0o644)
	l.serve("127.0.0.3", need(l.t, "nsd"), "-d", "-c", l.write("nsd.conf", fmt.Sprintf(`server:
  server-count: 1
  ip-address: 127.0.0.3@%d
  do-ip6: no
  username: ""
  chroot: ""
  zonesdir: %q
  pidfile: ""
  database: ""
  xfrdfile: "%[2]s/xfrd.state"
  xfrdir: "%[2]s"
  zonelistfile: "%[2]s/zone.list"
remote-control:
  control-enable: no
zone:
  name: "other.test"
  zonefile: "other.zone"
`, l.port, l.dir), 0o644))
}

// run runs a program in the directory and wants its exit status.
func (l *lab) run(want int, in []byte, program string, args ...string) (stdout, stderr string) {
	l.t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = l.dir, bytes.NewReader(in), &out, &errs
	timer := time.AfterFunc(toolTime, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Run()
	code := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		code = e.ExitCode()
	} else if err != nil {
		l.t.Fatal(err)
	}
	if code != want {
		l.t.Fatalf("%s %s: exit status %d, want %d\n%s%s", filepath.Base(program), strings.Join(args, " "), code, want, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// cli runs mailcheck fix.
func (l *lab) cli(want int, args ...string) (stdout, stderr string) {
	l.t.Helper()
	return l.run(want, nil, mailcheck, append([]string{"fix"}, args...)...)
}

// servers are the flags by which apply, undo and verify find the zone's servers.
func (l *lab) servers() []string {
	return []string{"--resolver", l.at("127.0.0.1"), "--authoritative-port", strconv.Itoa(l.port)}
}

// by are the flags of those who write.
func (l *lab) by(server string) []string {
	return slices.Concat(l.servers(), []string{"--dns-server", server, "--tsig-key", l.write("upd.key", keyText, 0o600), "--yes"})
}

// nsupdate has the primary carry out a script.
func (l *lab) nsupdate(want int, script string) string {
	l.t.Helper()
	_, stderr := l.run(want, []byte(script), need(l.t, "nsupdate"), "-v", "-k", l.write("upd.key", keyText, 0o600))
	return stderr
}

// edit is somebody else's change.
func (l *lab) edit(lines string) {
	l.t.Helper()
	l.nsupdate(0, fmt.Sprintf("server 127.0.0.1 %d\n%s\nsend\n", l.port, lines))
}

// zone is all that a server has of a zone but the SOA, by a transfer.
func (l *lab) zone(host, name string) string {
	l.t.Helper()
	m := new(dns.Msg)
	m.SetAxfr(name)
	ch, err := new(dns.Transfer).In(m, l.at(host))
	if err != nil {
		l.t.Fatal(err)
	}
	var out []string
	for e := range ch {
		if e.Error != nil {
			l.t.Fatal(e.Error)
		}
		for _, rr := range e.RR {
			if rr.Header().Rrtype != dns.TypeSOA {
				out = append(out, rr.String())
			}
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), "\n") + "\n"
}
