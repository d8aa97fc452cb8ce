package mailbox_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"

	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/memory"
	"github.com/mailcheck-go/mailcheck/reports/ingest"
	"github.com/mailcheck-go/mailcheck/reports/mailbox"
)

const quick = 150 * time.Millisecond

var noBackoff = []time.Duration{time.Millisecond}

func source(a mailbox.Address, opt mailbox.Options, after mailbox.After, store archive.Reader) *mailbox.Source {
	opt.Password = secret("")
	if opt.Stall == 0 {
		opt.Stall = 5 * time.Second
	}
	return mailbox.NewSource(mailbox.SourceOptions{
		Name: a.String(), Folder: a.Folder, After: after, Backoff: noBackoff, Cursor: store.Cursor,
		Open: func(ctx context.Context) (mailbox.Mailbox, error) { return mailbox.Dial(ctx, a, opt) },
	})
}

func run(t *testing.T, s *mailbox.Source, store archive.Store) *ingest.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	res, err := ingest.Run(ctx, s.Inputs(ctx), ingest.Options{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	return res
}

func TestResume(t *testing.T) {
	_, trust := certificate()
	for _, way := range []struct {
		name            string
		direct, upgrade bool
		opt             mailbox.Options
	}{
		{"TLS", true, false, mailbox.Options{TLS: trust}},
		{"STARTTLS", false, true, mailbox.Options{TLS: trust}},
		{"STARTTLS, plain allowed", false, true, mailbox.Options{TLS: trust, Plain: true}},
		{"plain", false, false, mailbox.Options{Plain: true}},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			user, a := imapServer(t, way.direct, way.upgrade)
			for i := range 120 {
				put(t, user, "INBOX", report(i))
			}
			store := memory.New()
			if res := run(t, source(a, way.opt, mailbox.After{}, store), store); res.New != 120 || res.Files != 120 || len(res.Unavailable) != 0 {
				t.Fatalf("first: %+v", res)
			}
			put(t, user, "INBOX", report(500))
			put(t, user, "INBOX", report(3)) // it came again
			if res := run(t, source(a, way.opt, mailbox.After{}, store), store); res.New != 1 || res.Duplicate != 1 || res.Files != 2 {
				t.Fatalf("second: %+v", res)
			}
			if res := run(t, source(a, way.opt, mailbox.After{}, store), store); res.Files != 0 {
				t.Fatalf("third: %+v", res)
			}
		})
	}
}

// RFC 9051, Section 11.1: no password without TLS.
func TestNoPlaintext(t *testing.T) {
	_, a := imapServer(t, false, false)
	_, err := mailbox.Dial(context.Background(), a, mailbox.Options{Password: secret(""), Stall: time.Second})
	if !errors.Is(err, mailbox.ErrPlaintext) {
		t.Errorf("got %v", err)
	}
	// A certificate that nobody trusts, and a name that is another.
	_, a = imapServer(t, true, false)
	for _, config := range []*tls.Config{nil, {ServerName: "imap.example.org"}} {
		if _, err := mailbox.Dial(context.Background(), a, mailbox.Options{Password: secret(""), TLS: config, Plain: true}); !errors.Is(err, mailbox.ErrLost) {
			t.Errorf("got %v", err)
		}
	}
}

