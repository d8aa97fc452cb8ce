package send_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/probe/send"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// One recipient, whatever is tried to make it two, and no words on the wire that
// are not ours.
func TestAddresses(t *testing.T) {
	n := &network{hosts: map[string]*host{"192.0.2.1:25": {}}}
	for _, a := range []string{
		"", "bob", "@example.net", "bob@", "bob@@example.net", "bob@example.net, eve@example.net", "bob@example.net eve@example.net",
		"bob@example.net;eve@example.net", "<bob@example.net>", "Bob <bob@example.net>", "a@b>\r\nRCPT TO:<x@y>", "a@b.test> BODY=8BITMIME",
		"a@b.test>", "\"a\r\nb\"@c.test", "a@b.test\x00", "a\x00@b.test", "a b@c.test", "a\tb@c.test", ".a@b.test", "a.@b.test", "a..b@c.test",
		"a@[127.0.0.1]", "a@127.0.0.1", "a@localdomain", "a@b..test", "a@-", "\"a@b.test", "\"a\"b@c.test", "\"\x1b[2J\"@c.test", "a\u202eb@c.test",
		"a\xff@b.test", strings.Repeat("a", 65) + "@b.test", "a@" + strings.Repeat("b.", 130) + "test", "\"a\\\x7f\"@b.test", "a@b.test:25", "a@exa mple.net",
	} {
		for _, from := range []bool{false, true} {
			m := probe
			m.To = a
			if from {
				m.To, m.From = "bob@example.net", a
			}
			_, err := send.Send(t.Context(), m, direct(n))
			if !errors.Is(err, send.ErrAddress) {
				t.Errorf("%q: %v", a, err)
			}
			var bad *send.AddressError
			if errors.As(err, &bad) && (bad.At < 0 || bad.At > len(a) || len(bad.In) > 80) {
				t.Errorf("%q: %+v", a, bad)
			}
		}
	}
	if len(n.dialed) > 0 {
		t.Errorf("dialed %v", n.dialed)
	}
	for _, a := range []string{"bob@example.net", `"a b"@example.net`, `"a\"@b"@example.net`, "o'neil+x=y@example.net", "BOB@EXAMPLE.NET", "bob@exämple.example.net"} {
		m := probe
		m.To = a
		o := direct(n)
		o.DryRun = true
		if r, err := send.Send(t.Context(), m, o); err != nil || !strings.Contains(strings.Join(r.Commands, "\n"), "RCPT TO:<") {
			t.Errorf("%q: %v", a, err)
		}
	}
}

func TestInjection(t *testing.T) {
	o := direct(&network{})
	o.DryRun = true
	for name, edit := range map[string]func(*send.Message, *send.Options){
		"subject":      func(m *send.Message, _ *send.Options) { m.Subject = "a\r\nBcc: eve@example.net" },
		"subject NUL":  func(m *send.Message, _ *send.Options) { m.Subject = "a\x00" },
		"subject bidi": func(m *send.Message, _ *send.Options) { m.Subject = "\u202eexe" },
		"long subject": func(m *send.Message, _ *send.Options) { m.Subject = strings.Repeat("a", 151) },
		"url":          func(m *send.Message, _ *send.Options) { m.OneClick = "https://example.org/>\r\nBcc: a@b" },
		"url bracket":  func(m *send.Message, _ *send.Options) { m.OneClick = "https://example.org/a>b" },
		"http":         func(m *send.Message, _ *send.Options) { m.OneClick = "http://example.org/" },
		"userinfo":     func(m *send.Message, _ *send.Options) { m.OneClick = "https://a@example.org/" },
		"long url": func(m *send.Message, _ *send.Options) {
			m.OneClick = "https://example.org/" + strings.Repeat("a", 1000)
		},
		"token":              func(m *send.Message, _ *send.Options) { m.Token = "x\r\nBcc: a@b" },
		"EHLO":               func(_ *send.Message, o *send.Options) { o.Name = "a\r\nMAIL" },
		"ENVID":              func(_ *send.Message, o *send.Options) { o.DSN.EnvelopeID = "a b" },
		"NOTIFY":             func(_ *send.Message, o *send.Options) { o.DSN.Notify = []string{"never", "success"} },
		"NOTIFY word":        func(_ *send.Message, o *send.Options) { o.DSN.Notify = []string{"always"} },
		"NOTIFY twice":       func(_ *send.Message, o *send.Options) { o.DSN.Notify = []string{"delay", "DELAY"} },
		"RET":                func(_ *send.Message, o *send.Options) { o.DSN.Return = "all" },
		"security":           func(_ *send.Message, o *send.Options) { o.Security = "some" },
		"plain and required": func(_ *send.Message, o *send.Options) { o.Security, o.RequireTLS = send.Plain, true },
		"user": func(_ *send.Message, o *send.Options) {
			o.Submission = &send.Submission{Host: "mx.example.net", User: "a\x00b"}
		},
		"host": func(_ *send.Message, o *send.Options) { o.Submission = &send.Submission{Host: "a b"} },
		"mechanism": func(_ *send.Message, o *send.Options) {
			o.Submission = &send.Submission{Host: "mx.example.net", User: "a", Mechanism: "CRAM-MD5"}
		},
		"selector": func(_ *send.Message, o *send.Options) { s := *o.Sign; s.Selector = ""; o.Sign = &s },
	} {
		m, opt := probe, o
		edit(&m, &opt)
		if _, err := send.Send(t.Context(), m, opt); err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.ContainsAny(err.Error(), "\r\n\x00") {
			t.Errorf("%s: the error is not fit to be shown: %q", name, err)
		}
	}
}

