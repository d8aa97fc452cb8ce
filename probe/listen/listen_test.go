package listen_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/trace"
	"github.com/mailcheck-go/mailcheck/probe/listen"
	"github.com/mailcheck-go/mailcheck/probe/token"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// world is a listener that serves, with what it heard.
type world struct {
	*listen.Listener
	addr  string
	mails chan listen.Mail

	mu     sync.Mutex
	events []listen.Event
}

func start(t *testing.T, opt listen.Options) *world {
	t.Helper()
	w := &world{mails: make(chan listen.Mail, 20)}
	opt.Domain, opt.Host = resolve.MustName("probe.example"), "mx.probe.example"
	opt.Deliver = func(m listen.Mail) { w.mails <- m }
	opt.Event = func(e listen.Event) {
		w.mu.Lock()
		w.events = append(w.events, e)
		w.mu.Unlock()
	}
	var err error
	if w.Listener, err = listen.New(opt); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Serve does not end")
		}
	})
	return w
}

func (w *world) issue(t *testing.T) string {
	t.Helper()
	a, err := w.Issue("")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (w *world) mail(t *testing.T) listen.Mail {
	t.Helper()
	select {
	case m := <-w.mails:
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("no mail")
		return listen.Mail{}
	}
}

func (w *world) kinds() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, e := range w.events {
		out = append(out, string(e.Kind))
	}
	return strings.Join(out, " ")
}

// client speaks line by line.
type client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func (w *world) dial(t *testing.T) *client {
	t.Helper()
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return &client{t, conn, bufio.NewReader(conn)}
}

// reply reads one.
func (c *client) reply() string {
	c.t.Helper()
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return err.Error()
		}
		if len(line) > 3 && line[3] == ' ' {
			return strings.TrimSpace(line)
		}
	}
}

func (c *client) do(line, want string) {
	c.t.Helper()
	if line != "" {
		io.WriteString(c.conn, line+"\r\n")
	}
	if got := c.reply(); !strings.HasPrefix(got, want) {
		c.t.Fatalf("%.60q: %s, want %s", line, got, want)
	}
}

// begin goes up to DATA.
func (w *world) begin(t *testing.T, to string) *client {
	c := w.dial(t)
	c.do("", "220 mx.probe.example")
	c.do("EHLO client.example", "250")
	c.do("MAIL FROM:<a@client.example>", "250")
	c.do("RCPT TO:<"+to+">", "250")
	return c
}

const text = "From: a@client.example\r\nSubject: x\r\n\r\n.dot\r\nbye\r\n"

