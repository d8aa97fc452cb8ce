package mtasts

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var (
	testNow    = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	testDomain = resolve.MustName("example.org")
	testZone   = zonetest.MustParse(`
$ORIGIN example.org.
@        3600 IN SOA ns hostmaster 1 2 3 4 5
mta-sts  3600 IN A 192.0.2.7
`)
)

// issuer makes certificates for tests.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newIssuer(t *testing.T, name string) issuer {
	t.Helper()
	ca := issuer{pool: x509.NewCertPool()}
	c := ca.issue(t, func(c *x509.Certificate) {
		c.Subject.CommonName, c.DNSNames, c.IsCA, c.BasicConstraintsValid = name, nil, true, true
		c.KeyUsage = x509.KeyUsageCertSign
		c.NotBefore, c.NotAfter = testNow.AddDate(-9, 0, 0), testNow.AddDate(9, 0, 0)
	})
	ca.cert, ca.key = c.Leaf, c.PrivateKey.(*ecdsa.PrivateKey)
	ca.pool.AddCert(ca.cert)
	return ca
}

// issue makes a certificate for mta-sts.example.org, signed by itself if the issuer
// is empty.
func (ca issuer) issue(t *testing.T, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "mta-sts.example.org"}, DNSNames: []string{"mta-sts.example.org"},
		NotBefore: testNow.AddDate(0, -1, 0), NotAfter: testNow.AddDate(0, 1, 0),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, key
	if ca.cert != nil {
		parent, signer = ca.cert, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// listen starts a server on a loopback port and returns a dial function that leads
// every address to it.
func listen(t *testing.T, serve func(net.Listener)) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); serve(l) }()
	t.Cleanup(func() { l.Close(); <-done })
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
	}
}

// policyHost serves HTTPS with a certificate.
func policyHost(t *testing.T, cert tls.Certificate, h http.HandlerFunc) func(context.Context, string, string) (net.Conn, error) {
	return listen(t, func(l net.Listener) {
		s := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0), TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
		t.Cleanup(func() { s.Close() })
		s.ServeTLS(l, "", "")
	})
}

// rawHost answers each TLS connection with a function of its own.
func rawHost(t *testing.T, cert tls.Certificate, answer func(net.Conn)) func(context.Context, string, string) (net.Conn, error) {
	return listen(t, func(l net.Listener) {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
				if s.Handshake() == nil {
					answer(s)
				}
			}()
		}
	})
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, body)
	}
}

func faults(f Fetched) string {
	var s []string
	for _, x := range f.Faults {
		w := string(x.Kind)
		if x.Temporary {
			w += "?"
		}
		if x.Effect == AtRisk {
			w += "~"
		}
		s = append(s, w)
	}
	return strings.Join(s, " ")
}

