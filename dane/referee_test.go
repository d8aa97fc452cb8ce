package dane

import (
	"bytes"
	"crypto/x509"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// TestReferee lets OpenSSL, which Postfix and Exim verify with, judge the same
// records and chains: a verdict that differs is a failure. It runs when asked for.
func TestReferee(t *testing.T) {
	if os.Getenv("MAILCHECK_REFEREE") == "" {
		t.Skip("set MAILCHECK_REFEREE=1 to compare with the openssl command")
	}
	save := testNow
	testNow = time.Now() // the command knows no other time
	defer func() { testNow = save }()
	p := newPKI(t, nil)
	expired := newPKI(t, func(c *x509.Certificate) { c.NotAfter = testNow.Add(-time.Hour) })
	wrong := newPKI(t, func(c *x509.Certificate) { c.DNSNames = []string{"other.example"} })
	wild := newPKI(t, func(c *x509.Certificate) { c.DNSNames = []string{"*.example.org"} })
	common := newPKI(t, func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, "mx.example.org" })
	var self, selfCA pki
	self.leaf, self.key = issue(t, nil, nil, func(c *x509.Certificate) { c.DNSNames = []string{"mx.example.org"} })
	selfCA.leaf, selfCA.key = issue(t, nil, nil, func(c *x509.Certificate) {
		c.DNSNames, c.IsCA, c.BasicConstraintsValid = []string{"mx.example.org"}, true, true
	})
	for _, ps := range []string{"3 1 1", "3 0 1", "3 1 2", "3 0 0", "3 1 0"} {
		referee(t, ps, p, 3, rec(t, p.leaf, ps))
		referee(t, ps+" expired", expired, 3, rec(t, expired.leaf, ps))
		referee(t, ps+" wrong name", wrong, 3, rec(t, wrong.leaf, ps))
		referee(t, ps+" of another", p, 3, rec(t, wrong.leaf, ps))
	}
	for _, ps := range []string{"2 0 1", "2 1 1", "2 0 2", "2 0 0", "2 1 0"} {
		referee(t, ps+" issuer", p, 3, rec(t, p.sub, ps))
		referee(t, ps+" root", p, 3, rec(t, p.root, ps))
		referee(t, ps+" root not sent", p, 2, rec(t, p.root, ps))
		referee(t, ps+" issuer not sent", p, 1, rec(t, p.sub, ps))
		referee(t, ps+" leaf", p, 3, rec(t, p.leaf, ps))
		referee(t, ps+" of another", p, 3, rec(t, wrong.sub, ps))
		referee(t, ps+" expired", expired, 3, rec(t, expired.sub, ps))
		referee(t, ps+" wrong name", wrong, 3, rec(t, wrong.sub, ps))
		referee(t, ps+" wildcard", wild, 3, rec(t, wild.sub, ps))
		referee(t, ps+" common name", common, 3, rec(t, common.sub, ps))
		referee(t, ps+" self-signed leaf", self, 1, rec(t, self.leaf, ps))
		referee(t, ps+" self-signed issuer as leaf", selfCA, 1, rec(t, selfCA.leaf, ps))
	}
	referee(t, "both digests", p, 3, rec(t, p.leaf, "3 1 1"), rec(t, p.leaf, "3 1 2"))
	referee(t, "stale stronger digest", p, 3, rec(t, p.leaf, "3 1 1"), bent(rec(t, p.leaf, "3 1 2")))
	referee(t, "in full beside a digest", p, 3, rec(t, p.leaf, "3 1 0"), bent(rec(t, p.leaf, "3 1 2")))
	referee(t, "per selector", p, 3, rec(t, p.leaf, "3 1 1"), bent(rec(t, p.leaf, "3 0 2")))
	referee(t, "per usage", p, 3, rec(t, p.leaf, "3 1 1"), bent(rec(t, p.sub, "2 1 2")))
	referee(t, "rollover", p, 3, bent(rec(t, p.leaf, "3 1 1")), rec(t, p.leaf, "3 1 1"))
	referee(t, "either", wrong, 3, rec(t, wrong.sub, "2 0 1"), rec(t, wrong.leaf, "3 1 1"))
}

// referee serves the first certificates of a chain and compares the verdicts.
func referee(t *testing.T, name string, p pki, sent int, records ...Record) {
	t.Helper()
	chain := []*x509.Certificate{p.leaf, p.sub, p.root}[:sent]
	key, err := x509.MarshalECPrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	var rest bytes.Buffer
	for _, c := range chain[1:] {
		rest.Write(block("CERTIFICATE", c.Raw))
	}
	dir := t.TempDir()
	for file, data := range map[string][]byte{"key": block("EC PRIVATE KEY", key), "cert": block("CERTIFICATE", p.leaf.Raw), "chain": rest.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	args := []string{"s_server", "-accept", address, "-cert", filepath.Join(dir, "cert"), "-key", filepath.Join(dir, "key"), "-quiet"}
	if sent > 1 {
		args = append(args, "-cert_chain", filepath.Join(dir, "chain"))
	}
	server := exec.Command("openssl", append(args, "-no-CAfile", "-no-CApath", "-no-CAstore")...)
	if err := server.Start(); err != nil {
		t.Skip(err)
	}
	defer func() { server.Process.Kill(); server.Wait() }()
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	args = []string{"s_client", "-connect", address, "-dane_tlsa_domain", mx.String(), "-dane_ee_no_namechecks", "-no-CAfile", "-no-CApath", "-no-CAstore"}
	for _, r := range records {
		args = append(args, "-dane_tlsa_rrdata", r.String())
	}
	client := exec.Command("openssl", args...)
	client.Stdin = strings.NewReader("Q\n")
	out, _ := client.CombinedOutput()
	if !strings.Contains(string(out), "CONNECTED") {
		t.Fatalf("%s: no connection:\n%s", name, out)
	}
	theirs := strings.Contains(string(out), "Verification: OK")
	ours := Verify(Set{Security: Secure, Records: records}, chain, []resolve.Name{mx}, testNow)
	if theirs != (ours.Verdict == Authenticated) {
		t.Errorf("%s: openssl says %t, we say %s: %+v", name, theirs, ours.Verdict, ours.Records)
	}
}