func TestLogin(t *testing.T) {
	_, trust := certificate()
	_, a := imapServer(t, true, false)
	wrong := func(context.Context) (string, error) { return "wrong", nil }
	if _, err := mailbox.Dial(context.Background(), a, mailbox.Options{Password: wrong, TLS: trust}); !errors.Is(err, mailbox.ErrLogin) || errors.Is(err, mailbox.ErrLost) {
		t.Errorf("got %v", err)
	}
	for _, bad := range []string{"", "a\nb", "a\x00b"} {
		ask := func(context.Context) (string, error) { return bad, nil }
		if _, err := mailbox.Dial(context.Background(), a, mailbox.Options{Password: ask, TLS: trust}); !errors.Is(err, mailbox.ErrLogin) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	if _, err := mailbox.Dial(context.Background(), a, mailbox.Options{TLS: trust}); !errors.Is(err, mailbox.ErrLogin) {
		t.Errorf("got %v", err)
	}
}

func TestToken(t *testing.T) {
	for _, mech := range []string{"XOAUTH2", "OAUTHBEARER"} {
		var seen string
		var mu sync.Mutex
		f := startFake(t, &fake{mails: many(3), next: 4, caps: "IMAP4rev1 SASL-IR AUTH=" + mech, hook: func(f *fake, c *fakeConn, n int, tag, cmd string) bool {
			if strings.HasPrefix(cmd, "AUTHENTICATE") {
				mu.Lock()
				defer mu.Unlock()
				seen = cmd
			}
			return false
		}})
		store := memory.New()
		opt := mailbox.Options{Plain: true, Token: func(context.Context) (string, error) { return "tok", nil }}
		if res := run(t, source(f.addr, opt, mailbox.After{}, store), store); res.New != 3 || !func() bool { mu.Lock(); defer mu.Unlock(); return strings.HasPrefix(seen, "AUTHENTICATE "+mech+" ") }() {
			t.Errorf("%s: %+v", mech, res)
		}
	}
}

func TestAfter(t *testing.T) {
	_, trust := certificate()
	for _, tt := range []struct {
		after string
		left  uint32 // mails in INBOX
		seen  uint32 // unseen among them
		moved uint32
	}{
		{"keep", 4, 4, 0}, {"seen", 4, 1, 0}, {"flag", 4, 4, 0}, {"move:Done/Reports", 1, 1, 3}, {"delete", 1, 1, 0},
	} {
		t.Run(tt.after, func(t *testing.T) {
			t.Parallel()
			user, a := imapServer(t, true, false)
			for i := range 3 {
				put(t, user, "INBOX", report(i))
			}
			put(t, user, "INBOX", "From: a@example.net\r\nSubject: hello\r\n\r\nno report\r\n")
			after, err := mailbox.ParseAfter(tt.after)
			if err != nil {
				t.Fatal(err)
			}
			store := memory.New()
			res := run(t, source(a, mailbox.Options{TLS: trust}, after, store), store)
			if res.New != 3 || res.Refused != 1 || len(res.Unavailable) != 0 {
				t.Fatalf("%+v", res)
			}
			count := func(folder string) (uint32, uint32) {
				d, err := user.Status(folder, statusAll)
				if err != nil {
					return 0, 0
				}
				return *d.NumMessages, *d.NumUnseen
			}
			if n, unseen := count("INBOX"); n != tt.left || unseen != tt.seen {
				t.Errorf("%d mails, %d unseen", n, unseen)
			}
			if n, _ := count(after.To); n != tt.moved {
				t.Errorf("%d mails moved", n)
			}
			if res := run(t, source(a, mailbox.Options{TLS: trust}, after, store), store); res.Files != 0 {
				t.Errorf("again: %+v", res)
			}
		})
	}
}

// A mail is not touched before what is in it has been committed.
func TestUncommitted(t *testing.T) {
	_, trust := certificate()
	user, a := imapServer(t, true, false)
	for i := range 5 {
		put(t, user, "INBOX", report(i))
	}
	store := memory.New()
	src := source(a, mailbox.Options{TLS: trust}, mailbox.After{Action: mailbox.Delete}, store)
	defer src.Close()
	_, err := ingest.Run(context.Background(), src.Inputs(context.Background()), ingest.Options{Store: failing{store}})
	if !errors.Is(err, archive.ErrFull) {
		t.Fatal(err)
	}
	if d, _ := user.Status("INBOX", statusAll); *d.NumMessages != 5 {
		t.Errorf("%d mails are left", *d.NumMessages)
	}
	if res := run(t, source(a, mailbox.Options{TLS: trust}, mailbox.After{Action: mailbox.Delete}, store), store); res.New != 5 {
		t.Errorf("%+v", res)
	}
	if d, _ := user.Status("INBOX", statusAll); *d.NumMessages != 0 {
		t.Errorf("%d mails are left", *d.NumMessages)
	}
}

// failing is a store whose disk is full at every commit.
type failing struct{ archive.Store }

func (f failing) Begin(ctx context.Context) (archive.Batch, error) {
	b, err := f.Store.Begin(ctx)
	return failingBatch{b}, err
}

type failingBatch struct{ archive.Batch }

func (b failingBatch) Commit() error {
	b.Batch.Rollback()
	return archive.ErrFull
}

// RFC 9051, Section 2.3.1.1: with another UIDVALIDITY all is read again.
func TestValidity(t *testing.T) {
	f := startFake(t, &fake{mails: many(10), next: 11})
	store := memory.New()
	opt := mailbox.Options{Plain: true}
	if res := run(t, source(f.addr, opt, mailbox.After{}, store), store); res.New != 10 {
		t.Fatalf("%+v", res)
	}
	f.validity = 8
	f.mails[4] = report(99)
	if res := run(t, source(f.addr, opt, mailbox.After{}, store), store); res.New != 1 || res.Duplicate != 9 {
		t.Fatalf("%+v", res)
	}
	c, err := store.Cursor(context.Background(), "imap:"+f.addr.String())
	if err != nil || c != (archive.Cursor{Validity: 8, UID: 10}) {
		t.Errorf("%+v, %v", c, err)
	}
}

// UIDs may be far apart, and the server need not tell the next.
func TestSparse(t *testing.T) {
	for _, caps := range []string{"IMAP4rev1", "IMAP4rev1 ESEARCH"} {
		f := startFake(t, &fake{caps: caps, mails: map[uint32]string{
			1: report(1), 2000: report(2), 4_000_000: report(3), 4_294_967_295: report(4),
		}})
		store := memory.New()
		if res := run(t, source(f.addr, mailbox.Options{Plain: true}, mailbox.After{}, store), store); res.New != 4 || len(res.Unavailable) > 0 {
			t.Fatalf("%s: %+v", caps, res)
		}
	}
}

// The server hangs up at the nth command, once or always.
func TestDrops(t *testing.T) {
	for n := -1; n < 8; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			dropped := false
			f := &fake{mails: many(60), next: 61}
			f.hook = func(f *fake, c *fakeConn, at int, tag, cmd string) bool {
				f.mu.Lock()
				defer f.mu.Unlock()
				if dropped || at != n {
					return false
				}
				dropped = true
				if strings.Contains(cmd, "BODY") { // in the middle of a mail
					c.say("* 1 FETCH (UID 1 BODY[]<0> {%d}\r\nFrom: dmarc", len(f.mails[1]))
				}
				c.Close()
				return true
			}
			startFake(t, f)
			store := memory.New()
			if res := run(t, source(f.addr, mailbox.Options{Plain: true}, mailbox.After{}, store), store); res.New != 60 || res.Refused != 0 || len(res.Unavailable) != 0 {
				t.Errorf("%+v", res)
			}
		})
	}
}