func TestFetchResponses(t *testing.T) {
	ca := newIssuer(t, "Test CA")
	cert := ca.issue(t, nil)
	typed := func(ct, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = nil
			if ct != "" {
				w.Header().Set("Content-Type", ct)
			}
			io.WriteString(w, body)
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Location", "https://www.example.org/\u202e")
			w.WriteHeader(code)
			if code != http.StatusNoContent && code != http.StatusNotModified {
				io.WriteString(w, good)
			}
		}
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		state   resolve.State
		faults  string
	}{
		{"good", text(good), resolve.Present, ""},
		{"type without parameters", typed("text/plain", good), resolve.Present, ""},
		{"type in upper case", typed("TEXT/Plain ; x", good), resolve.Present, ""},
		{"html type", typed("text/html", good), resolve.Absent, "content-type"},
		{"octets", typed("application/octet-stream", good), resolve.Absent, "content-type"},
		{"no type", typed("", good), resolve.Present, "content-type~"},
		{"301", status(301), resolve.Absent, "redirect"},
		{"302", status(302), resolve.Absent, "redirect"},
		{"308", status(308), resolve.Absent, "redirect"},
		{"304", status(304), resolve.Absent, "redirect"},
		{"404", status(404), resolve.Absent, "status"},
		{"204", status(204), resolve.Absent, "status"},
		{"206", status(206), resolve.Absent, "status"},
		{"500", status(500), resolve.Unavailable, "status?"},
		{"503", status(503), resolve.Unavailable, "status?"},
		{"429", status(429), resolve.Unavailable, "status?"},
		{"empty", text(""), resolve.Absent, "policy"},
		{"a page", typed("text/html", "<html>"), resolve.Absent, "content-type policy"},
		{"byte order mark", text("\ufeff" + good), resolve.Absent, "policy"},
		{"64 KiB", text(good + strings.Repeat("x: y\r\n", 1000)), resolve.Present, ""},
		{"1 GB declared", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Length", "1073741824")
			for range 1 << 10 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}, resolve.Absent, "size"},
		{"endless chunks", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			for {
				if _, err := io.WriteString(w, strings.Repeat("mx: a.example\n", 1000)); err != nil {
					return
				}
				w.(http.Flusher).Flush()
			}
		}, resolve.Absent, "size"},
		{"gzip unasked", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "\x1f\x8b\x08")
		}, resolve.Absent, "http~ policy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var requests atomic.Int32
			dial := policyHost(t, cert, func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				if r.Host != "mta-sts.example.org" || r.TLS.ServerName != "mta-sts.example.org" || r.URL.Path != "/.well-known/mta-sts.txt" || r.Header.Get("User-Agent") != "mailcheck" {
					t.Errorf("request %s %s, SNI %s, %v", r.Host, r.URL, r.TLS.ServerName, r.Header)
				}
				tt.handler(w, r)
			})
			f := Fetch(t.Context(), testZone, testDomain, Options{Dial: dial, Roots: ca.pool, Now: func() time.Time { return testNow }, Timeout: 10 * time.Second})
			if f.State != tt.state || faults(f) != tt.faults {
				t.Errorf("got %s, faults %q: %v", f.State, faults(f), f.Faults)
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("%d requests", n)
			}
			if len(f.Body) > maxPolicy || len(f.Chain) != 1 || f.Peer.String() != "192.0.2.7:443" || f.TLSVersion < tls.VersionTLS12 || f.URL != "https://mta-sts.example.org/.well-known/mta-sts.txt" {
				t.Errorf("%d octets, %d certificates, peer %s", len(f.Body), len(f.Chain), f.Peer)
			}
			if f.State == resolve.Present && (f.Policy.Mode != Enforce || f.Status != 200) {
				t.Errorf("policy %q", f.Policy)
			}
			for _, x := range f.Faults {
				if strings.ContainsAny(x.Message, "\x1b\n") {
					t.Errorf("unsafe message %q", x.Message)
				}
			}
			if f.Has(FaultRedirect) && f.Location == "" {
				t.Error("where it redirects to is lost")
			}
		})
	}
}

func TestFetchCertificates(t *testing.T) {
	ca, other := newIssuer(t, "Test CA"), newIssuer(t, "Other CA")
	late := func(c *x509.Certificate) { c.NotAfter = testNow.Add(-time.Hour) }
	tests := []struct {
		name   string
		cert   tls.Certificate
		faults string
	}{
		{"good", ca.issue(t, nil), ""},
		{"wildcard", ca.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"*.example.org"} }), ""},
		{"wildcard of two labels", ca.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"*.org"} }), "name"},
		{"another name", ca.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"www.example.org", "example.org"} }), "name"},
		{"common name only", ca.issue(t, func(c *x509.Certificate) { c.DNSNames = nil }), "name"},
		{"expired", ca.issue(t, late), "expired"},
		{"not yet valid", ca.issue(t, func(c *x509.Certificate) { c.NotBefore = testNow.Add(time.Hour) }), "expired"},
		{"unknown issuer", other.issue(t, nil), "chain"},
		{"self-signed", issuer{}.issue(t, nil), "chain"},
		{"all at once", other.issue(t, func(c *x509.Certificate) { late(c); c.DNSNames = []string{"x.example"} }), "name expired chain"},
		{"not for servers", ca.issue(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), "chain"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Fetch(t.Context(), testZone, testDomain, Options{Dial: policyHost(t, tt.cert, text(good)), Roots: ca.pool, Now: func() time.Time { return testNow }, Timeout: 10 * time.Second})
			if faults(f) != tt.faults {
				t.Errorf("got faults %q: %v", faults(f), f.Faults)
			}
			want := resolve.Absent
			if tt.faults == "" {
				want = resolve.Present
			}
			if f.State != want || f.Policy.Mode != Enforce {
				t.Errorf("got %s, policy %q", f.State, f.Policy)
			}
		})
	}
}

