package cli

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// literal is a mail that is appended to a mailbox.
type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// A mailbox is read once: the second run finds nothing new, and a password is
// never sent in the open unless that is asked for.
func TestImportFromMailbox(t *testing.T) {
	user := imapmemserver.NewUser("me@example.org", "secret")
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	mem := imapmemserver.New()
	mem.AddUser(user)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}},
		Logger:       log.New(io.Discard, "", 0),
		InsecureAuth: true,
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close() })
	dir := t.TempDir()
	for day := range 3 {
		writeReport(t, dir, "google.com", day, []seen{{"192.0.2.10", 50, true, true, "example.org", "example.org", "pass", "s1@example.org=pass", "", ""}})
		text, _, _ := ask(t, nil, "", "reports", "parse", filepath.Join(dir, fmt.Sprintf("google.com-%02d.xml", day)), "-o", "json")
		if !strings.Contains(text, `"aggregate"`) {
			t.Fatal("the fixture is no report")
		}
		raw, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("google.com-%02d.xml", day)))
		if err != nil {
			t.Fatal(err)
		}
		xml := string(raw)
		mail := "From: noreply@google.com\r\nTo: dmarc@example.org\r\nSubject: Report\r\nMIME-Version: 1.0\r\nContent-Type: text/xml\r\n\r\n" + strings.ReplaceAll(xml, "\n", "\r\n")
		if _, err := user.Append("INBOX", literal{bytes.NewReader([]byte(mail))}, &imap.AppendOptions{Time: time.Unix(1e9, 0)}); err != nil {
			t.Fatal(err)
		}
	}
	url := "imap://me%40example.org@" + ln.Addr().String() + "/INBOX"
	store := filepath.Join(dir, "store")
	env := map[string]string{"PASS": "secret", "WRONG": "nonsense"}
	for _, c := range []struct {
		name, want string
		args       []string
		code       int
	}{
		{"the password would be sent in the open", "TLS", []string{"--password-env", "PASS"}, ExitIncomplete},
		{"a wrong password", "", []string{"--password-env", "WRONG", "--insecure"}, ExitIncomplete},
		{"no password", "", nil, ExitUsage},
		{"all is new", `"reports_new": 3`, []string{"--password-env", "PASS", "--insecure"}, ExitOK},
		{"nothing is new", `"reports_new": 0`, []string{"--password-env", "PASS", "--insecure"}, ExitOK},
		{"a folder that is not there", "", []string{"--password-env", "PASS", "--insecure", "/Nowhere"}, ExitIncomplete},
	} {
		u := url
		if n := len(c.args); n > 0 && strings.HasPrefix(c.args[n-1], "/") {
			u, c.args = strings.Replace(url, "/INBOX", c.args[n-1], 1), c.args[:n-1]
		}
		out, errs, code := ask(t, env, "", append([]string{"reports", "import", u, "--store", store, "-o", "json"}, c.args...)...)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%s: exit code %d, want %d\n%s%s", c.name, code, c.code, out, errs)
		}
		if strings.Contains(out+errs, "secret") || strings.Contains(out+errs, "nonsense") {
			t.Errorf("%s: the password is shown", c.name)
		}
	}
	out, _, code := ask(t, nil, "", "reports", "summary", "--store", store, "-o", "json")
	if code != ExitOK || !strings.Contains(out, `"messages": 150`) {
		t.Errorf("the sums after two runs: exit code %d\n%.600s", code, out)
	}
}
