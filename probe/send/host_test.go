package send_test

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/probe/probetest"
	"github.com/mailcheck-go/mailcheck/probe/send"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// host is a mail host that does as it is told.
type host struct {
	extensions []string
	cert       *tls.Certificate
	implicit   bool
	// on replaces the answer to a verb, or to "banner", "body" and "end"; it may
	// speak itself and return "" to say nothing more, or "close".
	on map[string]func(c *session, line string) string

	mu    sync.Mutex
	lines []string // that clients sent
	mails []string // as they came, with dots and the end
}

type session struct {
	*host
	conn   net.Conn
	in     *bufio.Reader
	secure bool
}

func (h *host) serve(conn net.Conn) {
	defer conn.Close()
	c := &session{host: h, conn: conn, in: bufio.NewReader(conn)}
	if h.implicit && !c.handshake() {
		return
	}
	if !c.answer("banner", "", "220 mx.example.net ESMTP") {
		return
	}
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSuffix(line, "\r\n")
		h.mu.Lock()
		h.lines = append(h.lines, line)
		h.mu.Unlock()
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		if !c.obey(verb, line) {
			return
		}
	}
}

func (c *session) obey(verb, line string) bool {
	switch verb {
	case "EHLO":
		words := append([]string{"mx.example.net"}, c.extensions...)
		if c.cert != nil && !c.secure {
			words = append(words, "STARTTLS")
		}
		return c.answer(verb, line, "250-"+strings.Join(words[:len(words)-1], "\r\n250-")+"\r\n250 "+words[len(words)-1])
	case "STARTTLS":
		return c.answer(verb, line, "220 go") && c.handshake()
	case "AUTH":
		return c.answer(verb, line, "503 no")
	case "MAIL", "RCPT", "RSET":
		return c.answer(verb, line, "250 2.1.0 ok")
	case "DATA":
		if f := c.on[verb]; f != nil {
			return c.answer(verb, line, "")
		}
		return c.say("354 go on\r\n") && c.data()
	case "QUIT":
		c.answer(verb, line, "221 bye")
		return false
	}
	return c.answer(verb, line, "500 what?")
}

func (c *session) data() bool {
	if f := c.on["body"]; f != nil && f(c, "") == "close" {
		return false
	}
	var b strings.Builder
	for !strings.HasSuffix(b.String(), "\r\n.\r\n") {
		x, err := c.in.ReadByte()
		if err != nil {
			return false
		}
		b.WriteByte(x)
	}
	c.mu.Lock()
	c.mails = append(c.mails, b.String())
	c.mu.Unlock()
	return c.answer("end", "", "250 2.0.0 queued")
}

func (c *session) answer(verb, line, text string) bool {
	if f := c.on[verb]; f != nil {
		text = f(c, line)
	}
	if text == "close" {
		return false
	}
	if text == "" {
		return true
	}
	return c.say(text + "\r\n")
}

func (c *session) say(text string) bool {
	_, err := io.WriteString(c.conn, text)
	return err == nil
}

// line reads an answer of the client.
func (c *session) line() string {
	s, _ := c.in.ReadString('\n')
	return strings.TrimSuffix(s, "\r\n")
}

func (c *session) handshake() bool {
	conn := tls.Server(c.conn, &tls.Config{Certificates: []tls.Certificate{*c.cert}, MinVersion: tls.VersionTLS12})
	if conn.Handshake() != nil {
		return false
	}
	c.conn, c.in, c.secure = conn, bufio.NewReader(conn), true
	return true
}

func (h *host) said() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.lines...)
}

func (h *host) got() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.mails...)
}

func says(text string) func(*session, string) string {
	return func(*session, string) string { return text }
}

// network is an Internet in memory.
type network struct {
	hosts  map[string]*host
	mu     sync.Mutex
	dialed []string
	wg     sync.WaitGroup
}

func (n *network) dial(_ context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dialed = append(n.dialed, address)
	n.mu.Unlock()
	h := n.hosts[address]
	if h == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	n.wg.Go(func() { h.serve(far) })
	return near, nil
}

// now is a time at which the certificates of tests are valid.
var now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

var ca = sync.OnceValue(func() *probetest.CA {
	ca, err := probetest.NewCA(now)
	if err != nil {
		panic(err)
	}
	return ca
})

func certFor(t *testing.T, names ...string) *tls.Certificate {
	t.Helper()
	c, err := ca().Issue(probetest.Spec{Names: names})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var key = ed25519.NewKeyFromSeed([]byte("0123456789abcdef0123456789abcdef"))

// world is a zone in which example.org has the key, and example.net has two hosts.
var world = zonetest.MustParse(`
example.org. 300 IN SOA ns.example.org. a.example.org. 1 2 3 4 5
s1._domainkey.example.org. 300 IN TXT "v=DKIM1; k=ed25519; p=` + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)) + `"
example.net. 300 IN SOA ns.example.net. a.example.net. 1 2 3 4 5
example.net. 300 IN MX 10 mx1.example.net.
example.net. 300 IN MX 20 mx2.example.net.
mx1.example.net. 300 IN A 192.0.2.1
mx2.example.net. 300 IN A 192.0.2.2
submit.example.net. 300 IN A 192.0.2.5
null.example.net. 300 IN MX 0 .
inside.example.net. 300 IN MX 10 localhost.example.net.
localhost.example.net. 300 IN A 127.0.0.1
meta.example.net. 300 IN MX 10 md.example.net.
md.example.net. 300 IN A 169.254.169.254
bare.example.net. 300 IN A 192.0.2.1
empty.example.net. 300 IN TXT "nothing"
`)

// Test addresses are those of documentation, which no dialer takes otherwise.
var allow = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}

// direct are options of a test that sends to MX hosts.
func direct(n *network) send.Options {
	return send.Options{
		Resolver: world, Name: "probe.example.org", Ledger: &send.Ledger{}, Dial: n.dial, Allow: allow,
		Sign: &dkim.SignOptions{Domain: resolve.MustName("example.org"), Selector: "s1", Key: key},
		Now:  func() time.Time { return now }, Roots: ca().Pool(),
	}
}

func submit(n *network, mechanism string) send.Options {
	o := direct(n)
	o.Sign = nil
	o.Submission = &send.Submission{Host: "submit.example.net", User: "alice", Mechanism: mechanism,
		Password: func(context.Context) (string, error) { return password, nil }}
	return o
}

const password = "correct horse, b=tter"

var probe = send.Message{From: "probe@example.org", To: "bob@example.net"}

func must(t *testing.T, m send.Message, o send.Options) send.Result {
	t.Helper()
	r, err := send.Send(t.Context(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func want(t *testing.T, r send.Result, outcome send.Outcome, why string) {
	t.Helper()
	if r.Outcome != outcome || !strings.Contains(r.Why, why) {
		t.Fatalf("%s (%s), want %s (%s)\n%s", r.Outcome, r.Why, outcome, why, transcript(r))
	}
}

func transcript(r send.Result) string {
	var b strings.Builder
	for _, a := range r.Attempts {
		fmt.Fprintf(&b, "%s %s: %v\n", a.Host, a.Address, a.Failure)
		for _, e := range a.Transcript.Entries {
			fmt.Fprintf(&b, "  %s %q\n", e.Direction, e.Text)
		}
	}
	return b.String()
}

func cause(t *testing.T, a send.Attempt, step smtp.Step, c smtp.Cause) {
	t.Helper()
	if a.Failure == nil || a.Failure.Step != step || !errors.Is(a.Failure, c) {
		t.Fatalf("failure is %v, want %s: %s", a.Failure, step, c)
	}
}
