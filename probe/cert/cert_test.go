package cert_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/probe/cert"
	"github.com/mailcheck-go/mailcheck/probe/probetest"
)

const host = "mx.example.org"

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func authority(t *testing.T) *probetest.CA {
	t.Helper()
	ca, err := probetest.NewCA(now)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// presented is the chain that a host with the certificate sends.
func presented(t *testing.T, c *tls.Certificate, err error) []*x509.Certificate {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var out []*x509.Certificate
	for _, der := range c.Certificate {
		x, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}

// problems lists chain, name, time and key, "-" for good.
func problems(v cert.Verdict) string {
	var out []string
	for _, c := range []cert.Check{v.Chain, v.Name, v.Time, v.Key} {
		p := string(c.Problem)
		if (c.State == cert.Good) != (p == "") {
			p = "INCONSISTENT " + p
		}
		if p == "" {
			p = "-"
		}
		out = append(out, p)
	}
	return strings.Join(out, " ")
}

// TestJudge: each defect is seen alone, and beside others (RFC 5280, Section 6;
// RFC 9525, Section 6).
func TestJudge(t *testing.T) {
	ca := authority(t)
	day := func(n int) time.Time { return now.AddDate(0, 0, n) }
	names := []string{host}
	cases := []struct {
		name string
		spec probetest.Spec
		want string // chain, name, time, key
		ok   cert.State
	}{
		{"good", probetest.Spec{Names: names}, "- - - -", cert.Good},
		{"good RSA", probetest.Spec{Names: names, RSA: 2048}, "- - - -", cert.Good},
		{"wildcard", probetest.Spec{Names: []string{"*.example.org"}}, "- - - -", cert.Good},
		{"case", probetest.Spec{Names: []string{"MX.Example.ORG"}}, "- - - -", cert.Good},
		{"wildcard of two labels", probetest.Spec{Names: []string{"*.org"}}, "- name-mismatch - -", cert.Bad},
		{"partial wildcard", probetest.Spec{Names: []string{"m*.example.org"}}, "- name-mismatch - -", cert.Bad},
		{"wrong name", probetest.Spec{Names: []string{"other.example.org"}}, "- name-mismatch - -", cert.Bad},
		{"address only", probetest.Spec{Names: []string{"192.0.2.1"}}, "- name-mismatch - -", cert.Bad},
		{"common name only", probetest.Spec{CommonName: host}, "- no-names - -", cert.Bad},
		{"expired", probetest.Spec{Names: names, From: day(-90), To: day(-1)}, "- - expired -", cert.Bad},
		{"not yet", probetest.Spec{Names: names, From: day(1), To: day(90)}, "- - not-yet-valid -", cert.Bad},
		{"expired, wrong name", probetest.Spec{Names: []string{"x.example"}, From: day(-90), To: day(-1)}, "- name-mismatch expired -", cert.Bad},
		{"self-signed", probetest.Spec{Names: names, SelfSigned: true}, "self-signed - - -", cert.Bad},
		{"all wrong", probetest.Spec{Names: []string{"x.example"}, From: day(-90), To: day(-1), SelfSigned: true, RSA: 1024},
			"self-signed name-mismatch expired weak-key", cert.Bad},
		{"no intermediate", probetest.Spec{Names: names, Bare: true}, "incomplete - - -", cert.Bad},
		{"no intermediate, expired", probetest.Spec{Names: names, Bare: true, From: day(-90), To: day(-1)}, "incomplete - expired -", cert.Bad},
		{"weak key", probetest.Spec{Names: names, RSA: 1024}, "- - - weak-key", cert.Good},
		{"client only", probetest.Spec{Names: names, Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, "not-for-servers - - -", cert.Bad},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			issued, err := ca.Issue(c.spec)
			v := cert.Judge(presented(t, issued, err), host, ca.Pool(), now)
			if got := problems(v); got != c.want {
				t.Errorf("got  %s\nwant %s\n%+v", got, c.want, v)
			}
			if v.OK() != c.ok {
				t.Errorf("OK = %s, want %s", v.OK(), c.ok)
			}
		})
	}
}

func TestUntrusted(t *testing.T) {
	ca, other := authority(t), authority(t)
	issued, err := ca.Issue(probetest.Spec{Names: []string{host}})
	chain := presented(t, issued, err)
	if got := problems(cert.Judge(chain, host, other.Pool(), now)); got != "incomplete - - -" {
		t.Errorf("a root that is not sent: %s", got)
	}
	v := cert.Judge(append(chain, ca.Root), host, other.Pool(), now)
	if got := problems(v); got != "untrusted-root - - -" {
		t.Errorf("a root that is sent: %s", got)
	}
	if !strings.Contains(v.Chain.Detail, `"CN=Test Root"`) {
		t.Errorf("the root is not named: %s", v.Chain.Detail)
	}
	if got := problems(cert.Judge(nil, host, ca.Pool(), now)); got != strings.Repeat(" no-certificate", 4)[1:] {
		t.Errorf("nothing: %s", got)
	}
	// A host may send the chain out of order, with strangers in between.
	shuffled := []*x509.Certificate{chain[0], other.Root, other.Intermediate, chain[1]}
	if got := problems(cert.Judge(shuffled, host, ca.Pool(), now)); got != "- - - -" {
		t.Errorf("out of order: %s", got)
	}
}

// TestIssuerExpired: the host's certificate outlives the one above it.
func TestIssuerExpired(t *testing.T) {
	ca := authority(t)
	issued, err := ca.Issue(probetest.Spec{Names: []string{host}, To: now.AddDate(20, 0, 0)})
	chain := presented(t, issued, err)
	later := now.AddDate(6, 0, 0)
	if got := problems(cert.Judge(chain, host, ca.Pool(), later)); got != "- - issuer-expired -" {
		t.Errorf("six years later: %s", got)
	}
	if got := problems(cert.Judge(chain, host, ca.Pool(), now.AddDate(21, 0, 0))); got != "- - expired -" {
		t.Errorf("when both are expired the host's own is named: %s", got)
	}
}

// TestNameConstraint: an authority may only issue for its own domain (RFC 5280,
// Section 4.2.1.10).
func TestNameConstraint(t *testing.T) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	make := func(tpl, parent *x509.Certificate) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, tpl, parent, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		c, _ := x509.ParseCertificate(der)
		return c
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "R"}, NotBefore: now.AddDate(-1, 0, 0),
		NotAfter: now.AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		PermittedDNSDomains: []string{"example.com"}, PermittedDNSDomainsCritical: true}
	root = make(root, root)
	leaf := make(&x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{host}, NotBefore: now.AddDate(0, -1, 0),
		NotAfter: now.AddDate(0, 1, 0)}, root)
	pool := x509.NewCertPool()
	pool.AddCert(root)
	if got := problems(cert.Judge([]*x509.Certificate{leaf}, host, pool, now)); got != "name-constraint - - -" {
		t.Errorf("got %s", got)
	}
}

