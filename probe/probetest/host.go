package probetest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Step is a moment at which a host can misbehave.
type Step string

// The steps of a conversation.
const (
	Banner     Step = "banner"
	EHLO       Step = "ehlo"
	HELO       Step = "helo"
	STARTTLS   Step = "starttls"
	Handshake  Step = "handshake"   // before the ServerHello, once the ClientHello arrives
	SecureEHLO Step = "secure-ehlo" // EHLO or HELO inside TLS
	Quit       Step = "quit"
)

// Host is how a mail host behaves. A Host may serve many connections at once;
// it is not to be changed meanwhile.
type Host struct {
	Name       string   // in the banner and after EHLO; empty means mx.example.org
	Extensions []string // after EHLO; nil means PIPELINING, SIZE and 8BITMIME
	// Certificate makes the host offer STARTTLS.
	Certificate *tls.Certificate
	// HideSTARTTLS leaves it out of the extensions all the same.
	HideSTARTTLS bool
	// ImplicitTLS begins with the handshake (RFC 8314, Section 3.3).
	ImplicitTLS bool
	// TLS may change what the host accepts: versions, cipher suites.
	TLS func(*tls.Config)
	// On replaces the host's part at some steps. The conversation goes on after
	// it, unless the action ends it.
	On map[Step]Action
}

// Action speaks in place of the host. The conversation ends when it returns false.
type Action func(conn net.Conn) bool

// Say writes the text as it is; end lines with CR LF yourself.
func Say(text string) Action {
	return func(conn net.Conn) bool {
		_, err := io.WriteString(conn, text)
		return err == nil
	}
}

// Drop closes the connection.
func Drop() Action { return func(net.Conn) bool { return false } }

// Then does one after the other.
func Then(actions ...Action) Action {
	return func(conn net.Conn) bool {
		for _, a := range actions {
			if !a(conn) {
				return false
			}
		}
		return true
	}
}

// Hang says nothing until the client leaves.
func Hang() Action {
	return func(conn net.Conn) bool {
		io.Copy(io.Discard, conn)
		return false
	}
}

// Wait does nothing for a while.
func Wait(d time.Duration) Action {
	return func(net.Conn) bool {
		time.Sleep(d)
		return true
	}
}

// Drip writes one octet at a time.
func Drip(text string, every time.Duration) Action {
	return func(conn net.Conn) bool {
		for i := range len(text) {
			time.Sleep(every)
			if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
				return false
			}
		}
		return true
	}
}

// Endless writes the line until the client leaves.
func Endless(line string) Action {
	block := bytes.Repeat([]byte(line), max(1, 4096/max(1, len(line))))
	return func(conn net.Conn) bool {
		for {
			if _, err := conn.Write(block); err != nil {
				return false
			}
		}
	}
}

// Flood writes a start and then n octets without an end of line.
func Flood(start string, n int64) Action {
	block := bytes.Repeat([]byte("x"), 32<<10)
	return func(conn net.Conn) bool {
		if _, err := io.WriteString(conn, start); err != nil {
			return false
		}
		for left := n; left > 0; left -= int64(len(block)) {
			if _, err := conn.Write(block[:min(left, int64(len(block)))]); err != nil {
				return false
			}
		}
		return true
	}
}

// log holds the lines that clients sent.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *log) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

// conversation is a host with one client.
type conversation struct {
	host   *Host
	conn   net.Conn
	in     *bufio.Reader
	secure bool
	log    *log
}

func (h *Host) serve(conn net.Conn, l *log) {
	defer conn.Close()
	c := &conversation{host: h, conn: conn, in: bufio.NewReader(conn), log: l}
	if h.ImplicitTLS && !c.handshake() {
		return
	}
	if !c.at(Banner, "220 "+h.name()+" ESMTP\r\n") {
		return
	}
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		l.add(line)
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		if !c.answer(verb) {
			return
		}
	}
}

func (c *conversation) answer(verb string) bool {
	switch verb {
	case "EHLO":
		step := EHLO
		if c.secure {
			step = SecureEHLO
		}
		return c.at(step, c.host.hello(c.secure))
	case "HELO":
		step := HELO
		if c.secure {
			step = SecureEHLO
		}
		return c.at(step, "250 "+c.host.name()+"\r\n")
	case "STARTTLS":
		if c.secure || c.host.Certificate == nil {
			return c.say("502 5.5.1 not here\r\n")
		}
		return c.at(STARTTLS, "220 2.0.0 go ahead\r\n") && c.handshake()
	case "QUIT":
		c.at(Quit, "221 2.0.0 bye\r\n")
		return false
	}
	return c.say("502 5.5.1 not here\r\n")
}

// at does what the host does at a step, or what stands in its place.
func (c *conversation) at(step Step, text string) bool {
	if act := c.host.On[step]; act != nil {
		return act(c.conn)
	}
	return c.say(text)
}

func (c *conversation) say(text string) bool { return Say(text)(c.conn) }

func (c *conversation) handshake() bool {
	if act := c.host.On[Handshake]; act != nil {
		// What is said earlier is text after STARTTLS, which is another defect.
		if _, err := c.in.Peek(1); err != nil || !act(c.conn) {
			return false
		}
	}
	cfg := &tls.Config{
		MinVersion: tls.VersionTLS10,
		// Certificates are chosen by the test, not by SNI.
		GetCertificate: func(hi *tls.ClientHelloInfo) (*tls.Certificate, error) {
			c.log.add("SNI " + hi.ServerName)
			return c.host.Certificate, nil
		},
	}
	if c.host.TLS != nil {
		c.host.TLS(cfg)
	}
	conn := tls.Server(buffered{c.conn, c.in}, cfg)
	if err := conn.Handshake(); err != nil {
		return false
	}
	c.conn, c.in, c.secure = conn, bufio.NewReader(conn), true
	return true
}

// buffered reads what a reader has taken from a connection already, and then on.
type buffered struct {
	net.Conn
	in *bufio.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.in.Read(p) }

func (h *Host) name() string {
	if h.Name == "" {
		return "mx.example.org"
	}
	return h.Name
}

func (h *Host) hello(secure bool) string {
	ext := h.Extensions
	if ext == nil {
		ext = []string{"PIPELINING", "SIZE 10240000", "8BITMIME"}
	}
	lines := append([]string{h.name()}, ext...)
	if h.Certificate != nil && !secure && !h.HideSTARTTLS {
		lines = append(lines, "STARTTLS")
	}
	var b strings.Builder
	for i, l := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		b.WriteString("250" + sep + l + "\r\n")
	}
	return b.String()
}
