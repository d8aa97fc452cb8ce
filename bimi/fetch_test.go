package bimi_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/bimi"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const fetchZone = `
$TTL 60
example.org.      IN A 192.0.2.7
cdn.example.org.  IN A 192.0.2.8
inside.example.org. IN A 10.0.0.1
inside.example.org. IN A 127.0.0.1
meta.example.org. IN A 169.254.169.254
ns.example.org.   IN TXT x
`

// web serves HTTPS on loopback, where the dial function leads every address.
type web struct {
	roots *x509.CertPool
	dial  func(context.Context, string, string) (net.Conn, error)

	mu     sync.Mutex
	dialed []string
}

func newWeb(t *testing.T, change func(*x509.Certificate), h http.HandlerFunc) *web {
	t.Helper()
	// The web's roots are not those of marks.
	anchor := ca("Web Root")
	anchor.UnknownExtKeyUsage = nil
	root := authority{}.sign(t, anchor)
	template := &x509.Certificate{
		DNSNames: []string{"example.org", "cdn.example.org"}, NotBefore: testNow.AddDate(0, -1, 0), NotAfter: testNow.AddDate(0, 1, 0),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	cert := root.sign(t, template)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0), TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert.cert.Raw}, PrivateKey: cert.key}},
	}}
	done := make(chan struct{})
	go func() { defer close(done); s.ServeTLS(l, "", "") }()
	t.Cleanup(func() { s.Close(); <-done })
	w := &web{roots: root.pool()}
	w.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		w.mu.Lock()
		w.dialed = append(w.dialed, address)
		w.mu.Unlock()
		return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
	}
	return w
}

func (w *web) get(location string, change func(*bimi.FetchOptions)) bimi.Fetched {
	z := zonetest.MustParse(fetchZone)
	z.Inject(resolve.MustName("broken.example.org"), 0, zonetest.Fault{RCode: resolve.ServFail})
	opt := bimi.FetchOptions{Dial: w.dial, Roots: w.roots, Now: func() time.Time { return testNow }, Timeout: 5 * time.Second}
	if change != nil {
		change(&opt)
	}
	return bimi.Fetch(context.Background(), z, location, opt)
}

func TestFetch(t *testing.T) {
	w := newWeb(t, nil, func(rw http.ResponseWriter, r *http.Request) {
		typ := "image/svg+xml; charset=utf-8"
		switch r.URL.Path {
		case "/html", "/pem-html":
			typ = "text/html"
		case "/pem":
			typ = "application/x-pem-file"
		case "/untyped":
			typ = ""
		}
		rw.Header()["Content-Type"] = []string{typ}
		to := map[string]string{
			"/r": "/l.svg", "/cdn": "https://cdn.example.org/l.svg", "/plain": "http://example.org/l.svg", "/loop": "/loop", "/in": "https://inside.example.org/l.svg",
			"/port": "https://example.org:22/", "/ip": "https://127.0.0.1/", "/none": "", "/file": "file:///etc/passwd", "/other": "https://www.example.com/",
		}
		if location, ok := to[r.URL.Path]; ok {
			rw.Header().Set("Location", location)
			rw.WriteHeader(http.StatusFound)
			return
		}
		switch r.URL.Path {
		case "/404":
			rw.WriteHeader(404)
		case "/503":
			rw.WriteHeader(503)
		case "/403":
			rw.WriteHeader(403)
		case "/huge":
			for range 1 << 14 {
				if _, err := rw.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case "/drip":
			rw.WriteHeader(200)
			rw.(http.Flusher).Flush()
			<-r.Context().Done()
		default:
			io.WriteString(rw, goodSVG)
		}
	})
	cases := []struct {
		url   string
		state resolve.State
		kind  bimi.FaultKind // of the first fault
		what  bimi.What
	}{
		{"https://example.org/l.svg", resolve.Present, "", ""},
		{"HTTPS://EXAMPLE.org:443/l.svg#x", resolve.Present, "", ""},
		{"https://example.org/html", resolve.Present, bimi.FaultContentType, ""},
		{"https://example.org/untyped", resolve.Present, bimi.FaultContentType, ""},
		{"https://example.org/pem", resolve.Present, "", bimi.CertificateFile},
		{"https://example.org/pem-html", resolve.Present, bimi.FaultContentType, bimi.CertificateFile},
		{"https://example.org/r", resolve.Present, bimi.FaultRedirect, ""},
		{"https://example.org/cdn", resolve.Present, bimi.FaultRedirect, ""},
		{"https://example.org/plain", resolve.Absent, bimi.FaultRedirect, ""},
		{"https://example.org/file", resolve.Absent, bimi.FaultRedirect, ""},
		{"https://example.org/none", resolve.Absent, bimi.FaultRedirect, ""},
		{"https://example.org/loop", resolve.Absent, bimi.FaultRedirect, ""},
		{"https://example.org/port", resolve.Absent, bimi.FaultRedirect, ""},
		{"https://example.org/ip", resolve.Absent, bimi.FaultRedirect, ""},
		{"https://example.org/other", resolve.Absent, bimi.FaultRedirect, ""}, // no such host
		{"https://example.org/404", resolve.Absent, bimi.FaultStatus, ""},
		{"https://example.org/503", resolve.Unavailable, bimi.FaultStatus, ""},
		{"https://example.org/403", resolve.Unavailable, bimi.FaultStatus, ""},
		{"https://example.org/huge", resolve.Absent, bimi.FaultSize, ""},
		{"https://ns.example.org/", resolve.Absent, bimi.FaultHost, ""},
		{"https://gone.example.org/", resolve.Absent, bimi.FaultHost, ""},
		{"https://broken.example.org/", resolve.Unavailable, bimi.FaultHost, ""},
		{"http://example.org/", resolve.Absent, bimi.FaultURL, ""},
		{"https://example.org:8443/", resolve.Absent, bimi.FaultURL, ""},
		{"https://127.0.0.1/", resolve.Absent, bimi.FaultURL, ""},
		{"https://[::1]/", resolve.Absent, bimi.FaultURL, ""},
		{"https://0x7f.1/", resolve.Absent, bimi.FaultHost, ""}, // a name, and nobody has it
		{"https://user@example.org/", resolve.Absent, bimi.FaultURL, ""},
		{"https://localhost/", resolve.Absent, bimi.FaultURL, ""},
		{"https://example.org/" + strings.Repeat("x", 1<<20), resolve.Absent, bimi.FaultURL, ""},
		{"\x00", resolve.Absent, bimi.FaultURL, ""},
		{"", resolve.Absent, bimi.FaultURL, ""},
	}
	for _, c := range cases {
		f := w.get(c.url, func(o *bimi.FetchOptions) { o.What = c.what })
		var kind bimi.FaultKind
		if len(f.Faults) > 0 {
			kind = f.Faults[0].Kind
		}
		if f.State != c.state || kind != c.kind || f.Why == "" || len(f.Hops) > 4 || len(f.Body) > 512<<10 {
			t.Errorf("%.60q: %s, %q, %v", c.url, f.State, f.Why, f.Faults)
		}
		if f.State == resolve.Present && string(f.Body) != goodSVG {
			t.Errorf("%.60q: %q", c.url, f.Body)
		}
	}
	for _, a := range w.dialed {
		if ap := netip.MustParseAddrPort(a); ap.Port() != 443 {
			t.Errorf("%s was dialed", a)
		}
	}
	f := w.get("https://example.org/drip", func(o *bimi.FetchOptions) { o.Timeout = 300 * time.Millisecond })
	if f.State != resolve.Unavailable || !f.Has(bimi.FaultHTTP) {
		t.Errorf("drip: %s %v, %d octets after %s", f.State, f.Faults, len(f.Body), f.Elapsed)
	}
}

// Without a dial function only public addresses are asked.
func TestFetchGuard(t *testing.T) {
	z := zonetest.MustParse(fetchZone)
	for _, host := range []string{"inside.example.org", "meta.example.org"} {
		f := bimi.Fetch(context.Background(), z, "https://"+host+"/l.svg", bimi.FetchOptions{Timeout: time.Second})
		if f.State != resolve.Absent || !f.Has(bimi.FaultConnect) {
			t.Errorf("%s: %s %v", host, f.State, f.Faults)
		}
	}
}

func TestFetchCertificate(t *testing.T) {
	ok := func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, goodSVG) }
	for name, change := range map[string]func(*x509.Certificate){
		"for other names": func(c *x509.Certificate) { c.DNSNames = []string{"example.com"} },
		"expired":         func(c *x509.Certificate) { c.NotAfter = testNow.AddDate(0, 0, -1) },
	} {
		f := newWeb(t, change, ok).get("https://example.org/l.svg", nil)
		if f.State != resolve.Absent || !f.Has(bimi.FaultCertificate) || !strings.Contains(f.Why, name) || f.Body != nil {
			t.Errorf("%s: %s, %s", name, f.State, f.Why)
		}
	}
	f := newWeb(t, nil, ok).get("https://example.org/l.svg", func(o *bimi.FetchOptions) { o.Roots = x509.NewCertPool() })
	if f.State != resolve.Absent || !strings.Contains(f.Why, "no root") {
		t.Errorf("%s, %s", f.State, f.Why)
	}
}
