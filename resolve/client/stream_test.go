package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// certificate makes a self-signed certificate and the pool that trusts it.
func certificate(t testing.TB, host string, ip net.IP) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, IPAddresses: []net.IP{ip},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// streamServer answers queries on connections; each gets a number. If serve
// returns false the connection is closed.
func streamServer(t testing.TB, cert *tls.Certificate, serve func(conn net.Conn, number int32, q []byte) bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if cert != nil {
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*cert}})
	}
	var wg sync.WaitGroup
	var conns sync.Map
	var number atomic.Int32
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.Store(conn, true)
			n := number.Add(1)
			wg.Go(func() {
				defer conn.Close()
				for {
					q, err := readMessage(conn)
					if err != nil || !serve(conn, n, q) {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		conns.Range(func(k, _ any) bool { k.(net.Conn).Close(); return true })
		wg.Wait()
	})
	return l.Addr().String()
}

func writeMessage(w io.Writer, b []byte) {
	w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
}

func TestTLS(t *testing.T) {
	cert, pool := certificate(t, "dns.example", net.IPv4(127, 0, 0, 1))
	h := zone(t, `example.org. 0 IN TXT "x"`)
	var conns atomic.Int32
	addr := streamServer(t, &cert, func(conn net.Conn, n int32, q []byte) bool {
		conns.Store(n)
		writeMessage(conn, pack(t, h, q))
		return true
	})
	for server, reason := range map[string]error{
		"tls://" + addr:                  nil,
		"tls://" + addr + "#dns.example": nil,
		"tls://" + addr + "#other.test":  resolve.ErrNetwork,
	} {
		conns.Store(0)
		c := newClient(t, Options{Servers: []string{server}, TLS: &tls.Config{RootCAs: pool}})
		for range 3 {
			a, err := c.Resolve(ctx, txtQ)
			e := want(t, a, err, reason)
			if a.Transport != resolve.TLS || a.Server != addr || e != nil && !strings.Contains(e.Detail, "certificate") {
				t.Errorf("%s: %+v, %v", server, a, err)
			}
		}
		if n := conns.Load(); reason == nil && n > 3*2 {
			t.Errorf("%d connections", n)
		}
	}
	c := newClient(t, Options{Servers: []string{"tls://" + addr}})
	a, err := c.Resolve(ctx, txtQ)
	want(t, a, err, resolve.ErrNetwork) // not signed by anybody known
}

func TestStreamReuse(t *testing.T) {
	h := zone(t, `example.org. 0 IN TXT "x"`)
	var conns, queries atomic.Int32
	addr := streamServer(t, nil, func(conn net.Conn, n int32, q []byte) bool {
		conns.Store(n)
		switch queries.Add(1) {
		case 3: // the idle connection breaks: RFC 7766, Section 6.2.4
			return false
		}
		writeMessage(conn, pack(t, h, q))
		return true
	})
	c := newClient(t, Options{Servers: []string{"tcp://" + addr}})
	for range 5 {
		a, err := c.Resolve(ctx, txtQ)
		want(t, a, err, nil)
		if a.Transport != resolve.TCP {
			t.Errorf("transport %v", a.Transport)
		}
	}
	if conns.Load() != 2 || queries.Load() != 6 {
		t.Errorf("%d connections, %d queries", conns.Load(), queries.Load())
	}
}

func TestStreamFaults(t *testing.T) {
	h := zone(t, `example.org. 0 IN TXT "x"`)
	for name, tt := range map[string]struct {
		serve  func(conn net.Conn, q []byte) bool
		reason error
	}{
		"closed":    {func(net.Conn, []byte) bool { return false }, resolve.ErrNetwork},
		"silent":    {func(net.Conn, []byte) bool { return true }, resolve.ErrTimeout},
		"half":      {func(c net.Conn, q []byte) bool { c.Write([]byte{0, 100, 1, 2}); return false }, resolve.ErrNetwork},
		"promise":   {func(c net.Conn, q []byte) bool { c.Write([]byte{0xff, 0xff, 1}); return true }, resolve.ErrTimeout},
		"foreign":   {func(c net.Conn, q []byte) bool { b := pack(t, h, q); b[0]++; writeMessage(c, b); return true }, resolve.ErrTimeout},
		"malformed": {func(c net.Conn, q []byte) bool { b := pack(t, h, q); writeMessage(c, b[:len(b)-2]); return true }, resolve.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := streamServer(t, nil, func(c net.Conn, _ int32, q []byte) bool { return tt.serve(c, q) })
			c := newClient(t, Options{Servers: []string{"tcp://" + addr}, Timeout: time.Second})
			a, err := c.Resolve(ctx, txtQ)
			want(t, a, err, tt.reason)
		})
	}
}

