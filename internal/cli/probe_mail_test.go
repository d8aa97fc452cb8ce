package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/probe/listen"
	"github.com/mailcheck-go/mailcheck/probe/token"
	"github.com/mailcheck-go/mailcheck/resolve"
)

const probeToken = "aaaaaaaaaaaaaaaaaaaaaaaaaa"

// probeWorld writes a key and a zone that knows it; the addresses are those of the
// test's hosts.
func probeWorld(t *testing.T) (dir string, flags []string) {
	t.Helper()
	dir = t.TempDir()
	key := ed25519.NewKeyFromSeed([]byte("0123456789abcdef0123456789abcdef"))
	k, err := keys.FromSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Create(filepath.Join(dir, "s1.pem"), ""); err != nil {
		t.Fatal(err)
	}
	zone := `example.org. 60 IN TXT "v=spf1 ip4:127.0.0.1 -all"
_dmarc.example.org. 60 IN TXT "v=DMARC1; p=reject"
s1._domainkey.example.org. 60 IN TXT "v=DKIM1; k=ed25519; p=` + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)) + `"
`
	if err := os.WriteFile(filepath.Join(dir, "zone"), []byte(zone), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, []string{"--zone", filepath.Join(dir, "zone"), "--offline"}
}

// probeRun runs a constructor's command.
func probeRun(t *testing.T, dir, name string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = probeRunOn(t.Context(), probeStreams(dir, &out, &errs), name, args...)
	return code, out.String(), errs.String()
}

func probeStreams(dir string, out, errs io.Writer) Streams {
	return Streams{In: strings.NewReader(""), Out: out, Err: errs, Width: 100, Getenv: func(k string) string {
		return map[string]string{"HOME": dir, "PW": "hunter2-secret"}[k]
	}}
}

func probeRunOn(ctx context.Context, s Streams, name string, args ...string) int {
	root := NewRoot(s)
	parent, _, err := root.Find([]string{"probe"})
	if err != nil {
		panic(err)
	}
	if cmd, _, _ := parent.Find([]string{name}); cmd == parent {
		parent.AddCommand(map[string]func(Streams) *cobra.Command{
			"send": newProbeSend, "listen": newProbeListen, "receive": newProbeReceive, "roundtrip": newProbeRoundtrip}[name](s))
	}
	root.SetArgs(append([]string{"probe", name}, args...))
	return report(s.Err, root.ExecuteContext(ctx))
}

// listening starts "probe listen" and returns its address when it is there.
func listening(t *testing.T, dir string, args ...string) (addr, to string, result func() (int, string)) {
	t.Helper()
	r, w := io.Pipe()
	var out bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- probeRunOn(t.Context(), probeStreams(dir, &out, w), "listen", append([]string{"--domain", "probe.example", "--addr", "127.0.0.1:0", "--token", probeToken, "--wait", "20s"}, args...)...)
		w.Close()
	}()
	in := bufio.NewReader(r)
	line, err := in.ReadString('\n')
	m := regexp.MustCompile(`listening on (\S+); send one mail to (\S+)`).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("%q, %v", line, err)
	}
	go io.Copy(io.Discard, in)
	return m[1], m[2], func() (int, string) {
		select {
		case code := <-done:
			return code, out.String()
		case <-time.After(15 * time.Second):
			t.Fatal("it does not end")
			return 0, ""
		}
	}
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	checkDocuments(t, []byte(text))
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return v
}

func at(v any, path string) any {
	for _, k := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[k]
		case []any:
			var i int
			fmt.Sscan(k, &i)
			if i >= len(x) {
				return nil
			}
			v = x[i]
		}
	}
	return v
}