// Nobody sends a probe in the name of a domain that is not his.
func TestOwner(t *testing.T) {
	n := &network{hosts: map[string]*host{"192.0.2.1:25": {}}}
	const secret = "a secret that nobody guesses"
	name, text, err := send.Proof(resolve.MustName("example.com"), secret)
	if err != nil {
		t.Fatal(err)
	}
	zone := zonetest.Merge(world, zonetest.MustParse(name.FQDN()+" 60 IN TXT \""+text+"\"\nexample.com. 60 IN TXT x\n"))
	other := *direct(n).Sign
	other.Domain = resolve.MustName("example.com")
	down := resolve.Func(func(_ context.Context, q resolve.Question) (resolve.Answer, error) {
		return resolve.Answer{}, &resolve.Error{Reason: resolve.ErrTimeout, Question: q}
	})
	for _, c := range []struct {
		name, from, mailFrom string
		edit                 func(*send.Options)
		ok                   bool
		state                resolve.State
	}{
		{"key", "a@example.org", "", nil, true, 0},
		{"key of the parent", "a@sub.example.org", "", nil, true, 0},
		{"another domain", "a@example.com", "", nil, false, resolve.Absent},
		{"a name that ends alike", "a@badexample.org", "", nil, false, resolve.Absent},
		{"key that is not published", "a@example.com", "", func(o *send.Options) { o.Sign = &other }, false, resolve.Absent},
		{"nothing", "a@example.org", "", func(o *send.Options) { o.Sign = nil }, false, resolve.Absent},
		{"record", "a@example.com", "", func(o *send.Options) { o.Sign, o.Secret = nil, secret }, true, 0},
		{"record of another secret", "a@example.com", "", func(o *send.Options) { o.Sign, o.Secret = nil, secret+"x" }, false, resolve.Absent},
		{"short secret", "a@example.com", "", func(o *send.Options) { o.Sign, o.Secret = nil, "short" }, false, resolve.Absent},
		{"login", "a@example.com", "", func(o *send.Options) { o.Submission = submit(n, "").Submission }, true, 0},
		{"a server without a login", "a@example.com", "", func(o *send.Options) { o.Submission = &send.Submission{Host: "submit.example.net"} }, false, resolve.Absent},
		{"another envelope", "a@example.org", "a@example.com", nil, false, resolve.Absent},
		{"DNS is silent", "a@example.org", "", func(o *send.Options) { o.Resolver = down }, false, resolve.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := direct(n)
			o.Resolver = zone
			if c.edit != nil {
				c.edit(&o)
			}
			n.dialed = nil
			_, err := send.Send(t.Context(), send.Message{From: c.from, MailFrom: c.mailFrom, To: "bob@example.net"}, o)
			if c.ok {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, send.ErrOwner) || !send.IsLimit(err) || len(n.dialed) > 0 {
				t.Fatalf("%v; dialed %v", err, n.dialed)
			}
			var e *send.OwnerError
			if errors.As(err, &e) && e.State != c.state {
				t.Errorf("state %v, want %v", e.State, c.state)
			}
		})
	}
}

