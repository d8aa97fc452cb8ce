package send_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/facts"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/probe/send"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/probe/token"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func TestDirect(t *testing.T) {
	h := &host{extensions: []string{"SIZE 100000", "8BITMIME", "DSN"}, cert: certFor(t, "mx1.example.net")}
	n := &network{hosts: map[string]*host{"192.0.2.1:25": h}}
	o := direct(n)
	o.DSN = send.DSN{Notify: []string{"success", "failure"}, Return: "hdrs"}
	r := must(t, probe, o)
	want(t, r, send.Accepted, `taken by mx1.example.net: 250 "2.0.0 queued"`)
	if r.Owner != send.OwnedByKey || r.Route.MX != resolve.Present || len(r.Attempts) != 1 {
		t.Errorf("%+v", r)
	}
	a := r.Attempts[0]
	if a.TLS == nil || !a.TLS.Established || a.Certificate.OK().String() != "good" {
		t.Errorf("TLS: %+v %+v", a.TLS, a.Certificate)
	}
	said := strings.Join(h.said(), "\n")
	for _, w := range []string{
		"EHLO probe.example.org\nSTARTTLS\nEHLO probe.example.org\n",
		"MAIL FROM:<probe@example.org> SIZE=", " RET=HDRS ENVID=" + r.Token + "\n",
		"RCPT TO:<bob@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@example.net\nDATA\nQUIT",
	} {
		if !strings.Contains(said, w) {
			t.Errorf("no %q in\n%s", w, said)
		}
	}
	mail := strings.TrimSuffix(h.got()[0], ".\r\n")
	if mail != string(r.Message) {
		t.Errorf("sent\n%s\nwant\n%s", mail, r.Message)
	}
	v, err := dkim.Verify(t.Context(), strings.NewReader(mail), world, dkim.VerifyOptions{Now: func() time.Time { return now }})
	if err != nil || v.Status() != dkim.Pass {
		t.Errorf("DKIM: %s, %v", v.Status(), err)
	}
	m := message.Parse([]byte(mail), message.Options{})
	if got := token.InHeader(&m.Header); got != r.Token || len(m.Problems)+len(m.Header.Problems) > 0 {
		t.Errorf("token %q, want %q; problems %v", got, r.Token, m.Problems)
	}
	if f := facts.Read(m, now); len(f.Missing)+len(f.Repeated) > 0 || f.AutoSubmitted != "auto-generated" || f.MessageID.Problem != "" || f.Date.Problem != "" {
		t.Errorf("facts: %+v", f)
	}
	// It is plain data.
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back send.Result
	if err := json.Unmarshal(b, &back); err != nil || back.Outcome != r.Outcome || back.Attempts[0].Address != a.Address {
		t.Errorf("JSON: %v", err)
	}
}

// RFC 5321, Section 4.2.1 and 5.1: which answers lead to the next host.
func TestNextHost(t *testing.T) {
	for _, c := range []struct {
		name, verb, says string
		next             bool
	}{
		{"banner 4", "banner", "421 4.3.2 busy", true},
		{"banner 5", "banner", "554 not you", true},
		{"ehlo 5", "EHLO", "502 no", true},
		{"closed", "EHLO", "close", true},
		{"mail 4", "MAIL", "451 4.7.1 later", true},
		{"mail 5", "MAIL", "550 5.7.1 no", false},
		{"greylisted", "RCPT", "450 4.2.0 greylisted", true},
		{"rcpt 5", "RCPT", "550 5.1.1 nobody", false},
		{"data 4", "DATA", "451 later", true},
		{"end 4", "end", "451 4.3.0 disk full", true},
		{"end 5", "end", "554 5.7.1 spam", false},
		{"mid-DATA", "end", "421 4.4.2 closing", true},
		{"nonsense", "RCPT", "hello", true},
		{"no code", "MAIL", "299-", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			one := &host{on: map[string]func(*session, string) string{c.verb: says(c.says)}}
			if c.says == "299-" {
				one.on[c.verb] = func(s *session, _ string) string { s.say("299-\r\n"); return "close" }
			}
			two := &host{}
			n := &network{hosts: map[string]*host{"192.0.2.1:25": one, "192.0.2.2:25": two}}
			r := must(t, probe, direct(n))
			if c.next {
				want(t, r, send.Accepted, "taken by mx2.example.net")
				return
			}
			want(t, r, send.Rejected, "mx1.example.net")
			if len(two.said()) > 0 {
				t.Error("the second host was asked")
			}
		})
	}
}