// A probe goes from the one command to the other.
func TestProbeSendToListen(t *testing.T) {
	for _, format := range []string{"text", "json", "html"} {
		t.Run(format, func(t *testing.T) {
			dir, dns := probeWorld(t)
			addr, to, result := listening(t, dir, append([]string{"-o", format, "--save", filepath.Join(dir, "saved.eml")}, dns...)...)
			code, out, errs := probeRun(t, dir, "send", append([]string{"--from", "probe@example.org", "--to", to, "--via", addr, "--helo", "mail.example.org",
				"--key", filepath.Join(dir, "s1.pem"), "--selector", "s1", "--one-click", "https://example.org/u?x", "-o", "json"}, dns...)...)
			if code != 0 {
				t.Fatalf("%d\n%s\n%s", code, out, errs)
			}
			v := decode(t, out)
			if at(v, "schema") != "mailcheck.probe-send/1" || at(v, "outcome") != "accepted" || at(v, "token") != probeToken || at(v, "proof") != "dkim-key" ||
				!strings.HasPrefix(at(v, "attempts.0.tls").(string), "TLS 1.3") {
				t.Errorf("%s", out)
			}
			code, out = result()
			if code != 0 {
				t.Fatalf("%d\n%s", code, out)
			}
			switch format {
			case "json":
				v := decode(t, out)
				for path, want := range map[string]any{"schema": "mailcheck.probe-listen/1", "token": probeToken, "verdicts.spf.result": "pass",
					"verdicts.dkim.0.result": "pass", "verdicts.dmarc.result": "pass", "envelope.helo": "mail.example.org", "tls.version": "TLS 1.3", "one_click_unsubscribe": true} {
					if got := at(v, path); got != want {
						t.Errorf("%s is %v, want %v", path, got, want)
					}
				}
			case "html":
				if !strings.Contains(out, "default-src 'none'") || strings.Contains(out, "<script") || strings.Contains(out, "src=") || strings.Contains(out, "href=") {
					t.Errorf("%s", out)
				}
			default:
				if !strings.Contains(out, "DMARC       pass") && !strings.Contains(out, "pass for example.org") {
					t.Errorf("%s", out)
				}
			}
			// What was saved can be read again.
			code, out, errs = probeRun(t, dir, "receive", append([]string{filepath.Join(dir, "saved.eml"), "-o", "json"}, dns...)...)
			if v := decode(t, out); at(v, "outcome") != "arrived" || at(v, "our_results.dkim.0.result") != "pass" || code != 2 {
				t.Errorf("%d\n%s\n%s", code, out, errs)
			}
			// A second probe to the domain has to wait.
			code, _, errs = probeRun(t, dir, "send", append([]string{"--from", "probe@example.org", "--to", to, "--via", addr, "--key", filepath.Join(dir, "s1.pem"), "--selector", "s1"}, dns...)...)
			if code != 3 || !strings.Contains(errs, "too soon") {
				t.Errorf("%d %s", code, errs)
			}
		})
	}
}

// A stranger's mail cannot speak to the terminal or to the browser.
func TestProbeListenHostile(t *testing.T) {
	evil := "From: \"\x1b[2J\x1b[1;32mPASS\" <a@example.org>\r\nSubject: \x1b]52;c;ZXZpbA==\x07\u202e</script><img src=x onerror=alert(1)>\r\n" +
		"X-\"><script>: =HYPERLINK(\"http://x\")\r\n\r\nx\r\n"
	for _, format := range []string{"text", "json", "html"} {
		dir, dns := probeWorld(t)
		addr, to, result := listening(t, dir, append([]string{"-o", format}, dns...)...)
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(conn)
		for _, line := range []string{"", "EHLO \x1b[31m<script>", "MAIL FROM:<\"\x1b[2J\"@example.org>", "RCPT TO:<x@elsewhere.example>", "RCPT TO:<" + to + ">", "DATA", evil + "."} {
			if line != "" {
				io.WriteString(conn, line+"\r\n")
			}
			for {
				l, err := in.ReadString('\n')
				if err != nil || len(l) > 3 && l[3] == ' ' {
					break
				}
			}
		}
		conn.Close()
		code, out := result()
		if code != 0 { // SPF of this address passes, and aligns
			t.Errorf("%s: exit %d", format, code)
		}
		for _, bad := range []string{"\x1b", "\x07", "\u202e", "<img", "<script", "\x9b"} {
			if strings.Contains(out, bad) && (format == "html" || bad[0] != '<') {
				t.Errorf("%s holds %q\n%s", format, bad, out)
			}
		}
	}
}

