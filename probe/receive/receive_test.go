package receive_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailcheck-go/mailcheck/message/verdict"
	"github.com/mailcheck-go/mailcheck/probe/receive"
)

const tok = "aaaaaaaaaaaaaaaaaaaaaaaaaa"

// arrived is a probe as a receiver has it, with fields in front.
func arrived(fields string) string {
	return fields + "Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n\tby mx.example.net with ESMTPS id 1 for <bob@example.net>;\r\n\tSun, 01 Nov 2026 12:00:05 +0000\r\n" +
		"From: probe@example.org\r\nTo: bob@example.net\r\nSubject: mailcheck probe\r\nMessage-ID: <mailcheck." + tok + "@example.org>\r\n" +
		"X-Mailcheck-Probe: " + tok + "\r\n\r\nhello\r\n"
}

var sentAt = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// folder makes a folder of a maildir and puts a mail into it.
func put(t *testing.T, dir, folder, text string) {
	t.Helper()
	if folder != "" {
		dir = filepath.Join(dir, folder)
	}
	for _, sub := range []string{"new", "cur", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if text == "" {
		return
	}
	f, err := os.CreateTemp(filepath.Join(dir, "new"), "1.*.host")
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(text)
	f.Close()
	if err := os.Chtimes(f.Name(), sentAt.Add(5*time.Second), sentAt.Add(5*time.Second)); err != nil {
		t.Fatal(err)
	}
}

func seed(t *testing.T, dir string, opt receive.MaildirOptions) receive.Seed {
	t.Helper()
	s, err := receive.NewMaildir(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPlacement(t *testing.T) {
	ms := func(v string) string {
		return "X-Forefront-Antispam-Report: " + v + "\r\nX-Microsoft-Antispam-Mailbox-Delivery: dest:I;auth:1\r\n"
	}
	for _, c := range []struct {
		name, folder, fields string
		opt                  receive.MaildirOptions
		placement            verdict.Placement
		by                   string
		void                 string
		status               receive.Status
	}{
		{"inbox", "", "", receive.MaildirOptions{}, verdict.Inbox, "name", "", receive.Pass},
		{"junk", ".Junk", "", receive.MaildirOptions{}, verdict.Spam, "name", "", receive.Fail},
		{"junk in a directory", "Spam", "", receive.MaildirOptions{}, verdict.Spam, "name", "", receive.Fail},
		{"junk by another name", ".Müll", "", receive.MaildirOptions{Junk: []string{"Müll"}}, verdict.Spam, "given", "", receive.Fail},
		{"filed by a rule", ".Lists", "", receive.MaildirOptions{}, verdict.Unknown, "name", "a rule of the mailbox", receive.Unknown},
		{"the inbox is another", ".Monitor", "", receive.MaildirOptions{Inbox: []string{"Monitor"}}, verdict.Inbox, "given", "", receive.Pass},
		{"allowed", "", ms("SFV:SKA;SCL:-1;"), receive.MaildirOptions{}, verdict.Inbox, "name", "S", receive.Unknown},
		{"not filtered", "", ms("SFV:SFE;SCL:1;"), receive.MaildirOptions{}, verdict.Inbox, "name", "S", receive.Unknown},
		{"clean", "", ms("SFV:NSPM;SCL:1;"), receive.MaildirOptions{}, verdict.Inbox, "name", "", receive.Pass},
		{"spam that nothing moves", "", "X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=9.1 required=5.0 tests=GTUBE\r\n", receive.MaildirOptions{}, verdict.Inbox, "name", "took it for spam", receive.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, "", "From: a@example.com\r\nSubject: other "+tok+"\r\n\r\n")
			put(t, dir, c.folder, arrived(c.fields))
			r, err := receive.Find(t.Context(), seed(t, dir, c.opt), receive.Options{Token: tok, SentAt: sentAt, Wait: -1})
			if err != nil {
				t.Fatal(err)
			}
			if r.Outcome != receive.Arrived || r.Placement != c.placement || r.Folder.By != c.by || r.Void != (c.void != "") || !strings.Contains(r.VoidWhy, c.void) {
				t.Errorf("%s in %v: placement %q, void %v %q", r.Outcome, r.Folder, r.Placement, r.Void, r.VoidWhy)
			}
			if s, why := r.Status(nil); s != c.status {
				t.Errorf("status %s: %s", s, why)
			}
			if r.DelayMS != 5000 || !r.DelayKnown || r.Copies != 1 || r.Trace.Client.IP.String() != "192.0.2.1" {
				t.Errorf("delay %d, copies %d, client %v", r.DelayMS, r.Copies, r.Trace.Client)
			}
		})
	}
}

// Copies of what was sent, drafts and mails that quote the token are not it.
func TestNotArrived(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "", "From: a@example.com\r\nSubject: Re: "+tok+"\r\n\r\nX-Mailcheck-Probe: "+tok+"\r\n")
	put(t, dir, ".Sent", arrived(""))
	put(t, dir, ".Trash", arrived(""))
	put(t, dir, ".Drafts", arrived(""))
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "new", "link")); err != nil {
		t.Fatal(err)
	}
	put(t, dir, ".Big", arrived("X-Big: "+strings.Repeat("x", receive.MaxMail)+"\r\n"))
	r, err := receive.Find(t.Context(), seed(t, dir, receive.MaildirOptions{}), receive.Options{Token: tok, SentAt: sentAt, Wait: -1})
	if err != nil || r.Outcome != receive.NotArrived {
		t.Errorf("%s, %v", r.Outcome, err)
	}
	if s, _ := r.Status(nil); s != receive.Unknown {
		t.Errorf("status %s", s)
	}
	put(t, dir, "", arrived(""))
	// From long before: another probe cannot have the token, but mails are not read
	// without need.
	r, err = receive.Find(t.Context(), seed(t, dir, receive.MaildirOptions{}), receive.Options{Token: tok, SentAt: sentAt.Add(time.Hour), Wait: -1})
	if err != nil || r.Outcome != receive.NotArrived {
		t.Errorf("%s, %v", r.Outcome, err)
	}
}