func TestNobodyTakesIt(t *testing.T) {
	grey := func() *host {
		return &host{on: map[string]func(*session, string) string{"RCPT": says("450 4.2.0 greylisted")}}
	}
	n := &network{hosts: map[string]*host{"192.0.2.1:25": grey()}} // the second refuses connections
	want(t, must(t, probe, direct(n)), send.Deferred, `450 "4.2.0 greylisted" (2 attempts)`)
	n = &network{}
	r := must(t, probe, direct(n))
	want(t, r, send.NotSent, "connection refused")
	if r.Last().Failure.Cause != smtp.ConnectionRefused {
		t.Errorf("%v", r.Last().Failure)
	}
}

// A host that breaks off behind the dot may have the mail.
func TestUnknown(t *testing.T) {
	one := &host{on: map[string]func(*session, string) string{"end": says("close")}}
	two := &host{}
	n := &network{hosts: map[string]*host{"192.0.2.1:25": one, "192.0.2.2:25": two}}
	want(t, must(t, probe, direct(n)), send.Unknown, "got the mail and did not answer")
	if len(two.said()) > 0 {
		t.Error("the mail may arrive twice")
	}
	// Before the dot it has not.
	one.on = map[string]func(*session, string) string{"body": says("close")}
	want(t, must(t, probe, direct(n)), send.Accepted, "taken by mx2")
}

func TestHostile(t *testing.T) {
	drip := func(text string) func(*session, string) string {
		return func(c *session, _ string) string {
			for {
				for _, b := range []byte(text) {
					if !c.say(string(b)) {
						return "close"
					}
					time.Sleep(time.Second)
				}
			}
		}
	}
	endless := func(text string) func(*session, string) string {
		return func(c *session, _ string) string {
			for c.say(text) {
			}
			return "close"
		}
	}
	silent := func(c *session, _ string) string { c.line(); return "close" }
	for _, c := range []struct {
		name, verb string
		act        func(*session, string) string
		step       smtp.Step
		cause      smtp.Cause
	}{
		{"endless EHLO", "EHLO", endless("250-x\r\n"), smtp.StepEHLO, smtp.TooLarge},
		{"banner without end", "banner", endless("220 xxxxxxxxxxxxxxxx"), smtp.StepBanner, smtp.TooLarge},
		{"drip", "banner", drip("2"), smtp.StepBanner, smtp.Timeout},
		{"354 then silence", "body", func(c *session, _ string) string {
			for {
				if _, err := c.in.ReadByte(); err != nil {
					return "close"
				}
			}
		}, send.StepEnd, smtp.Timeout},
		{"silence", "MAIL", silent, send.StepMail, smtp.Timeout},
		{"garbage for TLS", "STARTTLS", func(c *session, _ string) string {
			c.say("220 go\r\n")
			c.in.ReadByte()
			c.say("hello hello")
			return "close"
		}, smtp.StepTLS, smtp.TLSGarbage},
	} {
		t.Run(c.name, func(t *testing.T) {
			cert := certFor(t, "mx1.example.net")
			synctest.Test(t, func(t *testing.T) {
				h := &host{on: map[string]func(*session, string) string{c.verb: c.act}}
				if c.verb == "STARTTLS" {
					h.cert = cert
				}
				n := &network{hosts: map[string]*host{"192.0.2.1:25": h}}
				o := direct(n)
				o.Security = send.Opportunistic
				start := time.Now()
				r := must(t, probe, o)
				cause(t, r.Attempts[0], c.step, c.cause)
				if d := time.Since(start); d > o.Timeout+send.DefaultTimeout {
					t.Errorf("took %v", d)
				}
				for _, a := range r.Attempts {
					if len(a.Transcript.Entries) > smtp.MaxEntries {
						t.Errorf("%d entries", len(a.Transcript.Entries))
					}
				}
				n.wg.Wait()
			})
		})
	}
}

