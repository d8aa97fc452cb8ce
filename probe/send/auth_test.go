package send_test

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/probe/send"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func un64(s string) string {
	b, _ := base64.StdEncoding.DecodeString(s)
	return string(b)
}

func sum(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// scramServer is the server's part of RFC 7677, done step by step from the RFC. It
// knows a password, and changes its messages if it is told to.
func scramServer(known string, first, final func(string) string) func(*session, string) string {
	return func(c *session, line string) string {
		bare := strings.TrimPrefix(un64(strings.TrimPrefix(line, "AUTH SCRAM-SHA-256 ")), "n,,")
		_, nonce, _ := strings.Cut(bare, ",r=")
		salt := "salt of twelve"
		one := first("r=" + nonce + "server,s=" + b64(salt) + ",i=4096")
		c.say("334 " + b64(one) + "\r\n")
		answer := un64(c.line())
		if answer == "" {
			return "501 ended"
		}
		without, proof, _ := strings.Cut(answer, ",p=")
		salted, _ := pbkdf2.Key(sha256.New, known, []byte(salt), 4096, 32)
		auth := bare + "," + one + "," + without
		stored := sha256.Sum256(sum(salted, "Client Key"))
		signature := sum(stored[:], auth)
		clientKey := []byte(un64(proof))
		for i := range clientKey {
			clientKey[i] ^= signature[i]
		}
		if sha256.Sum256(clientKey) != stored {
			return "535 5.7.8 no"
		}
		two := final("v=" + base64.StdEncoding.EncodeToString(sum(sum(salted, "Server Key"), auth)))
		if two == "" {
			return "235 fine"
		}
		c.say("334 " + b64(two) + "\r\n")
		if c.line() == "*" {
			return "501 ended"
		}
		return "235 2.7.0 fine"
	}
}

func same(s string) string { return s }

func TestAuth(t *testing.T) {
	login := func(c *session, _ string) string {
		c.say("334 " + b64("User Name") + "\r\n") // Microsoft says other words than others
		user := un64(c.line())
		c.say("334 " + b64("Password") + "\r\n")
		if user == "alice" && un64(c.line()) == password {
			return "235 fine"
		}
		return "535 no"
	}
	plain := func(_ *session, line string) string {
		if un64(strings.TrimPrefix(line, "AUTH PLAIN ")) == "\x00alice\x00"+password {
			return "235 fine"
		}
		return "535 5.7.8 no"
	}
	change := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	for _, c := range []struct {
		name, offered, mechanism string
		act                      func(*session, string) string
		used                     string
		cause                    smtp.Cause
	}{
		{"PLAIN", "PLAIN LOGIN", "", plain, "PLAIN", ""},
		{"LOGIN", "LOGIN", "", login, "LOGIN", ""},
		{"LOGIN by choice", "PLAIN LOGIN", "login", login, "LOGIN", ""},
		{"the best", "LOGIN PLAIN SCRAM-SHA-256", "", scramServer(password, same, same), "SCRAM-SHA-256", ""},
		{"another password", "SCRAM-SHA-256", "", scramServer("other", same, same), "SCRAM-SHA-256", smtp.Rejected},
		{"the server does not know it", "SCRAM-SHA-256", "", scramServer(password, same, func(string) string { return "v=" + b64("x") }), "SCRAM-SHA-256", send.BadAuth},
		{"the server proves nothing", "SCRAM-SHA-256", "", scramServer(password, same, func(string) string { return "" }), "SCRAM-SHA-256", send.BadAuth},
		{"the server says an error", "SCRAM-SHA-256", "", scramServer(password, same, func(string) string { return "e=other-error" }), "SCRAM-SHA-256", send.BadAuth},
		{"yes without a question", "SCRAM-SHA-256", "", says("235 fine"), "SCRAM-SHA-256", send.BadAuth},
		{"few iterations", "SCRAM-SHA-256", "", scramServer(password, change("i=4096", "i=1"), same), "SCRAM-SHA-256", send.BadAuth},
		{"many iterations", "SCRAM-SHA-256", "", scramServer(password, change("i=4096", "i=2000000000"), same), "SCRAM-SHA-256", send.BadAuth},
		{"another nonce", "SCRAM-SHA-256", "", scramServer(password, change("r=", "r=x"), same), "SCRAM-SHA-256", send.BadAuth},
		{"an extension", "SCRAM-SHA-256", "", scramServer(password, func(s string) string { return "m=1," + s }, same), "SCRAM-SHA-256", send.BadAuth},
		{"refused", "PLAIN", "", says("535 5.7.8 Error: authentication failed"), "PLAIN", smtp.Rejected},
		{"nothing in common", "NTLM GSSAPI", "", nil, "", send.NotOffered},
		{"not offered", "PLAIN", "SCRAM-SHA-256", nil, "", send.NotOffered},
		{"no end", "PLAIN", "", func(c *session, _ string) string {
			for c.say("334 eA==\r\n") && c.line() != "" {
			}
			return "close"
		}, "PLAIN", send.BadAuth},
		{"not base64", "LOGIN", "", says("334 what?"), "LOGIN", send.BadAuth},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &host{extensions: []string{"AUTH " + c.offered}, cert: certFor(t, "submit.example.net"), on: map[string]func(*session, string) string{"AUTH": c.act}}
			if c.act == nil {
				h.on = nil
			}
			n := &network{hosts: map[string]*host{"192.0.2.5:587": h}}
			r := must(t, probe, submit(n, c.mechanism))
			if a := r.Last(); a.Mechanism != c.used {
				t.Errorf("mechanism %q", a.Mechanism)
			}
			if c.cause == "" {
				want(t, r, send.Accepted, "")
			} else {
				cause(t, *r.Last(), send.StepAuth, c.cause)
				if r.Outcome == send.Accepted || len(h.got()) > 0 || len(r.Attempts) != 1 {
					t.Errorf("%s after %d attempts", r.Outcome, len(r.Attempts))
				}
			}
			secretFree(t, r, password)
		})
	}
}

