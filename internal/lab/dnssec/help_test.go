//go:build lab

// Package dnssec_test holds package resolve/dnssec against other validators: zones
// are signed with the tools of BIND and ldns, broken where the tools do not break
// them, and served by NSD; delv and unbound-host say what they make of them.
package dnssec_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

const (
	startTime = 20 * time.Second
	toolTime  = 30 * time.Second
)

// need returns the path of a program, or skips the test without it.
func need(t *testing.T, program string) string {
	t.Helper()
	path, ok := find(program)
	if !ok {
		t.Skipf("%s is not installed; internal/lab/run.sh does that when root", program)
	}
	return path
}

func find(program string) (string, bool) {
	if path, err := exec.LookPath(program); err == nil {
		return path, true
	}
	path := filepath.Join("/usr/sbin", program)
	_, err := os.Stat(path)
	return path, err == nil
}

// lab is a directory with zones and the tools that sign them.
type lab struct {
	t   *testing.T
	dir string

	files map[string]string // zone → signed file
	order []string
}

// command runs a tool in the directory and returns its output.
func (l *lab) command(program string, args ...string) string {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), toolTime)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, need(l.t, program), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = l.dir, &out, &errs
	if err := cmd.Run(); err != nil {
		l.t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, errs.String(), out.String())
	}
	return out.String()
}

func (l *lab) read(name string) string {
	l.t.Helper()
	b, err := os.ReadFile(filepath.Join(l.dir, name))
	if err != nil {
		l.t.Fatal(err)
	}
	return string(b)
}

func (l *lab) write(name, text string) {
	l.t.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// zone is one zone of the lab.
type zone struct {
	name  string
	alg   string // of dnssec-keygen; empty: unsigned
	ldns  bool   // signed with ldns-signzone, else with dnssec-signzone
	args  []string
	ds    string // "" for SHA-256, "1" or "4"; "none" or "wrong"
	spoil func(text string) string

	keys []string // base names of the key files
}

// makeKeys makes a key signing key and a zone signing key.
func (l *lab) makeKeys(z *zone) {
	if z.alg == "" {
		return
	}
	args := []string{"-a", z.alg}
	if strings.HasPrefix(z.alg, "RSA") {
		args = append(args, "-b", "2048")
	}
	for _, flag := range [][]string{{"-f", "KSK"}, nil} {
		out := l.command("dnssec-keygen", append(append(args[:len(args):len(args)], flag...), z.name)...)
		z.keys = append(z.keys, strings.TrimSpace(out))
	}
}

// dsOf returns the DS records for the parent.
func (l *lab) dsOf(z *zone) string {
	if z.alg == "" || z.ds == "none" {
		return ""
	}
	digest := "2"
	if z.ds == "1" || z.ds == "4" {
		digest = z.ds
	}
	text := l.command("dnssec-dsfromkey", "-a", map[string]string{"1": "SHA-1", "2": "SHA-256", "4": "SHA-384"}[digest], z.keys[0]+".key")
	if z.ds == "wrong" {
		end := strings.TrimSpace(text)
		last := "0"
		if strings.HasSuffix(end, "0") {
			last = "1"
		}
		text = end[:len(end)-1] + last + "\n"
	}
	return text
}

// sign writes the zone and signs it.
func (l *lab) sign(z *zone, records string) {
	l.t.Helper()
	file := "zone." + strings.TrimSuffix(z.name, ".")
	text := fmt.Sprintf("$ORIGIN %s\n$TTL 3600\n@ SOA ns.lab.test. hostmaster.lab.test. 1 7200 3600 1209600 300\n@ NS ns.lab.test.\n%s", z.name, records)
	l.order = append(l.order, z.name)
	l.files[z.name] = file
	if z.alg == "" {
		l.write(file, text)
		return
	}
	signed := file + ".signed"
	if z.ldns {
		l.write(file, text)
		args := append([]string{"-o", z.name, "-f", signed}, z.args...)
		l.command("ldns-signzone", append(append(args, file), z.keys...)...)
	} else {
		for _, k := range z.keys {
			text += l.read(k + ".key")
		}
		l.write(file, text)
		args := append([]string{"-P", "-O", "full", "-o", z.name, "-f", signed, "-k", z.keys[0]}, z.args...)
		l.command("dnssec-signzone", append(args, file, z.keys[1])...)
	}
	if z.spoil != nil {
		was := l.read(signed)
		now := z.spoil(was)
		if was == now {
			l.t.Fatalf("%s was not changed", z.name)
		}
		l.write(signed, now)
	}
	l.files[z.name] = signed
}

// dropLines leaves out the lines that match.
func dropLines(pattern string) func(string) string {
	re := regexp.MustCompile(pattern)
	return func(text string) string {
		var out []string
		for line := range strings.Lines(text) {
			if !re.MatchString(line) {
				out = append(out, line)
			}
		}
		return strings.Join(out, "")
	}
}

// serve starts NSD with all zones and returns its address.
func (l *lab) serve() string {
	l.t.Helper()
	path := need(l.t, "nsd")
	port := freePort(l.t)
	conf := fmt.Sprintf(`server:
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
`, port, l.dir)
	for _, name := range l.order {
		conf += fmt.Sprintf("zone:\n  name: %q\n  zonefile: %q\n", name, l.files[name])
	}
	l.write("nsd.conf", conf)
	return l.start(path, "nsd.conf", port)
}

// freePort is a port that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

// start runs a server for the time of the test and waits until it answers.
func (l *lab) start(path, conf string, port int) string {
	l.t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(path, "-d", "-c", filepath.Join(l.dir, conf))
	cmd.Dir, cmd.Stdout, cmd.Stderr = l.dir, &out, &out
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	l.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-exited
		}
	})
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	for end := time.Now().Add(startTime); ; time.Sleep(50 * time.Millisecond) {
		c, err := client.New(client.Options{Servers: []string{addr}, Timeout: time.Second})
		if err != nil {
			l.t.Fatal(err)
		}
		_, err = c.Resolve(l.t.Context(), resolve.Question{Name: resolve.Root, Type: resolve.TypeSOA})
		c.Close()
		if err == nil {
			return addr
		}
		select {
		case e := <-exited:
			exited <- e
			l.t.Fatalf("%s ended: %v\n%s", path, e, out.String())
		default:
		}
		if time.Now().After(end) {
			l.t.Fatalf("%s does not answer: %v\n%s", path, err, out.String())
		}
	}
}