// RFC 3207, Section 5: text behind the 220 is somebody's who sits in between.
func TestInjectedPlaintext(t *testing.T) {
	h := &host{cert: certFor(t, "mx1.example.net"), on: map[string]func(*session, string) string{
		"STARTTLS": says("220 go\r\n250 x\r\n250 2.1.0 ok")}}
	n := &network{hosts: map[string]*host{"192.0.2.1:25": h}}
	r := must(t, probe, direct(n))
	cause(t, r.Attempts[0], smtp.StepSTARTTLS, send.Injected)
	if len(h.got()) > 0 || slices.ContainsFunc(r.Attempts, func(a send.Attempt) bool { return a.Address.String() == "192.0.2.1:25" && a.Reply != nil }) {
		t.Error("the mail went to it all the same")
	}
	if o := r.Attempts[0].Observations; len(o) != 1 || o[0].Kind != smtp.InjectedPlaintext {
		t.Errorf("observations: %v", o)
	}
}

func TestSecurity(t *testing.T) {
	good, other := certFor(t, "mx1.example.net"), certFor(t, "other.example.net")
	refuse := map[string]func(*session, string) string{"STARTTLS": says("454 no")}
	for _, c := range []struct {
		name     string
		host     *host
		security send.Security
		outcome  send.Outcome
		why      string
		tls      bool
	}{
		{"in clear if it is not offered", &host{}, send.Opportunistic, send.Accepted, "", false},
		{"any certificate will do", &host{cert: other}, send.Opportunistic, send.Accepted, "", true},
		{"in clear if it breaks", &host{cert: good, on: refuse}, send.Opportunistic, send.Accepted, "", false},
		{"demanded and not offered", &host{}, send.Encrypted, send.NotSent, "does not offer STARTTLS", false},
		{"demanded and broken", &host{cert: good, on: refuse}, send.Encrypted, send.Deferred, "rejected: 454", false},
		{"encrypted with any", &host{cert: other}, send.Encrypted, send.Accepted, "", true},
		{"verified", &host{cert: good}, send.Verified, send.Accepted, "", true},
		{"wrong name", &host{cert: other}, send.Verified, send.NotSent, "name-mismatch", true},
		{"never", &host{cert: good}, send.Plain, send.Accepted, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := &network{hosts: map[string]*host{"192.0.2.1:25": c.host}}
			o := direct(n)
			o.Security = c.security
			o.Resolver = zonetest.Merge(world.Replace(resolve.MustName("example.net"), resolve.TypeMX, nil), zonetest.MustParse("b.test. 1 IN MX 1 mx1.example.net.\n"))
			m := probe
			m.To = "bob@b.test"
			r := must(t, m, o)
			want(t, r, c.outcome, c.why)
			if a := r.Last(); (a.TLS != nil && a.TLS.Established) != c.tls {
				t.Errorf("TLS: %+v", a.TLS)
			}
			if c.outcome != send.Accepted && slices.ContainsFunc(c.host.said(), func(l string) bool { return strings.HasPrefix(l, "MAIL") }) {
				t.Error("the envelope was said")
			}
		})
	}
}

func TestSMTPUTF8(t *testing.T) {
	with := func(x ...string) *network {
		return &network{hosts: map[string]*host{"192.0.2.1:25": {extensions: x}}}
	}
	m := send.Message{From: "probe@example.org", To: "böb@example.net"}
	n := with("8BITMIME", "SMTPUTF8")
	want(t, must(t, m, direct(n)), send.Accepted, "")
	h := n.hosts["192.0.2.1:25"]
	if said := strings.Join(h.said(), "\n"); !strings.Contains(said, "MAIL FROM:<probe@example.org> SMTPUTF8 BODY=8BITMIME\nRCPT TO:<böb@example.net>\n") {
		t.Errorf("said %q", said)
	}
	v, err := dkim.Verify(t.Context(), strings.NewReader(strings.TrimSuffix(h.got()[0], ".\r\n")), world, dkim.VerifyOptions{Now: func() time.Time { return now }})
	if err != nil || v.Status() != dkim.Pass {
		t.Errorf("DKIM: %s, %v", v.Status(), err)
	}
	// RFC 6531, Section 3.2: not to a host that does not offer it.
	r := must(t, m, direct(with("8BITMIME")))
	want(t, r, send.NotSent, "")
	cause(t, r.Attempts[0], send.StepMail, send.NotOffered)
	m = probe
	m.UTF8 = true
	n = with("SMTPUTF8")
	r = must(t, m, direct(n))
	want(t, r, send.Accepted, "")
	if f := facts.Read(message.Parse(r.Message, message.Options{}), now); !f.NeedsSMTPUTF8 {
		t.Error("the header does not need SMTPUTF8")
	}
}