// secretFree looks for a secret in all that is kept of a run.
func secretFree(t *testing.T, r send.Result, secret string) {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b) + r.Why + transcript(r)
	for _, s := range []string{secret, b64(secret), b64("\x00alice\x00" + secret)} {
		if strings.Contains(text, s) {
			t.Errorf("%q is in the result:\n%s", s, text)
		}
	}
}

func TestTokens(t *testing.T) {
	const bearer = "ya29.token-of-oauth"
	xoauth := "user=alice\x01auth=Bearer " + bearer + "\x01\x01"
	for _, c := range []struct {
		offered string
		act     func(*session, string) string
		used    string
		ok      bool
	}{
		{"PLAIN XOAUTH2", func(_ *session, line string) string {
			if un64(strings.TrimPrefix(line, "AUTH XOAUTH2 ")) == xoauth {
				return "235 fine"
			}
			return "535 no"
		}, "XOAUTH2", true},
		{"OAUTHBEARER", func(_ *session, line string) string {
			if un64(strings.TrimPrefix(line, "AUTH OAUTHBEARER ")) == "n,a=alice,\x01auth=Bearer "+bearer+"\x01\x01" {
				return "235 fine"
			}
			return "535 no"
		}, "OAUTHBEARER", true},
		{"XOAUTH2", func(c *session, line string) string {
			c.say("334 " + b64(`{"status":"400","schemes":"Bearer"}`) + "\r\n")
			if c.line() != "" {
				return "501 want an empty line"
			}
			return "535 5.7.8 not accepted: " + strings.TrimPrefix(line, "AUTH XOAUTH2 ")
		}, "XOAUTH2", false},
	} {
		n := &network{hosts: map[string]*host{"192.0.2.5:587": {extensions: []string{"AUTH " + c.offered}, cert: certFor(t, "submit.example.net"),
			on: map[string]func(*session, string) string{"AUTH": c.act}}}}
		o := submit(n, "")
		o.Submission.Password = nil
		o.Submission.Token = func(context.Context) (string, error) { return bearer, nil }
		r := must(t, probe, o)
		if c.ok {
			want(t, r, send.Accepted, "")
		} else if f := r.Last().Failure; f == nil || !strings.Contains(f.Detail, `schemes`) || strings.Contains(f.Detail, "501") {
			t.Errorf("failure %v", f)
		}
		secretFree(t, r, bearer)
		if strings.Contains(transcript(r), b64(xoauth)) {
			t.Error("the login is in the transcript, as the host repeated it")
		}
	}
}