func TestFetchChain(t *testing.T) {
	root := newIssuer(t, "Root")
	sub := root.issue(t, func(c *x509.Certificate) {
		c.Subject.CommonName, c.DNSNames, c.IsCA, c.BasicConstraintsValid, c.KeyUsage = "Sub", nil, true, true, x509.KeyUsageCertSign
		c.NotAfter = testNow.AddDate(0, 0, 1)
	})
	mid := issuer{cert: sub.Leaf, key: sub.PrivateKey.(*ecdsa.PrivateKey)}
	leaf := mid.issue(t, nil)
	full := leaf
	full.Certificate = append(slices.Clone(leaf.Certificate), sub.Certificate...)
	for name, tt := range map[string]struct {
		cert tls.Certificate
		days int
		want string
	}{
		"intermediate sent": {full, 0, ""}, "intermediate missing": {leaf, 0, "chain"}, "intermediate expired": {full, 2, "expired"},
	} {
		now := testNow.AddDate(0, 0, tt.days)
		f := Fetch(t.Context(), testZone, testDomain, Options{Dial: policyHost(t, tt.cert, text(good)), Roots: root.pool, Now: func() time.Time { return now }, Timeout: 10 * time.Second})
		if faults(f) != tt.want {
			t.Errorf("%s: faults %q: %v", name, faults(f), f.Faults)
		}
	}
	if got := CheckCertificate(nil, testDomain, nil, testNow); len(got) != 1 || got[0].Kind != FaultTLS {
		t.Errorf("no chain: %v", got)
	}
}