// RFC 8689, Section 4.2.1: TLS, a certificate that is trusted, a name that is
// vouched for, and the extension.
func TestRequireTLS(t *testing.T) {
	policy, err := mtasts.ParsePolicy("version: STSv1\nmode: enforce\nmx: mx1.example.net\nmax_age: 86400\n")
	if err != nil {
		t.Fatal(err)
	}
	good := certFor(t, "mx1.example.net")
	secure := resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		a, err := world.Resolve(ctx, q)
		a.AuthenticData = true
		return a, err
	})
	for _, c := range []struct {
		name   string
		host   *host
		policy *mtasts.Policy
		r      resolve.Resolver
		cause  smtp.Cause
	}{
		{"by policy", &host{cert: good, extensions: []string{"REQUIRETLS"}}, &policy, world, ""},
		{"by DNSSEC", &host{cert: good, extensions: []string{"REQUIRETLS"}}, nil, secure, ""},
		{"nobody vouches", &host{cert: good, extensions: []string{"REQUIRETLS"}}, nil, world, send.Untrusted},
		{"not offered", &host{cert: good}, &policy, world, send.NotOffered},
		{"no TLS", &host{extensions: []string{"REQUIRETLS"}}, &policy, world, send.NotOffered},
		{"wrong certificate", &host{cert: certFor(t, "x.example.net"), extensions: []string{"REQUIRETLS"}}, &policy, world, send.Untrusted},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := &network{hosts: map[string]*host{"192.0.2.1:25": c.host}}
			o := direct(n)
			o.RequireTLS, o.Policy, o.Resolver = true, c.policy, c.r
			r := must(t, probe, o)
			if c.cause == "" {
				want(t, r, send.Accepted, "")
				if said := strings.Join(c.host.said(), "\n"); !strings.Contains(said, "> REQUIRETLS\n") {
					t.Errorf("said %q", said)
				}
				return
			}
			if r.Attempts[0].Failure == nil || !errors.Is(r.Attempts[0].Failure, c.cause) || len(c.host.got()) > 0 {
				t.Errorf("%v", r.Attempts[0].Failure)
			}
			if c.policy != nil && r.Attempts[1].Failure.Cause != send.Untrusted {
				t.Errorf("the policy does not list the second host: %v", r.Attempts[1].Failure)
			}
		})
	}
}

func TestExtensionsLeft(t *testing.T) {
	h := &host{}
	n := &network{hosts: map[string]*host{"192.0.2.1:25": h}}
	o := direct(n)
	o.DSN.Notify = []string{"never"}
	r := must(t, probe, o)
	want(t, r, send.Accepted, "")
	if !slices.Equal(r.Last().Left, []string{"DSN"}) || strings.Contains(strings.Join(h.said(), " "), "NOTIFY") {
		t.Errorf("left %v; said %q", r.Last().Left, h.said())
	}
	h.extensions = []string{"SIZE 10"}
	o.Ledger = &send.Ledger{}
	cause(t, must(t, probe, o).Attempts[0], send.StepMail, send.NotOffered)
}