func TestBounce(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "", "From: MAILER-DAEMON@example.net\r\nTo: probe@example.org\r\nSubject: failed\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nsorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"+
		"Reporting-MTA: dns; mx.example.net\r\nOriginal-Envelope-Id: "+tok+"\r\n\r\nFinal-Recipient: rfc822; bob@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n"+
		"Diagnostic-Code: smtp; 550 5.1.1 nobody\r\n\r\n--b--\r\n")
	r, err := receive.Find(t.Context(), seed(t, dir, receive.MaildirOptions{}), receive.Options{Token: tok, SentAt: sentAt, Wait: -1})
	if err != nil || r.Outcome != receive.Bounced || r.Bounce.Recipients[0].Status != "5.1.1" {
		t.Errorf("%s %+v, %v", r.Outcome, r.Bounce, err)
	}
	if s, _ := r.Status(nil); s != receive.Fail {
		t.Errorf("status %s", s)
	}
}

// fake is a seed that has the mail after some looks, or fails.
type fake struct {
	after, looks int
	err          error
}

func (f *fake) Folders(context.Context) ([]receive.Folder, error) {
	return []receive.Folder{{Name: "INBOX", Role: receive.Inbox}}, nil
}

func (f *fake) Look(_ context.Context, folder receive.Folder, _ time.Time, each func(receive.Mail) bool) error {
	if f.looks++; f.looks <= f.after {
		return f.err
	}
	each(receive.Mail{Folder: folder, Raw: []byte(arrived(""))})
	return nil
}

func TestPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		// A mailbox that cannot be read for a while is asked again.
		r, err := receive.Find(t.Context(), &fake{after: 3, err: receive.ErrSeed}, receive.Options{Token: tok})
		if err != nil || r.Outcome != receive.Arrived || time.Since(start) != 3*receive.DefaultInterval {
			t.Errorf("%s after %v, %v", r.Outcome, time.Since(start), err)
		}
		start = time.Now()
		r, err = receive.Find(t.Context(), &fake{after: 1 << 20}, receive.Options{Token: tok, Wait: time.Minute})
		if err != nil || r.Outcome != receive.NotArrived || time.Since(start) != time.Minute {
			t.Errorf("%s after %v, %v", r.Outcome, time.Since(start), err)
		}
		// One that stays unreadable is not one without the mail.
		if _, err = receive.Find(t.Context(), &fake{after: 1 << 20, err: receive.ErrSeed}, receive.Options{Token: tok, Wait: time.Minute}); !errors.Is(err, receive.ErrSeed) {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err = receive.Find(ctx, &fake{after: 1 << 20}, receive.Options{Token: tok}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
	for _, bad := range []string{"", "x", tok + "a"} {
		if _, err := receive.Find(t.Context(), &fake{}, receive.Options{Token: bad}); err == nil {
			t.Errorf("%q was searched for", bad)
		}
	}
	if _, err := receive.NewMaildir(t.TempDir(), receive.MaildirOptions{}); !errors.Is(err, receive.ErrSeed) {
		t.Errorf("%v", err)
	}
}

func TestForwarding(t *testing.T) {
	fwd := "Received: from fwd.example.com (fwd.example.com [198.51.100.9])\r\n\tby mx.final.example with ESMTPS id 2;\r\n\tSun, 01 Nov 2026 12:01:00 +0000\r\n"
	for _, c := range []struct {
		name, fields string
		opt          receive.Options
		seen         bool
	}{
		{"straight", "", receive.Options{Direct: true}, false},
		{"one host more", fwd, receive.Options{Direct: true}, true},
		{"by submission that is no sign", fwd, receive.Options{}, false},
		{"to another domain", fwd + "Delivered-To: bob@example.com\r\n", receive.Options{To: "bob@example.net"}, false},
		{"envelope rewritten", "Return-Path: <SRS0=a=b=example.org=probe@fwd.example.com>\r\n" + fwd, receive.Options{MailFrom: "probe@example.org"}, true},
		{"the envelope is the same", "Return-Path: <probe@example.org>\r\n" + fwd, receive.Options{MailFrom: "probe@example.org"}, false},
		{"says so", "X-Forwarded-To: bob@final.example\r\n" + fwd, receive.Options{}, true},
	} {
		c.opt.Token = tok
		r := receive.Read(receive.Mail{Raw: []byte(arrived(c.fields))}, c.opt)
		if r.Forwarded.Seen != c.seen {
			t.Errorf("%s: %+v", c.name, r.Forwarded)
		}
	}
}

func Example() {
	mail := arrived("Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=probe@example.org; dmarc=pass header.from=example.org\r\n")
	r := receive.Read(receive.Mail{Raw: []byte(mail), Folder: receive.Folder{Name: "INBOX", Role: receive.Inbox}}, receive.Options{Token: tok, SentAt: sentAt})
	status, why := r.Status(nil)
	fmt.Println(status, why)
	for _, x := range r.Auth.Trusted() {
		fmt.Println(x.Method, x.Value)
	}
	// Output:
	// pass it is in the inbox
	// spf pass
	// dmarc pass
}

// A delivery that does not rename is seen before it is whole, and again after.
func TestGrowingFile(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "", "")
	path := filepath.Join(dir, "new", "1.host")
	s := seed(t, dir, receive.MaildirOptions{})
	for i, text := range []string{"", "Received: x", arrived("")} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := receive.Find(t.Context(), s, receive.Options{Token: tok, Wait: -1})
		if err != nil || (r.Outcome == receive.Arrived) != (i == 2) {
			t.Errorf("%d: %s, %v", i, r.Outcome, err)
		}
	}
}