func TestDoH(t *testing.T) {
	h := zone(t, `example.org. 100 IN TXT "x"`)
	reply := func(w http.ResponseWriter, body []byte, typ string, status int) {
		w.Header().Set("Content-Type", typ)
		w.Header().Set("Age", "40")
		w.WriteHeader(status)
		w.Write(body)
	}
	for name, tt := range map[string]struct {
		answer func(w http.ResponseWriter, b []byte)
		reason error
		detail string
	}{
		"good":    {func(w http.ResponseWriter, b []byte) { reply(w, b, dohType, 200) }, nil, ""},
		"charset": {func(w http.ResponseWriter, b []byte) { reply(w, b, dohType+"; x=y", 200) }, nil, ""},
		"status":  {func(w http.ResponseWriter, b []byte) { reply(w, b, dohType, 503) }, resolve.ErrNetwork, "503"},
		"redirect": {func(w http.ResponseWriter, b []byte) {
			w.Header().Set("Location", "/dns-query")
			reply(w, b, dohType, 307)
		}, resolve.ErrNetwork, "307"},
		"type":      {func(w http.ResponseWriter, b []byte) { reply(w, b, "text/html", 200) }, resolve.ErrMalformed, "text/html"},
		"long":      {func(w http.ResponseWriter, b []byte) { reply(w, make([]byte, maxMessage+2), dohType, 200) }, resolve.ErrMalformed, "65535"},
		"malformed": {func(w http.ResponseWriter, b []byte) { reply(w, b[:len(b)-2], dohType, 200) }, resolve.ErrMalformed, "cut off"},
		"foreign":   {func(w http.ResponseWriter, b []byte) { b[13]++; reply(w, b, dohType, 200) }, resolve.ErrMalformed, "another"},
		"stalled":   {func(w http.ResponseWriter, b []byte) { time.Sleep(time.Second) }, resolve.ErrTimeout, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				q, err := io.ReadAll(r.Body)
				if err != nil || len(q) < headerLen {
					return // the client gave up
				}
				if r.Method != http.MethodPost || r.Header.Get("Content-Type") != dohType || r.Header.Get("Accept") != dohType ||
					q[0] != 0 || q[1] != 0 || r.URL.Path != "/dns-query" || r.Header.Get("User-Agent") != "" || r.ProtoMajor != 2 {
					t.Errorf("request %+v, id %x", r, q[:2])
				}
				tt.answer(w, pack(t, h, q))
			}))
			s.EnableHTTP2 = true
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.StartTLS()
			defer s.Close()
			pool := x509.NewCertPool()
			pool.AddCert(s.Certificate())
			opt := Options{Servers: []string{s.URL + "/dns-query"}, TLS: &tls.Config{RootCAs: pool}}
			if tt.reason == resolve.ErrTimeout {
				opt.Timeout = 500 * time.Millisecond
			}
			c := newClient(t, opt)
			a, err := c.Resolve(ctx, txtQ)
			e := want(t, a, err, tt.reason)
			if e != nil && !strings.Contains(e.Detail, tt.detail) {
				t.Errorf("detail %q", e.Detail)
			}
			if e == nil && (a.Transport != resolve.HTTPS || a.Server != s.URL+"/dns-query" || a.Records[0].TTL != 60) {
				t.Errorf("%+v", a)
			}
			c.Close()
		})
	}
}

func TestInjectedDialer(t *testing.T) {
	addr := listen(t, edited(zone(t, `example.org. 60 IN TXT "x"`), func(network string, _, m *dns.Msg) { m.Truncated = network == "udp" }))
	var mu sync.Mutex
	var dialed []string
	c := newClient(t, Options{Servers: []string{"192.0.2.53"}, Dial: func(ctx context.Context, network, to string) (net.Conn, error) {
		mu.Lock()
		dialed = append(dialed, network+" "+to)
		mu.Unlock()
		var d net.Dialer
		return d.DialContext(ctx, network, addr)
	}})
	a, err := c.Resolve(ctx, txtQ)
	want(t, a, err, nil)
	if got := fmt.Sprint(dialed); got != "[udp 192.0.2.53:53 tcp 192.0.2.53:53]" {
		t.Errorf("dialed %s", got)
	}
}

func TestManyOverTLSAndHTTPS(t *testing.T) {
	cert, pool := certificate(t, "dns.example", net.IPv4(127, 0, 0, 1))
	h := zone(t, soaRR)
	addr := streamServer(t, &cert, func(conn net.Conn, _ int32, q []byte) bool {
		time.Sleep(5 * time.Millisecond)
		writeMessage(conn, pack(t, h, q))
		return true
	})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, _ := io.ReadAll(r.Body)
		time.Sleep(5 * time.Millisecond)
		w.Header().Set("Content-Type", dohType)
		w.Write(pack(t, h, q))
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	pool.AddCert(s.Certificate())
	for _, server := range []string{"tls://" + addr, s.URL} {
		c := newClient(t, Options{Servers: []string{server}, TLS: &tls.Config{RootCAs: pool}})
		var wg sync.WaitGroup
		for i := range 120 {
			wg.Go(func() {
				_, err := c.Resolve(ctx, ask(fmt.Sprintf("n%d.example.org", i), resolve.TypeTXT))
				if !errors.Is(err, resolve.ErrNXDomain) {
					t.Errorf("%s: %v", server, err)
				}
			})
		}
		wg.Wait()
		c.Close()
	}
}