func TestProbeListenUsage(t *testing.T) {
	dir, dns := probeWorld(t)
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"", 3, "--domain is needed"},
		{"--domain a..b", 3, "a..b"},
		{"--domain a.example --wait 0s", 3, "--wait"},
		{"--domain a.example --token x", 3, "not a token"},
		{"--domain a.example --cert x", 3, "belong together"},
		{"--domain a.example --cert x --cert-key y", 3, "--cert"},
		{"--domain a.example --host <x>", 3, "EHLO"},
		{"--domain a.example --addr 127.0.0.1:x", 3, "x"},
		{"--domain a.example -o xml", 3, "xml"},
		{"--domain a.example --addr 127.0.0.1:0 --wait 50ms", 2, "no mail came"},
	} {
		code, _, errs := probeRun(t, dir, "listen", append(strings.Fields(c.args), dns...)...)
		if code != c.code || !strings.Contains(errs, c.says) {
			t.Errorf("%s: %d %s", c.args, code, errs)
		}
	}
}

func TestProbeSendUsage(t *testing.T) {
	dir, dns := probeWorld(t)
	sign := "--key " + filepath.Join(dir, "s1.pem") + " --selector s1 "
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"", 3, "--from and --to are needed"},
		{"--from a@example.org --to bob", 3, "not a mail address"},
		{"--from a@example.org --to b@c.example,d@e.example " + sign, 3, "one domain and nothing behind it"},
		{"--from a@example.org --to b@c.example", 3, "not proven"},
		{"--from a@other.example --to b@c.example --sign-domain example.org " + sign, 3, "not proven"},
		{"--from a@example.org --to b@c.example --selector s1", 3, "--key"},
		{"--from a@example.org --to b@c.example --user x", 3, "--via"},
		{"--from a@example.org --to b@c.example --via h.example --password-env PW", 3, "--user"},
		{"--from a@example.org --to b@c.example --via h.example --user x --password-env PW --password-file f", 3, "exclude each other"},
		{"--from a@example.org --to b@c.example --via h.example:x", 3, "no port"},
		{"--from a@example.org --to b@c.example --tls some", 3, "some"},
		{"--from a@example.org --to b@c.example --stop-at data", 3, "data"},
		{"--from a@example.org --to b@c.example --stop-at rcpt " + sign, 3, "addresses of others"},
		{"--from a@example.org --to b@c.example --dsn always " + sign, 3, "NOTIFY"},
		{"--from a@example.org --to b@c.example --one-click http://x " + sign, 3, "https"},
		{"--from a@example.org --to b@c.example " + sign, 2, "the way to the domain is unknown"},
		{"--from a@example.org --to b@c.example --via h.example --user x --password a", 3, "unknown flag"},
	} {
		code, out, errs := probeRun(t, dir, "send", append(strings.Fields(c.args), dns...)...)
		if code == 2 && strings.Contains(c.says, "unknown flag") {
			code = 3 // Main sorts the errors of cobra
		}
		if code != c.code || !strings.Contains(errs, c.says) || out != "" && !strings.Contains(out, "Usage") {
			t.Errorf("%s: %d %s%s", c.args, code, out, errs)
		}
	}
}