// No password goes out in clear, or to a server whose certificate is not trusted.
func TestAuthNeedsTLS(t *testing.T) {
	ask := func(o *send.Options, asked *bool) {
		o.Submission.Password = func(context.Context) (string, error) { *asked = true; return password, nil }
	}
	for _, c := range []struct {
		name  string
		host  *host
		addr  string
		edit  func(*send.Options)
		ok    bool
		cause smtp.Cause
	}{
		{"no STARTTLS", &host{}, "192.0.2.5:587", nil, false, send.NotOffered},
		{"other name", &host{cert: certFor(t, "x.example.net")}, "192.0.2.5:587", nil, false, send.Untrusted},
		{"plain", &host{}, "192.0.2.5:587", func(o *send.Options) { o.Security = send.Plain }, false, send.NotOffered},
		{"plain on loopback only", &host{}, "192.0.2.5:587", func(o *send.Options) { o.Submission.PlainLoopback = true }, false, send.NotOffered},
		{"plain on loopback", &host{}, "127.0.0.1:587", func(o *send.Options) {
			o.Submission.PlainLoopback, o.Submission.Host = true, "127.0.0.1"
			o.Allow = append(o.Allow, netip.MustParsePrefix("127.0.0.0/8"))
		}, true, ""},
		{"implicit", &host{implicit: true, cert: certFor(t, "submit.example.net")}, "192.0.2.5:465", func(o *send.Options) { o.Submission.ImplicitTLS = true }, true, ""},
		{"implicit, other name", &host{implicit: true, cert: certFor(t, "x.example.net")}, "192.0.2.5:465", func(o *send.Options) { o.Submission.ImplicitTLS = true }, false, send.Untrusted},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.host.extensions = []string{"AUTH PLAIN"}
			c.host.on = map[string]func(*session, string) string{"AUTH": says("235 fine")}
			n := &network{hosts: map[string]*host{c.addr: c.host}}
			o := submit(n, "")
			var asked bool
			ask(&o, &asked)
			if c.edit != nil {
				c.edit(&o)
			}
			r := must(t, probe, o)
			if c.ok {
				want(t, r, send.Accepted, "")
				return
			}
			if f := r.Last().Failure; f == nil || !errors.Is(f, c.cause) {
				t.Fatalf("failure %v", f)
			}
			for _, l := range c.host.said() {
				if strings.HasPrefix(l, "AUTH") {
					t.Errorf("the server heard %q", l)
				}
			}
		})
	}
}

func TestPasswordFails(t *testing.T) {
	n := &network{hosts: map[string]*host{"192.0.2.5:587": {}}}
	for _, p := range []string{"", "a\nb", "a\x00b", strings.Repeat("x", 10000)} {
		o := submit(n, "")
		o.Submission.Password = func(context.Context) (string, error) { return p, nil }
		if _, err := send.Send(t.Context(), probe, o); err == nil || p != "" && strings.Contains(err.Error(), p) {
			t.Errorf("%.10q: %v", p, err)
		}
	}
	o := submit(n, "")
	o.Submission.Password = func(context.Context) (string, error) { return "", fmt.Errorf("no such file") }
	if _, err := send.Send(t.Context(), probe, o); err == nil || len(n.dialed) > 0 {
		t.Errorf("%v; dialed %v", err, n.dialed)
	}
}