func TestHostile(t *testing.T) {
	flood := func(c *fakeConn, line string) {
		b := []byte(strings.Repeat(line+"\r\n", 64<<10/len(line)+1))
		for range 4096 { // 256 MiB, if somebody takes it
			if _, err := c.Write(b); err != nil {
				return
			}
		}
	}
	at := func(word string, do func(f *fake, c *fakeConn, tag, cmd string)) func(*fake, *fakeConn, int, string, string) bool {
		return func(f *fake, c *fakeConn, _ int, tag, cmd string) bool {
			if !strings.Contains(cmd, word) {
				return false
			}
			do(f, c, tag, cmd)
			return true
		}
	}
	tests := []struct {
		name   string
		hook   func(*fake, *fakeConn, int, string, string) bool
		reason string // in Unavailable; empty: mails are refused
	}{
		{"no greeting", at("GREETING", func(f *fake, c *fakeConn, _, _ string) { time.Sleep(20 * quick) }), "stalls"},
		{"greeting without end", at("GREETING", func(f *fake, c *fakeConn, _, _ string) {
			c.Write([]byte("* OK ["))
			flood(c, "* OK [CAPABILITY IMAP4rev1]")
		}), "connection lost"},
		{"login stalls", at("LOGIN", func(f *fake, c *fakeConn, _, _ string) {}), "stalls"},
		{"select stalls", at("EXAMINE", func(f *fake, c *fakeConn, _, _ string) {}), "stalls"},
		{"fetch stalls", at("BODY", func(f *fake, c *fakeConn, _, _ string) {
			c.say("* 1 FETCH (UID 1 BODY[]<0> {%d}\r\nFrom: dmarc", len(f.mails[1]))
		}), "stalls"},
		{"it drips", at("BODY", func(f *fake, c *fakeConn, _, _ string) {
			for range 100 {
				if _, err := c.Write([]byte("*")); err != nil {
					return
				}
				time.Sleep(quick / 3)
			}
		}), ""},
		{"untagged flood", at("EXAMINE", func(f *fake, c *fakeConn, _, _ string) { flood(c, "* 5 EXISTS") }), "more than it was asked for"},
		{"a line without end", at("FETCH", func(f *fake, c *fakeConn, _, _ string) {
			b := []byte(strings.Repeat("x", 64<<10))
			for range 4096 {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		}), "more than it was asked for"},
		{"a literal in a flag list", at("EXAMINE", func(f *fake, c *fakeConn, _, _ string) { c.say("* LIST () \"/\" {9223372036854775807}"); flood(c, "x") }), "more than it was asked for"},
		{"deep lists", at("EXAMINE", func(f *fake, c *fakeConn, _, _ string) { c.say("* THREAD %s", strings.Repeat("(", 200_000)) }), "connection lost"},
		{"mails that nobody asked for", at("BODY", func(f *fake, c *fakeConn, _, _ string) { flood(c, "* 9 FETCH (UID 9999 FLAGS (x))") }), ""},
		{"a size that is a lie", at("BODY", func(f *fake, c *fakeConn, tag, _ string) {
			c.say("* 1 FETCH (UID 1 BODY[]<0> {%d}", 1<<30)
			flood(c, "xxxxxxxx")
		}), ""},
		{"a size below zero", at("BODY", func(f *fake, c *fakeConn, tag, _ string) { c.say("* 1 FETCH (UID 1 BODY[]<0> {-5}") }), "connection lost"},
		{"nonsense", at("EXAMINE", func(f *fake, c *fakeConn, tag, _ string) { c.say("\x00\xff\x80 ((((") }), "connection lost"},
		{"a wrong tag", at("EXAMINE", func(f *fake, c *fakeConn, tag, _ string) { c.say("X9 OK done") }), "connection lost"},
		{"it says no", at("EXAMINE", func(f *fake, c *fakeConn, tag, _ string) { c.say("%s NO \x1b[31mno such folder", tag) }), "refused by the server"},
		{"mails that it does not have", at("FETCH", func(f *fake, c *fakeConn, tag, _ string) { c.say("%s OK done", tag) }), "does not give them"},
		{"goodbye", at("EXAMINE", func(f *fake, c *fakeConn, tag, _ string) { c.say("* BYE go away"); c.Close() }), "connection lost"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := startFake(t, &fake{mails: many(3), hook: tt.hook})
			store := memory.New()
			res := run(t, source(f.addr, mailbox.Options{Plain: true, Stall: quick}, mailbox.After{}, store), store)
			if res.New != 0 {
				t.Errorf("%+v", res)
			}
			if tt.reason == "" {
				if res.Refused == 0 && len(res.Unavailable) == 0 {
					t.Errorf("%+v", res)
				}
				return
			}
			if len(res.Unavailable) != 1 || !strings.Contains(res.Unavailable[0].Reason, tt.reason) {
				t.Errorf("%+v", res)
			}
		})
	}
}