func TestProbeSendDryRun(t *testing.T) {
	dir, _ := probeWorld(t)
	// Nothing is asked: there is no server at that address, and no state is written.
	code, out, errs := probeRun(t, dir, "send", "--resolver", "127.0.0.1:1", "--from", "probe@example.org", "--to", "bob@example.net", "--token", probeToken,
		"--key", filepath.Join(dir, "s1.pem"), "--selector", "s1", "--via", "mail.example.org", "--user", "alice", "--password-env", "PW", "--dsn", "success,failure",
		"--requiretls", "--smtputf8", "--dry-run")
	if code != 0 || errs != "" {
		t.Fatalf("%d %s", code, errs)
	}
	for _, w := range []string{"planned:", "no socket was", "AUTH SCRAM-SHA-256, PLAIN or LOGIN ***", "SMTPUTF8 BODY=8BITMIME REQUIRETLS ENVID=" + probeToken,
		"NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@example.net", "  DKIM-Signature: v=1; a=ed25519-sha256;", "  X-Mailcheck-Probe: " + probeToken, "  Message-ID: <mailcheck." + probeToken + "@example.org>"} {
		if !strings.Contains(out, w) {
			t.Errorf("no %q in\n%s", w, out)
		}
	}
	if strings.Contains(out, "hunter2") {
		t.Error("the password is shown")
	}
	if _, err := os.Stat(filepath.Join(dir, ".local")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a dry run wrote state")
	}
}

// A rejected mail is a failure, and the words of the host are shown without harm.
func TestProbeSendRejected(t *testing.T) {
	dir, dns := probeWorld(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "220 x\r\n")
			in := bufio.NewReader(conn)
			for {
				l, err := in.ReadString('\n')
				if err != nil {
					break
				}
				if strings.HasPrefix(l, "EHLO") {
					io.WriteString(conn, "250 \x1b[2Jx\r\n")
				} else {
					io.WriteString(conn, "550 5.7.26 \x1b]0;t\x07 \u202eno\r\n")
				}
			}
			conn.Close()
		}
	}()
	for _, format := range []string{"text", "json"} {
		os.RemoveAll(filepath.Join(dir, ".local"))
		code, out, errs := probeRun(t, dir, "send", append([]string{"--from", "probe@example.org", "--to", "bob@example.net", "--via", ln.Addr().String(),
			"--key", filepath.Join(dir, "s1.pem"), "--selector", "s1", "-o", format}, dns...)...)
		if code != 4 || !strings.Contains(out, "5.7.26") || strings.ContainsAny(out, "\x1b\x07\u202e") {
			t.Errorf("%d %q %s", code, out, errs)
		}
	}
}

