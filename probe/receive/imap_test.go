package receive_test

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/mailcheck-go/mailcheck/message/verdict"
	"github.com/mailcheck-go/mailcheck/probe/receive"
	"github.com/mailcheck-go/mailcheck/reports/mailbox"
)

// imapServer is a whole server with one user.
func imapServer(t *testing.T) (*imapmemserver.User, func(context.Context) (mailbox.Mailbox, error)) {
	t.Helper()
	user := imapmemserver.NewUser("me@example.net", "secret")
	mem := imapmemserver.New()
	mem.AddUser(user)
	srv := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps:   imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}, imap.CapESearch: {}},
		Logger: log.New(io.Discard, "", 0), InsecureAuth: true,
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return user, func(ctx context.Context) (mailbox.Mailbox, error) {
		return mailbox.Dial(ctx, mailbox.Address{Host: "127.0.0.1", Port: port, User: "me@example.net"},
			mailbox.Options{Plain: true, Password: func(context.Context) (string, error) { return "secret", nil }})
	}
}

func store(t *testing.T, user *imapmemserver.User, folder, text string) {
	t.Helper()
	if _, err := user.Append(folder, bytes.NewReader([]byte(text)), &imap.AppendOptions{}); err != nil {
		t.Fatal(err)
	}
}

// special adds what a mailbox can tell besides: the uses of its folders.
type special struct {
	mailbox.Mailbox
	folders map[string][]string
}

func (s special) Folders(context.Context) (map[string][]string, error) { return s.folders, nil }

func TestIMAP(t *testing.T) {
	user, open := imapServer(t)
	for _, f := range []string{"INBOX", "Spam", "Werbung"} {
		if err := user.Create(f, nil); err != nil {
			t.Fatal(err)
		}
	}
	store(t, user, "INBOX", "Subject: other\r\n\r\n")
	s := receive.NewIMAP(open, receive.IMAPOptions{})
	defer s.Close()
	find := func(s receive.Seed) receive.Result {
		t.Helper()
		r, err := receive.Find(t.Context(), s, receive.Options{Token: tok, SentAt: sentAt, Wait: -1})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := find(s); r.Outcome != receive.NotArrived {
		t.Errorf("%+v", r)
	}
	store(t, user, "Spam", arrived(""))
	if r := find(s); r.Outcome != receive.Arrived || r.Placement != verdict.Spam || r.Folder.Name != "Spam" || r.DelayMS != 5000 {
		t.Errorf("%s %v", r.Outcome, r.Folder)
	}
	if r := find(s); r.Outcome != receive.NotArrived {
		t.Error("the same mail was found twice")
	}
	// The name says nothing, the attribute does.
	store(t, user, "Werbung", arrived(""))
	two := receive.NewIMAP(func(ctx context.Context) (mailbox.Mailbox, error) {
		box, err := open(ctx)
		return special{box, map[string][]string{"INBOX": nil, "Werbung": {`\Junk`}, "Spam": {`\Trash`}}}, err
	}, receive.IMAPOptions{})
	defer two.Close()
	if r := find(two); r.Placement != verdict.Spam || r.Folder.Name != "Werbung" || r.Folder.By != "special-use" {
		t.Errorf("%s %v", r.Outcome, r.Folder)
	}
	// And so does the user.
	three := receive.NewIMAP(open, receive.IMAPOptions{Junk: []string{"Werbung"}})
	defer three.Close()
	if r := find(three); r.Copies != 2 {
		t.Errorf("%d copies", r.Copies)
	}
}

func TestIMAPReconnects(t *testing.T) {
	user, open := imapServer(t)
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	store(t, user, "INBOX", arrived(""))
	opened := 0
	s := receive.NewIMAP(func(ctx context.Context) (mailbox.Mailbox, error) {
		opened++
		box, err := open(ctx)
		if opened == 1 {
			box.Close() // it breaks at once
		}
		return box, err
	}, receive.IMAPOptions{})
	defer s.Close()
	if _, err := receive.Find(t.Context(), s, receive.Options{Token: tok, Wait: -1}); err == nil {
		t.Error("no error")
	}
	if r, err := receive.Find(t.Context(), s, receive.Options{Token: tok, Wait: -1}); err != nil || r.Outcome != receive.Arrived || opened != 2 {
		t.Errorf("%s, %v, %d connections", r.Outcome, err, opened)
	}
}