func TestPace(t *testing.T) {
	for name, ledger := range map[string]*send.Ledger{"memory": {}, "files": {Dir: filepath.Join(t.TempDir(), "ledger")}} {
		t.Run(name, func(t *testing.T) {
			n := &network{hosts: map[string]*host{"192.0.2.1:25": {}}}
			clock := now
			o := direct(n)
			o.Ledger, o.Now = ledger, func() time.Time { return clock }
			send1 := func() error { _, err := send.Send(t.Context(), probe, o); return err }
			if err := send1(); err != nil {
				t.Fatal(err)
			}
			clock = clock.Add(send.Pace - time.Second)
			var pace *send.PaceError
			if err := send1(); !errors.As(err, &pace) || pace.Wait != time.Second || !errors.Is(err, send.ErrPace) {
				t.Fatalf("%v", err)
			}
			if len(n.dialed) != 1 {
				t.Errorf("dialed %v", n.dialed)
			}
			m := probe
			m.To = "carol@bare.example.net" // another domain
			if _, err := send.Send(t.Context(), m, o); err != nil {
				t.Error(err)
			}
			clock = clock.Add(time.Second)
			if err := send1(); err != nil {
				t.Error(err)
			}
			clock = clock.Add(-24 * time.Hour) // the clock is set back
			if err := send1(); !errors.Is(err, send.ErrPace) {
				t.Error(err)
			}
			clock = clock.Add(send.Pace)
			if err := send1(); ledger.Dir != "" && err != nil {
				t.Errorf("set back for good: %v", err)
			}
		})
	}
}

// Files that are broken do not open the gate, and processes do not race.
func TestLedgerFiles(t *testing.T) {
	dir := t.TempDir()
	domain := resolve.MustName("example.net")
	l := &send.Ledger{Dir: dir}
	at := time.Now()
	if err := l.Reserve(domain, at); err != nil {
		t.Fatal(err)
	}
	files, _ := os.ReadDir(dir)
	if len(files) != 1 || strings.Contains(files[0].Name(), "example") {
		t.Fatalf("%v", files)
	}
	path := filepath.Join(dir, files[0].Name())
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	for _, junk := range []string{"", "junk", strings.Repeat("x", 100), "2026-13-01T00:00:00Z"} {
		if err := os.WriteFile(path, []byte(junk), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := (&send.Ledger{Dir: dir}).Reserve(domain, time.Now()); !errors.Is(err, send.ErrPace) {
			t.Errorf("%.10q: %v", junk, err)
		}
	}
	os.Remove(path)
	var wg sync.WaitGroup
	var mu sync.Mutex
	ok := 0
	for range 8 {
		wg.Go(func() {
			if (&send.Ledger{Dir: dir}).Reserve(domain, at) == nil {
				mu.Lock()
				ok++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if ok != 1 {
		t.Errorf("%d of 8 processes may send", ok)
	}
	// A lock that was left behind.
	os.Remove(path)
	if err := os.WriteFile(path+".lock", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Reserve(domain, at); !errors.Is(err, send.ErrPace) {
		t.Errorf("locked: %v", err)
	}
	old := at.Add(-time.Minute)
	if err := os.Chtimes(path+".lock", old, old); err != nil {
		t.Fatal(err)
	}
	if err := l.Reserve(domain, at); err != nil {
		t.Errorf("an old lock: %v", err)
	}
}

// A probe that stops behind the recipient would be a tool for guessing addresses.
func TestStopAtRcpt(t *testing.T) {
	h := &host{}
	n := &network{hosts: map[string]*host{"192.0.2.1:25": h, "192.0.2.5:587": h}}
	o := direct(n)
	o.StopAtRcpt = true
	if _, err := send.Send(t.Context(), probe, o); !errors.Is(err, send.ErrVerify) || len(n.dialed) > 0 {
		t.Errorf("%v", err)
	}
	m := probe
	m.To = "Postmaster@example.net"
	want(t, must(t, m, o), send.Stopped, "takes mail for the recipient")
	if said := strings.Join(h.said(), "\n"); !strings.HasSuffix(said, "RCPT TO:<Postmaster@example.net>\nRSET\nQUIT") || len(h.got()) > 0 {
		t.Errorf("said %q", said)
	}
	o.Submission, m.To = &send.Submission{Host: "submit.example.net"}, "anybody@example.org"
	want(t, must(t, m, o), send.Stopped, "")
}

// The text is fixed: it says who sent it, why, and how to stop it.
func TestText(t *testing.T) {
	o := direct(&network{})
	o.DryRun = true
	r := must(t, probe, o)
	for _, w := range []string{"was sent by mailcheck", "because somebody who holds", "To stop such mail", "\r\nprobe@example.org\r\n", "Auto-Submitted: auto-generated\r\n", "X-Mailcheck-Probe: " + r.Token} {
		if !bytes.Contains(r.Message, []byte(w)) {
			t.Errorf("no %q in\n%s", w, r.Message)
		}
	}
	if len(r.Message) > send.MaxMessage {
		t.Errorf("%d octets", len(r.Message))
	}
	o.Sign = &dkim.SignOptions{Domain: o.Sign.Domain, Selector: "s1", Key: key, Headers: []string{"To"}}
	if _, err := send.Send(t.Context(), probe, o); !errors.Is(err, send.ErrMessage) {
		t.Errorf("From is not signed: %v", err)
	}
}