func TestMessage(t *testing.T) {
	n := &network{hosts: map[string]*host{"192.0.2.1:25": {}}}
	m := probe
	m.OneClick, m.PlusTag, m.SpamTest, m.Subject = "https://example.org/u?id=1", true, true, "prüfung"
	r := must(t, m, direct(n))
	want(t, r, send.Accepted, "")
	if token.InAddress(r.To) != r.Token || !strings.HasPrefix(r.To, "bob+") {
		t.Errorf("to %q", r.To)
	}
	f := facts.Read(message.Parse(r.Message, message.Options{}), now)
	if !f.Unsubscribe.OneClick || !strings.HasPrefix(f.Subject, "prüfung ") || f.NeedsSMTPUTF8 {
		t.Errorf("%+v", f)
	}
	v, err := dkim.Verify(t.Context(), bytes.NewReader(r.Message), world, dkim.VerifyOptions{Now: func() time.Time { return now }})
	if err != nil || v.Status() != dkim.Pass {
		t.Fatalf("DKIM: %s, %v", v.Status(), err)
	}
	for _, h := range []string{"list-unsubscribe", "list-unsubscribe-post"} { // RFC 8058, Section 4: both signed
		if !slices.ContainsFunc(v.Signatures[0].SignedHeaders, func(s string) bool { return strings.EqualFold(s, h) }) {
			t.Errorf("%s is not signed: %v", h, v.Signatures[0].SignedHeaders)
		}
	}
	if !bytes.Contains(r.Message, []byte("\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE")) {
		t.Error("no GTUBE")
	}
	// The listener's address has a token already: it is the one to find.
	m = probe
	m.To = token.Address("aaaaaaaaaaaaaaaaaaaaaaaaaa", "example.net")
	o := direct(n)
	if r := must(t, m, o); r.Token != "aaaaaaaaaaaaaaaaaaaaaaaaaa" {
		t.Errorf("token %q", r.Token)
	}
}

func TestDryRun(t *testing.T) {
	n := &network{}
	o := direct(n)
	o.DryRun, o.Resolver, o.RequireTLS = true, resolve.Func(func(context.Context, resolve.Question) (resolve.Answer, error) {
		t.Error("DNS was asked")
		return resolve.Answer{}, resolve.ErrOffline
	}), true
	r := must(t, probe, o)
	want(t, r, send.Planned, "no socket was opened")
	if len(n.dialed) > 0 || len(r.Attempts) > 0 || len(r.Message) == 0 {
		t.Errorf("dialed %v", n.dialed)
	}
	if c := strings.Join(r.Commands, "\n"); !strings.Contains(c, "STARTTLS\n") || !strings.Contains(c, " REQUIRETLS\nRCPT TO:<bob@example.net>\nDATA\n") {
		t.Errorf("commands:\n%s", c)
	}
	// It does not count against the pace, and asks nobody for a password.
	o = submit(n, "")
	o.DryRun, o.Submission.Password = true, nil
	for range 2 {
		if r := must(t, probe, o); !slices.Contains(r.Commands, "AUTH SCRAM-SHA-256, PLAIN or LOGIN ***") {
			t.Errorf("%q", r.Commands)
		}
	}
}

func TestRoute(t *testing.T) {
	n := &network{hosts: map[string]*host{"192.0.2.1:25": {}, "127.0.0.1:25": {}, "169.254.169.254:25": {}}}
	for _, c := range []struct {
		domain string
		err    error
	}{
		{"null.example.net", send.ErrNoMail}, {"empty.example.net", send.ErrNoMail}, {"gone.example.net", send.ErrNoMail}, {"elsewhere.test", send.ErrRoute},
	} {
		m := probe
		m.To = "a@" + c.domain
		o := direct(n)
		if c.domain == "elsewhere.test" {
			o.Resolver = resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
				if q.Name.Within(resolve.MustName("test")) {
					return resolve.Offline.Resolve(ctx, q)
				}
				return world.Resolve(ctx, q)
			})
		}
		if r, err := send.Send(t.Context(), m, o); !errors.Is(err, c.err) || r.Outcome != send.NotSent {
			t.Errorf("%s: %v", c.domain, err)
		}
	}
	m := probe
	m.To = "a@bare.example.net"
	r := must(t, m, direct(n))
	want(t, r, send.Accepted, "")
	if r.Route.MX != resolve.Absent {
		t.Errorf("MX %v", r.Route.MX)
	}
	n.dialed = nil
	for _, d := range []string{"inside", "meta"} {
		m.To = "a@" + d + ".example.net"
		r := must(t, m, direct(n))
		want(t, r, send.NotSent, "not dialed")
		cause(t, *r.Last(), smtp.StepConnect, smtp.Forbidden)
	}
	if len(n.dialed) > 0 {
		t.Errorf("dialed %v", n.dialed)
	}
}