func TestFetchHostile(t *testing.T) {
	ca := newIssuer(t, "Test CA")
	cert := ca.issue(t, nil)
	// Most end by themselves; these end when their time is up.
	short, long := time.Second, 20*time.Second
	stuck := []string{"slow drip", "slow head", "silence", "TLS silence", "dial hangs"}
	head := "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	request := func(c net.Conn) { c.Read(make([]byte, 4096)) }
	drip := func(c net.Conn, b byte) {
		for {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	tests := []struct {
		name  string
		dial  func(context.Context, string, string) (net.Conn, error)
		state resolve.State
		want  string
	}{
		{"slow drip", rawHost(t, cert, func(c net.Conn) { request(c); io.WriteString(c, head+"\r\n"); drip(c, 'x') }), resolve.Unavailable, "http?"},
		{"slow head", rawHost(t, cert, func(c net.Conn) { request(c); io.WriteString(c, head+"X: "); drip(c, 'x') }), resolve.Unavailable, "http?"},
		{"silence", rawHost(t, cert, func(c net.Conn) { io.Copy(io.Discard, c) }), resolve.Unavailable, "http?"},
		{"endless head", rawHost(t, cert, func(c net.Conn) {
			request(c)
			io.WriteString(c, head)
			for {
				if _, err := io.WriteString(c, "X: "+strings.Repeat("y", 1000)+"\r\n"); err != nil {
					return
				}
			}
		}), resolve.Unavailable, "http?"},
		{"endless 100", rawHost(t, cert, func(c net.Conn) {
			request(c)
			for {
				if _, err := io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
					return
				}
			}
		}), resolve.Unavailable, "http?"},
		{"garbage", rawHost(t, cert, func(c net.Conn) { request(c); io.WriteString(c, "SSH-2.0-OpenSSH\r\n") }), resolve.Unavailable, "http?"},
		{"closed", rawHost(t, cert, func(c net.Conn) { request(c) }), resolve.Unavailable, "http?"},
		{"cut body", rawHost(t, cert, func(c net.Conn) {
			request(c)
			io.WriteString(c, head+"Content-Length: 1000\r\n\r\nversion: STSv1\r\n")
		}), resolve.Unavailable, "http?"},
		{"no TLS", listen(t, func(l net.Listener) {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
				c.Close()
			}
		}), resolve.Absent, "tls"},
		{"TLS alert", listen(t, func(l net.Listener) {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					s := tls.Server(c, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("no") }})
					s.Handshake()
				}()
			}
		}), resolve.Absent, "tls"},
		{"TLS silence", listen(t, func(l net.Listener) {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
			}
		}), resolve.Unavailable, "tls?"},
		{"refused", func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused") }, resolve.Unavailable, "connect?"},
		{"dial hangs", func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }, resolve.Unavailable, "connect?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			limit := long
			if slices.Contains(stuck, tt.name) {
				limit = short
			}
			start := time.Now()
			f := Fetch(t.Context(), testZone, testDomain, Options{Dial: tt.dial, Roots: ca.pool, Now: func() time.Time { return testNow }, Timeout: limit})
			if f.State != tt.state || faults(f) != tt.want {
				t.Errorf("got %s, faults %q: %v", f.State, faults(f), f.Faults)
			}
			if took := time.Since(start); took > limit/2+5*short {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestFetchAddresses(t *testing.T) {
	ca := newIssuer(t, "Test CA")
	dial := policyHost(t, ca.issue(t, nil), text(good))
	zone := zonetest.MustParse(`
$ORIGIN example.org.
@            3600 IN SOA ns hostmaster 1 2 3 4 5
mta-sts.a    3600 IN AAAA 2001:db8::1
mta-sts.a    3600 IN A 192.0.2.1
mta-sts.b    3600 IN CNAME mta-sts.a
mta-sts.c    3600 IN TXT "nothing"
mta-sts.six  3600 IN AAAA 2001:db8::6
`)
	broken := resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		if q.Type == resolve.TypeA {
			return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrServFail, Question: q}
		}
		return zone.Resolve(ctx, q)
	})
	tests := []struct {
		domain   string
		r        resolve.Resolver
		dead     string
		state    resolve.State
		faults   string
		attempts int
	}{
		{"a.example.org", zone, "", resolve.Present, "", 1},
		{"a.example.org", zone, "[2001:db8::1]:443", resolve.Present, "", 2},
		{"b.example.org", zone, "", resolve.Present, "", 1},
		{"c.example.org", zone, "", resolve.Absent, "host", 0},
		{"d.example.org", zone, "", resolve.Absent, "host", 0},
		{"c.example.org", broken, "", resolve.Unavailable, "host?", 0},
		{"six.example.org", broken, "", resolve.Present, "", 1},
		{"six.example.org", zone, "[2001:db8::6]:443", resolve.Unavailable, "connect?", 1},
		{"x_y.example.org", zone, "", resolve.Absent, "host", 0},
		{".", zone, "", resolve.Absent, "host", 0},
	}
	for _, tt := range tests {
		f := Fetch(t.Context(), tt.r, resolve.MustName(tt.domain), Options{
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				if address == tt.dead {
					return nil, errors.New("unreachable")
				}
				return dial(ctx, network, address)
			},
			Roots: ca.pool, Now: func() time.Time { return testNow }, Timeout: 10 * time.Second,
		})
		// The certificate is for another name here.
		f.Faults = slices.DeleteFunc(f.Faults, func(x Fault) bool { return x.Kind == FaultName })
		f.settle()
		if f.State != tt.state || faults(f) != tt.faults || len(f.Attempts) != tt.attempts {
			t.Errorf("%s: %s, faults %q, attempts %v", tt.domain, f.State, faults(f), f.Attempts)
		}
	}
}

func TestFetchPrivate(t *testing.T) {
	// Without a dial function nothing but public addresses is asked.
	for _, a := range []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "198.18.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1",
		"::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "::127.0.0.1",
	} {
		f := Fetch(t.Context(), testZone, testDomain, Options{Addrs: []netip.Addr{netip.MustParseAddr(a)}, Timeout: time.Second})
		if f.State != resolve.Unavailable || len(f.Attempts) != 1 || !errors.Is(f.Attempts[0].Err, errPrivate) {
			t.Errorf("%s: %s, %v", a, f.State, f.Attempts)
		}
	}
	for _, a := range []string{"1.1.1.1", "93.184.216.34", "2606:4700::1111"} {
		if !isPublic(netip.MustParseAddr(a)) {
			t.Errorf("%s is not public", a)
		}
	}
}

func TestFetchCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stuck := resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		<-ctx.Done()
		return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrCanceled, Question: q}
	})
	if f := Fetch(ctx, stuck, testDomain, Options{}); f.State != resolve.Unavailable || !f.Has(FaultHost) {
		t.Errorf("got %s, %v", f.State, f.Faults)
	}
}
