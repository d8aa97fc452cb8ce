package mailbox_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/mailcheck-go/mailcheck/reports/mailbox"
)

// certificate makes a server's certificate for 127.0.0.1, and the client's trust.
var certificate = sync.OnceValues(func() (tls.Certificate, *tls.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, &tls.Config{RootCAs: pool}
})

// imapServer starts a whole IMAP server with a user "me@example.org", password
// "secret", and an INBOX.
func imapServer(t *testing.T, direct, starttls bool) (*imapmemserver.User, mailbox.Address) {
	t.Helper()
	user := imapmemserver.NewUser("me@example.org", "secret")
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	mem := imapmemserver.New()
	mem.AddUser(user)
	cert, _ := certificate()
	opt := &imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapMove: {}, imap.CapUIDPlus: {}, imap.CapIdle: {}, imap.CapESearch: {}},
		Logger:       log.New(io.Discard, "", 0),
		InsecureAuth: !starttls && !direct,
	}
	if starttls {
		opt.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	if direct {
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{cert}})
	}
	s := imapserver.New(opt)
	go s.Serve(ln)
	t.Cleanup(func() { s.Close() })
	return user, mailbox.Address{Host: "127.0.0.1", Port: port, User: "me@example.org", Folder: "INBOX", TLS: direct}
}

type literal struct {
	*strings.Reader
}

func (l literal) Size() int64 { return l.Reader.Size() }

func put(t *testing.T, u *imapmemserver.User, folder, mail string) {
	t.Helper()
	if _, err := u.Append(folder, literal{strings.NewReader(mail)}, &imap.AppendOptions{}); err != nil {
		t.Fatal(err)
	}
}

func secret(string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return "secret", nil }
}

// fake is a server that misbehaves as told. Its folder is INBOX.
type fake struct {
	mu       sync.Mutex
	validity uint32
	next     uint32            // UIDNEXT; 0: not told
	mails    map[uint32]string // by UID
	caps     string
	commands int // of all connections
	conns    int
	// hook, if set, may answer a command in the server's place.
	hook func(f *fake, c *fakeConn, n int, tag, cmd string) bool
	addr mailbox.Address
}

type fakeConn struct {
	net.Conn
	r *bufio.Reader
}

func (c *fakeConn) say(format string, args ...any) { fmt.Fprintf(c.Conn, format+"\r\n", args...) }

// startFake starts it, without TLS.
func startFake(t *testing.T, f *fake) *fake {
	t.Helper()
	if f.validity == 0 {
		f.validity = 7
	}
	if f.caps == "" {
		f.caps = "IMAP4rev1"
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	f.addr = mailbox.Address{Host: "127.0.0.1", Port: port, User: "me", Folder: "INBOX"}
	var open sync.Map
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			open.Store(conn, nil)
			f.mu.Lock()
			f.conns++
			f.mu.Unlock()
			go f.serve(&fakeConn{conn, bufio.NewReader(conn)})
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		open.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
	})
	return f
}

var (
	uidFetch  = regexp.MustCompile(`^UID FETCH (\S+) `)
	uidSearch = regexp.MustCompile(`UID (\d+):`)
)

func (f *fake) serve(c *fakeConn) {
	defer c.Close()
	if f.hook != nil && f.hook(f, c, -1, "*", "GREETING") {
		return
	}
	c.say("* OK [CAPABILITY %s] hello", f.caps)
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return
		}
		tag, cmd, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		f.mu.Lock()
		n := f.commands
		f.commands++
		f.mu.Unlock()
		if f.hook != nil && f.hook(f, c, n, tag, cmd) {
			continue
		}
		f.answer(c, tag, cmd)
	}
}

func (f *fake) answer(c *fakeConn, tag, cmd string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	word, _, _ := strings.Cut(cmd, " ")
	switch word {
	case "CAPABILITY":
		c.say("* CAPABILITY %s", f.caps)
	case "SELECT", "EXAMINE":
		c.say("* %d EXISTS", len(f.mails))
		c.say("* OK [UIDVALIDITY %d] it", f.validity)
		if f.next != 0 {
			c.say("* OK [UIDNEXT %d] it", f.next)
		}
	case "IDLE":
		c.say("+ idling")
		c.r.ReadString('\n')
	case "UID":
		f.uid(c, cmd)
	}
	c.say("%s OK done", tag)
}

func (f *fake) uid(c *fakeConn, cmd string) {
	if m := uidSearch.FindStringSubmatch(cmd); m != nil && strings.HasPrefix(cmd, "UID SEARCH") {
		first, _ := strconv.Atoi(m[1])
		line := "* SEARCH"
		for uid := range f.mails {
			if int(uid) >= first {
				line += fmt.Sprintf(" %d", uid)
			}
		}
		c.say("%s", line)
		return
	}
	m := uidFetch.FindStringSubmatch(cmd)
	if m == nil {
		return
	}
	for part := range strings.SplitSeq(m[1], ",") {
		a, b, ok := strings.Cut(part, ":")
		first, _ := strconv.Atoi(a)
		last := first
		if ok {
			last, _ = strconv.Atoi(b)
		}
		for uid, text := range f.mails {
			if int(uid) < first || int(uid) > last {
				continue
			}
			if strings.Contains(cmd, "BODY") {
				c.say("* %d FETCH (UID %d BODY[]<0> {%d}\r\n%s)", uid, uid, len(text), text)
			} else {
				c.say("* %d FETCH (UID %d RFC822.SIZE %d FLAGS ())", uid, uid, len(text))
			}
		}
	}
}

// many gives a fake n small mails.
func many(n int) map[uint32]string {
	out := map[uint32]string{}
	for i := range n {
		out[uint32(i+1)] = report(i)
	}
	return out
}

// report is a mail with a report.
func report(i int) string {
	return fmt.Sprintf("From: dmarc@receiver.example\r\nSubject: Report\r\nMessage-ID: <%d@receiver.example>\r\nContent-Type: text/xml\r\n\r\n"+
		`<feedback><report_metadata><org_name>R</org_name><email>dmarc@receiver.example</email><report_id>%d</report_id>`+
		`<date_range><begin>1700006400</begin><end>1700092799</end></date_range></report_metadata><policy_published><domain>example.org</domain><p>none</p></policy_published>`+
		`<record><row><source_ip>192.0.2.1</source_ip><count>1</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>pass</spf></policy_evaluated></row>`+
		`<identifiers><header_from>example.org</header_from></identifiers><auth_results/></record></feedback>`+"\r\n", i, i)
}