func TestMail(t *testing.T) {
	w := start(t, listen.Options{})
	to := w.issue(t)
	c, err := smtp.DialStartTLS(w.addr, &tls.Config{InsecureSkipVerify: true, ServerName: "mx.probe.example"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Hello("client.example"); err != nil {
		t.Fatal(err)
	}
	if err := c.Mail("a@client.example", &smtp.MailOptions{EnvelopeID: "id", Return: smtp.DSNReturnHeaders, RequireTLS: true}); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt(strings.ToUpper(to), &smtp.RcptOptions{Notify: []smtp.DSNNotify{smtp.DSNNotifyNever}}); err != nil {
		t.Fatal(err)
	}
	d, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(d, text)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	m := w.mail(t)
	e := m.Envelope
	if string(m.Raw) != text || m.Token != token.InAddress(to) || m.TLS == nil || m.TLS.Version != "TLS 1.3" || m.TLS.ServerName != "mx.probe.example" ||
		e.Helo != "client.example" || e.MailFrom != "a@client.example" || e.EnvelopeID != "id" || e.Return != "HDRS" || !e.RequireTLS || e.Notify[0] != "NEVER" ||
		m.Peer.Addr().String() != "127.0.0.1" || m.Local.String() != w.addr {
		t.Errorf("%+v", m)
	}
	p := message.Parse(m.WithTrace(), message.Options{})
	path := trace.Read(&p.Header, trace.Options{Hosts: []string{"mx.probe.example"}})
	if path.Client.IP.String() != "127.0.0.1" || path.Client.Helo != "client.example" || path.MailFrom.Address != "a@client.example" || path.Hops[0].TLS.Version != "1.3" {
		t.Errorf("trace: %+v", path)
	}
	// One mail for each address.
	if err := c.Mail("a@client.example", nil); err != nil {
		t.Fatal(err)
	}
	var bad *smtp.SMTPError
	if err := c.Rcpt(to, nil); !errors.As(err, &bad) || bad.Code != 550 || !strings.Contains(bad.Message, "has had its mail") {
		t.Errorf("second mail: %v", err)
	}
}

// Nothing is relayed, and nothing is taken for addresses that were not given out.
func TestRelay(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	w := start(t, listen.Options{Life: time.Minute, Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	to := w.issue(t)
	for _, c := range []struct{ rcpt, want string }{
		{"<someone@example.net>", "550 5.7.1"},
		{"<postmaster@probe.example>", "550 5.1.1"},
		{"<" + token.Address(token.New(nil), "probe.example") + ">", "550 5.1.1"},
		{"<" + strings.Replace(to, "probe.example", "sub.probe.example", 1) + ">", "550 5.7.1"},
		{"<" + strings.Replace(to, "@", "%probe.example@", 1) + ">", "550 5.1.1"},
		{"<" + to + "@example.net>", "550 5.7.1"},
		{"<@relay.example:" + to + ">", "250"}, // RFC 5321, Appendix C: the route is ignored
		{"<" + to + ">", "250"},
	} {
		x := w.dial(t)
		x.do("", "220")
		x.do("EHLO a.example", "250")
		x.do("MAIL FROM:<>", "250")
		x.do("RCPT TO:"+c.rcpt, c.want)
	}
	x := w.begin(t, to)
	x.do("RCPT TO:<"+w.issue(t)+">", "452") // one recipient
	x.do("RSET", "250")
	x.do("DATA", "502")
	x.do("VRFY root", "252")
	x.do("AUTH PLAIN", "5")
	mu.Lock()
	now = now.Add(time.Minute + time.Second)
	mu.Unlock()
	x.do("MAIL FROM:<a@b.example>", "250")
	x.do("RCPT TO:<"+to+">", "550 5.2.1 this address has expired")
	if k := w.kinds(); !strings.Contains(k, "relay-denied") || !strings.Contains(k, "no-such-address") {
		t.Errorf("events: %s", k)
	}
}

// The one end of a mail is CRLF.CRLF; CR, LF and NUL elsewhere are refused. What
// stands behind a false end never becomes a command.
func TestSmuggling(t *testing.T) {
	w := start(t, listen.Options{Rate: 1000})
	to, second := w.issue(t), w.issue(t)
	attack := "MAIL FROM:<evil@client.example>\r\nRCPT TO:<" + second + ">\r\nDATA\r\nFrom: evil@client.example\r\n\r\nsmuggled\r\n"
	for _, end := range []string{"\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r\n\x00.\r\n", "\r.\r\n", "\n\n.\r\n", "\r\r\n.\r\r\n"} {
		c := w.begin(t, to)
		c.do("DATA", "354")
		c.do("From: a@client.example\r\n\r\nbody"+end+attack+"\r\n.", "550 5.6.0")
		c.do("QUIT", "221")
	}
	// With chunks there is no end to be found, and the same text is refused.
	c := w.begin(t, to)
	body := "a: b\r\n\r\nx\n.\nMAIL FROM:<evil@client.example>\r\n"
	c.do(fmt.Sprintf("BDAT %d LAST\r\n%s", len(body), strings.TrimSuffix(body, "\r\n")), "550 5.6.0")
	select {
	case m := <-w.mails:
		t.Fatalf("taken: %q", m.Raw)
	default:
	}
	if n := strings.Count(w.kinds(), "bare-line-end"); n != 10 {
		t.Errorf("%d events: %s", n, w.kinds())
	}
	// The address is still good for a mail that is well formed, with chunks too.
	c = w.begin(t, to)
	c.do("BDAT 6\r\na: b", "250")
	c.do("BDAT 5 LAST\r\n\r\nx", "250")
	if m := w.mail(t); string(m.Raw) != "a: b\r\n\r\nx\r\n" {
		t.Errorf("%q", m.Raw)
	}
}

func TestChunkSizes(t *testing.T) {
	w := start(t, listen.Options{MaxMessage: 1000})
	for _, c := range []struct{ line, want string }{
		{"BDAT -1 LAST", "501"}, {"BDAT x", "501"}, {"BDAT 99999999999999999999 LAST", "501"}, {"BDAT 4294967296", "501"},
		{"BDAT 2000 LAST\r\n" + strings.Repeat("x", 1998), "552"},
	} {
		x := w.begin(t, w.issue(t))
		x.do(c.line, c.want)
	}
	// More than was announced: the rest is read as commands, and is none.
	x := w.begin(t, w.issue(t))
	x.do("BDAT 3 LAST\r\na\r\nMAIL FROM:<evil@client.example>", "250")
	if m := w.mail(t); string(m.Raw) != "a\r\n" {
		t.Errorf("%q", m.Raw)
	}
}

func TestLimits(t *testing.T) {
	w := start(t, listen.Options{MaxMessage: 10_000, Rate: 1000})
	to := w.issue(t)
	c := w.begin(t, to)
	c.do("DATA", "354")
	c.do(strings.Repeat(strings.Repeat("x", 98)+"\r\n", 110)+".", "552")
	c = w.dial(t)
	c.do("", "220")
	c.do("EHLO a.example", "250")
	c.do("MAIL FROM:<a@b.example> SIZE=10001", "552")
	c = w.begin(t, to)
	c.do("DATA", "354")
	c.do(strings.Repeat("x", listen.MaxLine+1)+"\r\n.", "550 5.6.0")
	// More than any mail needs ends the connection.
	c = w.begin(t, to)
	c.do("DATA", "354")
	n, err := 0, error(nil)
	for line := []byte(strings.Repeat("x", 98) + "\r\n"); err == nil && n < 100<<20; n += len(line) {
		_, err = c.conn.Write(line)
	}
	if err == nil {
		t.Errorf("%d octets were taken", n)
	}
	// Guessing ends it, too.
	c = w.dial(t)
	c.do("", "220")
	c.do("EHLO a.example", "250")
	c.do("MAIL FROM:<>", "250")
	refused := 0
	for range 20 {
		io.WriteString(c.conn, "RCPT TO:<a@probe.example>\r\n")
		if !strings.HasPrefix(c.reply(), "550") {
			break
		}
		refused++
	}
	if refused > 6 {
		t.Errorf("%d recipients were refused, and the connection went on", refused)
	}
	if k := w.kinds(); !strings.Contains(k, "too-large") || !strings.Contains(k, "long-line") {
		t.Errorf("events: %s", k)
	}
}

func TestConnections(t *testing.T) {
	w := start(t, listen.Options{MaxConns: 3, Rate: 6})
	var open []*client
	for range 3 {
		c := w.dial(t)
		c.do("", "220")
		open = append(open, c)
	}
	w.dial(t).do("", "421")
	for _, c := range open {
		c.do("QUIT", "221")
		io.ReadAll(c.conn)
	}
	deadline := time.Now().Add(5 * time.Second)
	for i := 0; i < 3; {
		c := w.dial(t)
		if r := c.reply(); strings.HasPrefix(r, "220") {
			i++
			c.do("QUIT", "221")
			io.ReadAll(c.conn)
		} else if time.Now().After(deadline) {
			t.Fatal(r)
		}
	}
	w.dial(t).do("", "421") // six in a minute
	if k := w.kinds(); !strings.Contains(k, "too-many-connections") || !strings.HasSuffix(k, "rate-limited") {
		t.Errorf("events: %s", k)
	}
}

func TestSlow(t *testing.T) {
	w := start(t, listen.Options{Idle: 100 * time.Millisecond, Session: 300 * time.Millisecond, Rate: 100})
	c := w.dial(t)
	c.do("", "220")
	if r := c.reply(); !strings.HasPrefix(r, "421") { // says nothing
		t.Errorf("silent: %s", r)
	}
	c = w.begin(t, w.issue(t))
	c.do("DATA", "354")
	begun := time.Now()
	for time.Since(begun) < 5*time.Second { // an octet now and then
		if _, err := c.conn.Write([]byte("x")); err != nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if d := time.Since(begun); d > 2*time.Second {
		t.Errorf("a slow client was served for %v", d)
	}
	c = w.dial(t)
	c.do("", "220")
	begun = time.Now()
	for time.Since(begun) < 5*time.Second { // a command now and then
		if _, err := c.conn.Write([]byte("NOOP\r\n")); err != nil || !strings.HasPrefix(c.reply(), "250") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if d := time.Since(begun); d > 2*time.Second {
		t.Errorf("a session lasted %v", d)
	}
}

// RFC 3207, Section 4.2: what came before the handshake does not count.
func TestInjectedPlaintext(t *testing.T) {
	w := start(t, listen.Options{})
	to := w.issue(t)
	c := w.dial(t)
	c.do("", "220")
	c.do("EHLO a.example", "250")
	c.do("STARTTLS\r\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<"+to+">", "220")
	conn := tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true})
	if err := conn.Handshake(); err != nil {
		return // the plaintext was taken for the handshake: as good
	}
	c.conn, c.in = conn, bufio.NewReader(conn)
	c.do("DATA", "502")
	c.do("EHLO a.example", "250")
	c.do("DATA", "502")
}

func TestIssue(t *testing.T) {
	w := start(t, listen.Options{})
	tok := token.New(nil)
	if a, err := w.Issue(tok); err != nil || a != "t-"+tok+"@probe.example" {
		t.Errorf("%s, %v", a, err)
	}
	for _, x := range []string{tok, "x", strings.Repeat("A", 26)} {
		if _, err := w.Issue(x); !errors.Is(err, listen.ErrToken) {
			t.Errorf("%q: %v", x, err)
		}
	}
	for range listen.MaxLive - 1 {
		w.issue(t)
	}
	if _, err := w.Issue(""); !errors.Is(err, listen.ErrFull) {
		t.Errorf("%v", err)
	}
	if _, err := listen.New(listen.Options{Domain: resolve.MustName("a.example"), Host: "a b", Deliver: func(listen.Mail) {}}); !errors.Is(err, listen.ErrOptions) {
		t.Errorf("%v", err)
	}
	if _, err := listen.New(listen.Options{}); !errors.Is(err, listen.ErrOptions) {
		t.Errorf("%v", err)
	}
}
