//go:build lab

// Package mail_test proves the sending and receiving of probes with real mail
// systems: Exim takes them, alters them, forwards them and delivers them to a
// maildir, and rspamd says what is spam.
package mail_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/probe/listen"
	"github.com/mailcheck-go/mailcheck/probe/send"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var key = ed25519.NewKeyFromSeed([]byte("0123456789abcdef0123456789abcdef"))

// world is what both sides see: 127.0.0.2 may send for a.test, 127.0.0.1 may not.
var world = zonetest.MustParse(`
a.test. 60 IN TXT "v=spf1 ip4:127.0.0.2 -all"
_dmarc.a.test. 60 IN TXT "v=DMARC1; p=reject"
s1._domainkey.a.test. 60 IN TXT "v=DKIM1; k=ed25519; p=` + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)) + `"
b.test. 60 IN MX 10 mx.b.test.
mx.b.test. 60 IN A 127.0.0.1
final.test. 60 IN MX 10 mx.final.test.
mx.final.test. 60 IN A 127.0.0.1
`)

// need skips the test without root or without a program.
func need(t *testing.T, programs ...string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, as the mail systems change to users of their own")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// buffer is what a daemon says, while it says it.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) { b.mu.Lock(); defer b.mu.Unlock(); return b.b.Write(p) }
func (b *buffer) String() string              { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

// start runs a daemon until the test ends, and returns when it listens.
func start(t *testing.T, port, name string, args ...string) *buffer {
	t.Helper()
	out := &buffer{}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(5 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-exited
		}
	})
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			c.Close()
			return out
		}
		select {
		case <-exited:
			t.Fatalf("%s ended\n%s", name, out)
		default:
		}
	}
	t.Fatalf("%s does not listen\n%s", name, out)
	return nil
}

// exim is a running Exim that takes mail for b.test.
type exim struct {
	dir, port, maildir string
}

// newExim starts one with routers and transports of the test. DIR stands for its
// directory.
func newExim(t *testing.T, routers, transports string) *exim {
	t.Helper()
	dir, err := os.MkdirTemp("/var/lib", "mailcheck-lab-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	e := &exim{dir: dir, port: freePort(t), maildir: filepath.Join(dir, "Maildir")}
	for _, d := range []string{"spool", "log", "Maildir/new", "Maildir/cur", "Maildir/tmp", "Maildir/.Junk/new", "Maildir/.Junk/cur", "Maildir/.Junk/tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := listen.SelfSigned("mx.b.test", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	writeCert(t, dir, cert)
	conf := filepath.Join(dir, "exim.conf")
	exim, err := exec.LookPath("exim4")
	if err != nil {
		t.Fatal(err)
	}
	write(t, conf, strings.ReplaceAll(`primary_hostname = mx.b.test
exim_path = `+exim+`
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
exim_user = Debian-exim
exim_group = Debian-exim
disable_ipv6 = true
local_interfaces = 127.0.0.1
daemon_smtp_ports = `+e.port+`
tls_advertise_hosts = *
tls_certificate = DIR/cert.pem
tls_privatekey = DIR/key.pem
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
host_lookup =
acl_smtp_rcpt = take
acl_smtp_data = take
begin acl
take:
  accept
begin routers
`+routers+`
begin transports
`+transports+`
begin retry
* * F,1m,1m
`, "DIR", dir), 0o644)
	run(t, "chown", "-R", "Debian-exim:Debian-exim", dir)
	run(t, "chown", "root:root", conf)
	start(t, e.port, "exim4", "-C", conf, "-bdf", "-oP", filepath.Join(dir, "pid"))
	return e
}

func writeCert(t *testing.T, dir string, c *tls.Certificate) {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(c.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})), 0o644)
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})), 0o600)
}

func (e *exim) log() string {
	main, _ := os.ReadFile(filepath.Join(e.dir, "log", "mainlog"))
	panics, _ := os.ReadFile(filepath.Join(e.dir, "log", "paniclog"))
	return string(main) + string(panics)
}

// options send to Exim, from 127.0.0.2.
func (e *exim) options() send.Options {
	return send.Options{
		Resolver: world, Name: "mail.a.test", Ledger: &send.Ledger{}, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Sign: &dkim.SignOptions{Domain: resolve.MustName("a.test"), Selector: "s1", Key: key},
		Dial: dialer(e.port),
	}
}

func dialer(port string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
		return d.DialContext(ctx, network, "127.0.0.1:"+port)
	}
}

// listener takes mail for final.test.
func listener(t *testing.T) (address, port string, mails chan listen.Mail) {
	t.Helper()
	mails = make(chan listen.Mail, 1)
	l, err := listen.New(listen.Options{Domain: resolve.MustName("final.test"), Host: "mx.final.test", Deliver: func(m listen.Mail) { mails <- m }})
	if err != nil {
		t.Fatal(err)
	}
	if address, err = l.Issue(""); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return address, strconv.Itoa(ln.Addr().(*net.TCPAddr).Port), mails
}

func take(t *testing.T, e *exim, mails chan listen.Mail) listen.Mail {
	t.Helper()
	select {
	case m := <-mails:
		return m
	case <-time.After(20 * time.Second):
		t.Fatalf("no mail came\n%s", e.log())
		return listen.Mail{}
	}
}
