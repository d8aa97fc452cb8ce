//go:build lab

// Package probe_test holds what package probe sees of a real mail server against
// what other programs see of it.
package probe_test

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/cert"
	"github.com/mailcheck-go/mailcheck/probe/probetest"
	"github.com/mailcheck-go/mailcheck/resolve"
)

const host = "mx.example.org"

// need skips the test without root or a program.
func need(t *testing.T, program string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: Exim gives up its rights to a user of its own")
	}
	for _, p := range []string{program, filepath.Join("/usr/sbin", program)} {
		if path, err := exec.LookPath(p); err == nil {
			return path
		}
	}
	t.Skipf("%s is not installed", program)
	return ""
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// exim starts the server with a certificate and returns its port and the files.
func exim(t *testing.T, path string, ca *probetest.CA, spec probetest.Spec) (port uint16, dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("/var/lib", "mailcheck-lab-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c, err := ca.Issue(spec)
	if err != nil {
		t.Fatal(err)
	}
	var chain strings.Builder
	for _, der := range c.Certificate {
		_ = pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cert.pem"), chain.String())
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	write(t, filepath.Join(dir, "ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Root.Raw})))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port = uint16(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	write(t, filepath.Join(dir, "exim.conf"), `
primary_hostname = `+host+`
spool_directory = `+dir+`/spool
log_file_path = `+dir+`/%slog
exim_user = Debian-exim
exim_group = Debian-exim
disable_ipv6 = true
tls_advertise_hosts = *
tls_certificate = `+dir+`/cert.pem
tls_privatekey = `+dir+`/key.pem
acl_smtp_rcpt = deny
begin acl
deny:
  deny
`)
	if out, err := exec.Command("sh", "-c", "mkdir -p "+dir+"/spool && chown Debian-exim:Debian-exim "+dir+" "+dir+"/spool && chmod 755 "+dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(path, "-C", filepath.Join(dir, "exim.conf"), "-bdf", "-oX", "127.0.0.1."+strconv.Itoa(int(port)))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 100 {
		if c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port)))); err == nil {
			c.Close()
			return port, dir
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("Exim does not listen")
	return 0, ""
}

// openssl verifies what the server shows, for the name or for TLSA records.
func openssl(t *testing.T, port uint16, dir string, args ...string) bool {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	all := append([]string{"s_client", "-starttls", "smtp", "-connect", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))),
		"-CAfile", filepath.Join(dir, "ca.pem"), "-servername", host, "-brief"}, args...)
	cmd := exec.Command(path, all...)
	cmd.Stdin = strings.NewReader("QUIT\r\n")
	out, _ := cmd.CombinedOutput()
	text := string(out)
	if !strings.Contains(text, "Verif") {
		t.Fatalf("openssl says nothing of the certificate: %s", text)
	}
	return strings.Contains(text, "Verification: OK") || strings.Contains(text, "Verified peername")
}

func TestExim(t *testing.T) {
	path := need(t, "exim4")
	ca, err := probetest.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, tt := range []struct {
		name string
		spec probetest.Spec
		want cert.State
	}{
		{"good", probetest.Spec{Names: []string{host}}, cert.Good},
		{"wildcard", probetest.Spec{Names: []string{"*.example.org"}}, cert.Good},
		{"wrong name", probetest.Spec{Names: []string{"www.example.net"}}, cert.Bad},
		{"expired", probetest.Spec{Names: []string{host}, From: now.AddDate(0, 0, -9), To: now.AddDate(0, 0, -1)}, cert.Bad},
		{"self-signed", probetest.Spec{Names: []string{host}, CommonName: host, SelfSigned: true}, cert.Bad},
		{"without its intermediate", probetest.Spec{Names: []string{host}, Bare: true}, cert.Bad},
	} {
		t.Run(tt.name, func(t *testing.T) {
			port, dir := exim(t, path, ca, tt.spec)
			a, err := probe.Address(t.Context(), resolve.MustName(host), netip.MustParseAddr("127.0.0.1"), probe.Port{Number: port},
				probe.Options{Roots: ca.Pool(), Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
			if err != nil || a.Secure != probe.Accepted || a.STARTTLS != resolve.Present || a.Certificate == nil {
				t.Fatalf("%+v, %v", a, err)
			}
			got := a.Certificate.OK()
			if theirs := openssl(t, port, dir, "-verify_hostname", host); got != tt.want || theirs != (got == cert.Good) {
				t.Errorf("we say %v, openssl %v, want %v (%+v)", got, theirs, tt.want, a.Certificate)
			}
			compareDANE(t, a, port, dir)
		})
	}
}

// compareDANE holds the right and a wrong record against the server.
func compareDANE(t *testing.T, a probe.Attempt, port uint16, dir string) {
	t.Helper()
	rec, err := dane.Material{Certificate: a.TLS.Chain[0], PublicKey: a.TLS.Chain[0].RawSubjectPublicKeyInfo}.Record(dane.Params{Usage: dane.DANEEE, Selector: dane.SPKI, Matching: dane.SHA256})
	if err != nil {
		t.Fatal(err)
	}
	wrong := rec
	wrong.Data = append([]byte{rec.Data[0] ^ 1}, rec.Data[1:]...)
	for _, x := range []struct {
		r    dane.Record
		want dane.Verdict
	}{{rec, dane.Authenticated}, {wrong, dane.Failed}} {
		set := dane.Set{Host: resolve.MustName(host), Base: resolve.MustName(host), State: resolve.Present, Security: dane.Secure, Addresses: dane.Secure, Records: []dane.Record{x.r}}
		got := dane.Verify(set, a.TLS.Chain, []resolve.Name{set.Base}, time.Now()).Verdict
		theirs := openssl(t, port, dir, "-dane_tlsa_domain", host, "-dane_tlsa_rrdata", "3 1 1 "+hex.EncodeToString(x.r.Data), "-dane_ee_no_namechecks")
		if got != x.want || theirs != (got == dane.Authenticated) {
			t.Errorf("%s: we say %v, openssl %v, want %v", x.r, got, theirs, x.want)
		}
		postfix(t, x.r, port, dir, x.want == dane.Authenticated)
	}
}

// postfix asks posttls-finger, where it is installed, whether a certificate with
// the digest is the one that the server shows.
func postfix(t *testing.T, r dane.Record, port uint16, _ string, want bool) {
	t.Helper()
	path, err := exec.LookPath("posttls-finger")
	if err != nil {
		return
	}
	digest := strings.ToUpper(hex.EncodeToString(r.Data))
	var pairs []string
	for i := 0; i < len(digest); i += 2 {
		pairs = append(pairs, digest[i:i+2])
	}
	out, _ := exec.Command(path, "-c", "-l", "fingerprint", "-d", "sha256", "[127.0.0.1]:"+strconv.Itoa(int(port)), strings.Join(pairs, ":")).CombinedOutput()
	if got := strings.Contains(string(out), "Verified TLS connection"); got != want {
		t.Errorf("posttls-finger says %v, want %v: %s", got, want, out)
	}
}