// Interrupting does not wait for a server that stalls.
func TestCancel(t *testing.T) {
	f := startFake(t, &fake{mails: many(3), hook: func(f *fake, c *fakeConn, n int, tag, cmd string) bool { return strings.Contains(cmd, "BODY") }})
	store := memory.New()
	src := source(f.addr, mailbox.Options{Plain: true, Stall: time.Hour}, mailbox.After{}, store)
	ctx, cancel := context.WithTimeout(context.Background(), quick)
	defer cancel()
	begun := time.Now()
	if _, err := ingest.Run(ctx, src.Inputs(ctx), ingest.Options{Store: store}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	src.Close()
	if d := time.Since(begun); d > 5*time.Second {
		t.Errorf("after %v", d)
	}
}

func TestWait(t *testing.T) {
	_, trust := certificate()
	user, a := imapServer(t, true, false)
	store := memory.New()
	src := source(a, mailbox.Options{TLS: trust}, mailbox.After{}, store)
	defer src.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	pass := func() *ingest.Result {
		res, err := ingest.Run(ctx, src.Inputs(ctx), ingest.Options{Store: store})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	pass()
	go func() {
		time.Sleep(quick)
		put(t, user, "INBOX", report(1))
	}()
	if err := src.Wait(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	if res := pass(); res.New != 1 {
		t.Errorf("%+v", res)
	}
	if err := src.Wait(ctx, time.Millisecond); err != nil {
		t.Error(err)
	}
}

// A mail that is larger than allowed is refused, and the others are read.
func TestLarge(t *testing.T) {
	f := startFake(t, &fake{mails: many(3), next: 4})
	f.mails[2] = strings.Repeat("x", 5000)
	store := memory.New()
	src := mailbox.NewSource(mailbox.SourceOptions{Name: "x", Backoff: noBackoff, Cursor: store.Cursor, MaxMail: 4000,
		Open: func(ctx context.Context) (mailbox.Mailbox, error) {
			return mailbox.Dial(ctx, f.addr, mailbox.Options{Plain: true, Password: secret(""), Stall: time.Second})
		}})
	if res := run(t, src, store); res.New != 2 || res.Refused != 1 || !strings.Contains(res.Rejected[0].Reason, "5000 octets") {
		t.Errorf("%+v", res)
	}
}

// Memory does not grow with the folder.
func TestManyMails(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	n := 3000
	f := startFake(t, &fake{mails: many(n), next: uint32(n + 1)})
	store := memory.New()
	src := source(f.addr, mailbox.Options{Plain: true}, mailbox.After{}, store)
	defer src.Close()
	var peak uint64
	i := 0
	for in, err := range src.Inputs(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		rc, err := in.Open()
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, rc)
		rc.Close()
		if i++; i%500 == 0 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			if peak == 0 {
				peak = m.HeapAlloc
			} else if m.HeapAlloc > peak+4<<20 {
				t.Errorf("%d octets after %d mails, %d after 500", m.HeapAlloc, i, peak)
			}
		}
	}
	if i != n {
		t.Errorf("%d mails", i)
	}
}

func TestParseURL(t *testing.T) {
	for in, want := range map[string]mailbox.Address{
		"imaps://dmarc@imap.example.org":                    {Host: "imap.example.org", Port: "993", User: "dmarc", Folder: "INBOX", TLS: true},
		"imap://a%40example.org@[2001:db8::1]:1143/A/B%20c": {Host: "2001:db8::1", Port: "1143", User: "a@example.org", Folder: "A/B c"},
		"imaps://a@example.org@imap.example.org/INBOX":      {Host: "imap.example.org", Port: "993", User: "a@example.org", Folder: "INBOX", TLS: true},
	} {
		a, err := mailbox.ParseURL(in)
		if err != nil || a != want {
			t.Errorf("%s: %+v, %v", in, a, err)
			continue
		}
		if b, err := mailbox.ParseURL(a.String()); err != nil || b != a {
			t.Errorf("%s: printed %s: %+v, %v", in, a, b, err)
		}
	}
	for _, in := range []string{"", "imaps://", "imaps://host", "imaps://user:secret@host", "http://a@b", "imaps://u@h/x?y", "imaps://u@h/a%0d%0ab", "imaps://u%00@h/"} {
		if _, err := mailbox.ParseURL(in); !errors.Is(err, mailbox.ErrURL) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

var statusAll = &imap.StatusOptions{NumMessages: true, NumUnseen: true}