func TestProbeReceive(t *testing.T) {
	dir, dns := probeWorld(t)
	box := filepath.Join(dir, "Maildir")
	mail := "Received: from mail.example.org (mail.example.org [192.0.2.1]) by mx.example.net with ESMTPS id 1;\r\n\tSun, 01 Nov 2026 12:00:05 +0000\r\n" +
		"From: probe@example.org\r\nSubject: x\r\nX-Mailcheck-Probe: " + probeToken + "\r\n\r\nx\r\n"
	for _, sub := range []string{"new", "cur", ".Junk/new", ".Junk/cur"} {
		if err := os.MkdirAll(filepath.Join(box, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	put := func(folder, text string) {
		if err := os.WriteFile(filepath.Join(box, folder, "new", token.New(nil)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) (int, string, string) {
		return probeRun(t, dir, "receive", append(append([]string{box, "--wait", "0s"}, args...), dns...)...)
	}
	if code, _, errs := run(); code != 3 || !strings.Contains(errs, "--token is needed") {
		t.Errorf("%d %s", code, errs)
	}
	if code, out, _ := run("--token", probeToken); code != 2 || !strings.Contains(out, "unknown: it is not in the mailbox yet") {
		t.Errorf("%d %s", code, out)
	}
	put(".Junk", mail)
	code, out, errs := run("--token", probeToken, "--sent", "2026-11-01T12:00:00Z")
	for _, w := range []string{"fail: it is in the folder for spam", "Junk (junk, by name)", "5s", "192.0.2.1"} {
		if code != 1 || !strings.Contains(out, w) && w != "192.0.2.1" {
			t.Errorf("%d: no %q in\n%s%s", code, w, out, errs)
		}
	}
	code, out, _ = run("--token", probeToken, "-o", "json")
	if v := decode(t, out); code != 1 || at(v, "schema") != "mailcheck.probe-receive/1" || at(v, "folder.role") != "junk" || at(v, "placement") != "spam" || at(v, "delay_ms") != nil || at(v, "client.ip") != "192.0.2.1" {
		t.Errorf("%d %s", code, out)
	}
	for _, args := range []string{"/nonexistent --token " + probeToken, "imaps://a@b.example --token " + probeToken, "imaps://a:secret@b.example --token " + probeToken, "", "a b",
		box + " --token x", box + " --sent x", box + " --wait -1s", filepath.Join(dir, "zone")} {
		code, _, errs := probeRun(t, dir, "receive", append(strings.Fields(args), dns...)...)
		if code != 3 || strings.Contains(errs, "secret@") {
			t.Errorf("%s: %d %s", args, code, errs)
		}
	}
}

func TestProbeRoundtripUsage(t *testing.T) {
	dir, dns := probeWorld(t)
	for _, args := range []string{"--from a@example.org --to b@c.example", "--seed " + dir, "--from a@example.org --to b@c.example --seed /nonexistent"} {
		if code, _, errs := probeRun(t, dir, "roundtrip", append(strings.Fields(args), dns...)...); code != 3 {
			t.Errorf("%s: %d %s", args, code, errs)
		}
	}
}

// The whole way: sent to a receiver that files it, found, compared.
func TestProbeRoundtrip(t *testing.T) {
	for _, c := range []struct {
		name, folder, results string
		code                  int
		status                string
	}{
		{"inbox", "", "dkim=pass header.d=example.org; dmarc=pass header.from=example.org", 0, "pass"},
		{"junk", ".Junk", "dmarc=pass header.from=example.org", 1, "fail"},
		{"the receiver differs", "", "dkim=fail header.d=example.org; dmarc=fail header.from=example.org", 1, "fail"},
		{"lost", "-", "", 2, "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, dns := probeWorld(t)
			box := filepath.Join(dir, "Maildir")
			for _, sub := range []string{"new", "cur", ".Junk/new", ".Junk/cur"} {
				if err := os.MkdirAll(filepath.Join(box, sub), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			l, err := listen.New(listen.Options{Domain: resolve.MustName("probe.example"), Host: "mx.probe.example", Deliver: func(m listen.Mail) {
				if c.folder == "-" {
					return
				}
				mail := append([]byte("Authentication-Results: mx.probe.example; "+c.results+"\r\n"), m.WithTrace()...)
				if err := os.WriteFile(filepath.Join(box, c.folder, "new", "1"), mail, 0o600); err != nil {
					t.Error(err)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			to, err := l.Issue("")
			if err != nil {
				t.Fatal(err)
			}
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- l.Serve(ctx, ln) }()
			defer func() { cancel(); <-done }()
			code, out, errs := probeRun(t, dir, "roundtrip", append([]string{"--from", "probe@example.org", "--to", to, "--via", ln.Addr().String(), "--helo", "mail.example.org",
				"--key", filepath.Join(dir, "s1.pem"), "--selector", "s1", "--seed", box, "--wait", "500ms", "--interval", "100ms", "-o", "json"}, dns...)...)
			v := decode(t, out)
			if code != c.code || at(v, "schema") != "mailcheck.probe-roundtrip/1" || at(v, "status") != c.status || at(v, "sent.outcome") != "accepted" {
				t.Errorf("%d %s\n%s", code, out, errs)
			}
			if d, _ := at(v, "differences").([]any); (len(d) > 0) != (c.name == "the receiver differs" || c.name == "junk") {
				t.Errorf("differences %v", d)
			}
		})
	}
}