// TestForeignText: names in certificates come from strangers.
func TestForeignText(t *testing.T) {
	ca := authority(t)
	for _, spec := range []probetest.Spec{
		{CommonName: "a\x1b[2J\x00" + strings.Repeat("x", 4000)},
		{CommonName: "evil\x1b]0;t\x07", SelfSigned: true, Names: []string{strings.Repeat("a.", 400)}},
	} {
		issued, err := ca.Issue(spec)
		v := cert.Judge(presented(t, issued, err), host, ca.Pool(), now)
		for _, c := range []cert.Check{v.Chain, v.Name, v.Time, v.Key} {
			if strings.ContainsAny(c.Detail, "\x1b\x00\x07") || len(c.Detail) > 600 {
				t.Errorf("detail of %d octets: %.100q", len(c.Detail), c.Detail)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	v := cert.Verdict{Chain: cert.Check{State: cert.Bad, Problem: cert.Incomplete, Detail: "x"}, Name: cert.Check{State: cert.Good}}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back cert.Verdict
	if err := json.Unmarshal(b, &back); err != nil || back != v {
		t.Errorf("%s comes back as %+v, %v", b, back, err)
	}
	if v.OK() != cert.Bad || (cert.Verdict{}).OK() != cert.Unknown {
		t.Error("bad outweighs unknown, and the zero value is unknown")
	}
	if new(cert.State).UnmarshalText([]byte("maybe")) == nil || cert.State(9).String() != "unknown" {
		t.Error("a state that does not exist")
	}
}

// TestHostileChain: many certificates that could each be the issuer of the others
// must not take long.
func TestHostileChain(t *testing.T) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	var chain []*x509.Certificate
	for i := range 40 {
		tpl := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: "same"},
			NotBefore: now.AddDate(-i-2, 0, 0), NotAfter: now.AddDate(-i-1, 0, 0), IsCA: true, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCertSign}
		der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		c, _ := x509.ParseCertificate(der)
		chain = append(chain, c)
	}
	start := time.Now()
	v := cert.Judge(chain, host, x509.NewCertPool(), now)
	if v.Chain.State != cert.Bad || v.Time.Problem != cert.Expired {
		t.Errorf("got %s", problems(v))
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("took %v", d)
	}
}

func ExampleJudge() {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	ca, _ := probetest.NewCA(now)
	issued, _ := ca.Issue(probetest.Spec{Names: []string{"old.example.org"}, From: now.AddDate(0, -3, 0), To: now.AddDate(0, 0, -1)})
	chain := []*x509.Certificate{issued.Leaf, ca.Intermediate}

	v := cert.Judge(chain, "mx.example.org", ca.Pool(), now)
	fmt.Println("chain:", v.Chain.State)
	fmt.Println("name: ", v.Name.State, v.Name.Detail)
	fmt.Println("time: ", v.Time.State, v.Time.Detail)
	// Output:
	// chain: good
	// name:  bad the certificate is for "old.example.org", not for "mx.example.org"
	// time:  bad expired on 2026-05-31 12:00:00 UTC
}
