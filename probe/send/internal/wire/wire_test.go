package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/probe/smtp"
)

// RFC 5321, Section 2.3.8: nothing that another host could take for the end of the
// mail may be sent.
func TestCheckMail(t *testing.T) {
	for _, bad := range []string{
		"", "a", "a\n", "a\r", "a\r\n\n.\n", "a\n.\n\r\n", "a\n.\r\n", "a\r.\r\r\n", "a\r\n.\nMAIL FROM:<x@y>\r\n", "a\r\n\x00.\r\n", "\r\r\n", strings.Repeat("x", 999) + "\r\n",
	} {
		if err := CheckMail([]byte(bad)); !errors.Is(err, ErrForm) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	for _, good := range []string{"\r\n", "a\r\n", ".\r\n", "\r\n.\r\nMAIL FROM:<x@y>\r\n", strings.Repeat("x", 998) + "\r\n"} {
		if err := CheckMail([]byte(good)); err != nil {
			t.Errorf("%.20q: %v", good, err)
		}
	}
}

func TestStuff(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\n":                "a\r\n.\r\n",
		".\r\n":                "..\r\n.\r\n",
		".a\r\n..\r\n.b\r\n":   "..a\r\n...\r\n..b\r\n.\r\n",
		"a\r\n.\r\nMAIL x\r\n": "a\r\n..\r\nMAIL x\r\n.\r\n",
		"a.b\r\n\r\n.\r\n\r\n": "a.b\r\n\r\n..\r\n\r\n.\r\n",
	} {
		if got := string(Stuff([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// What passes CheckMail ends once on the wire, where it shall, and unstuffs to
// itself.
func FuzzStuff(f *testing.F) {
	for _, s := range []string{"a\r\n.\r\n", "\r\n..\r\n", ".\r\n.\r\n", "a\n.\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, mail []byte) {
		if CheckMail(mail) != nil {
			return
		}
		out := append([]byte("\r\n"), Stuff(mail)...)
		if i := bytes.Index(out, []byte("\r\n.\r\n")); i != len(out)-5 {
			t.Fatalf("%q ends at %d of %d", out, i, len(out))
		}
		var back []byte
		for line := range bytes.SplitAfterSeq(out[2:len(out)-3], []byte("\r\n")) {
			back = append(back, bytes.TrimPrefix(line, []byte("."))...)
		}
		if !bytes.Equal(back, mail) {
			t.Fatalf("%q became %q", mail, back)
		}
	})
}

// talk runs a client against a host that says one text.
func talk(said string) (*Client, func()) {
	near, far := net.Pipe()
	go func() {
		first, rest, _ := strings.Cut(said, "|") // what is behind the bar answers a command
		io.WriteString(far, first)
		if rest != "" {
			bufio.NewReader(far).ReadString('\n')
			io.WriteString(far, rest)
		}
		far.Close()
	}()
	c := New(near, Options{Now: time.Now, Timeout: 2 * time.Second})
	return c, func() { near.Close() }
}

func FuzzReply(f *testing.F) {
	for _, s := range []string{"220 x\r\n", "220-a\r\n220 b\r\n", "250\r\n", "220-a\n550 b\n", "\x1b[2J", "299-", "220 \xff\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, said string) {
		c, done := talk(said)
		defer done()
		r, err := c.Banner(t.Context())
		if e := new(smtp.Error); err != nil && !errors.As(err, &e) {
			t.Fatalf("error %T", err)
		}
		if len(r.Lines) > smtp.MaxLines || len(c.Transcript().Entries) > smtp.MaxEntries {
			t.Fatal("more than may be kept")
		}
	})
}

func TestSecretsAreBlanked(t *testing.T) {
	c, done := talk("220 hello hunter2 there\r\n|535 no, hunter2 is wrong\r\n")
	defer done()
	c.Blank("hunter2", "abc") // the second is too short to be looked for
	if _, err := c.Banner(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := c.Secret(t.Context(), StepAuth, "AUTH PLAIN hunter2", "AUTH PLAIN ")
	if err != nil {
		t.Fatal(err)
	}
	text := r.String() + c.Expect(r, 235).Error()
	for _, e := range c.Transcript().Entries {
		text += string(e.Text)
	}
	if strings.Contains(text, "hunter2") || !strings.Contains(text, "AUTH PLAIN ***") {
		t.Errorf("%q", text)
	}
	if c.Challenge() != "no, hunter2 is wrong" {
		t.Errorf("challenge %q", c.Challenge())
	}
}

func TestNoLineEndInACommand(t *testing.T) {
	c, done := talk("220 x\r\n250 ok\r\n")
	defer done()
	c.Banner(t.Context())
	for _, l := range []string{"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>", "NOOP\n", "NOOP\x00"} {
		if _, err := c.Command(context.Background(), StepMail, l); err == nil {
			t.Errorf("%q was sent", l)
		}
	}
}
