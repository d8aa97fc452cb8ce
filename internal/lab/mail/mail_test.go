//go:build lab

package mail_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/message/verdict"
	"github.com/mailcheck-go/mailcheck/probe/judge"
	"github.com/mailcheck-go/mailcheck/probe/receive"
	"github.com/mailcheck-go/mailcheck/probe/send"
	"github.com/mailcheck-go/mailcheck/probe/token"
)

// onward passes all mail to a port of this machine.
func onward(port, transport string) (routers, transports string) {
	return "onward:\n  driver = manualroute\n  domains = final.test\n  route_list = * 127.0.0.1\n  self = send\n  transport = smtp\n",
		"smtp:\n  driver = smtp\n  port = " + port + "\n  allow_localhost\n  hosts_require_tls = *\n  tls_verify_certificates =\n" + transport
}

// A probe goes through Exim to the listener: TLS on both steps, and DKIM survives.
func TestThroughExim(t *testing.T) {
	need(t, "exim4")
	address, port, mails := listener(t)
	routers, transports := onward(port, "")
	e := newExim(t, routers, transports)
	o := e.options()
	o.Submission = &send.Submission{Host: "mx.b.test"}
	o.DSN = send.DSN{Notify: []string{"failure"}, Return: "hdrs"}
	r, err := send.Send(t.Context(), send.Message{From: "probe@a.test", To: address}, o)
	if err != nil || r.Outcome != send.Accepted || r.Last().TLS == nil {
		t.Fatalf("%s %s %v\n%s", r.Outcome, r.Why, err, e.log())
	}
	m := take(t, e, mails)
	if m.TLS == nil || m.Envelope.Helo != "mx.b.test" || m.Envelope.MailFrom != "probe@a.test" || m.Token != r.Token {
		t.Errorf("%+v", m)
	}
	v, err := judge.Mail(t.Context(), world, judge.Input{Raw: m.Raw, IP: m.Peer.Addr(), Helo: m.Envelope.Helo, MailFrom: m.Envelope.MailFrom})
	if err != nil || v.DKIM.Status() != dkim.Pass || v.DMARC.Now.Result != "pass" || v.SPF.Status != "fail" {
		t.Errorf("dkim %s dmarc %s spf %s %v", v.DKIM.Status(), v.DMARC.Now.Result, v.SPF.Status, err)
	}
	got := receive.Read(receive.Mail{Raw: m.WithTrace()}, receive.Options{Token: r.Token, SentAt: r.SentAt, Hosts: []string{"mx.final.test"}})
	if len(got.Trace.Hops) != 2 || !got.Trace.Hops[1].TLS.Used || got.Trace.Hops[1].Helo != "mail.a.test" || got.Trace.Hops[1].Software != "exim" || !got.DelayKnown || got.DelayMS > 20_000 {
		t.Errorf("%+v", got.Trace.Hops)
	}
}

// A header that Exim alters after the signing is named.
func TestAlteredHeader(t *testing.T) {
	need(t, "exim4")
	address, port, mails := listener(t)
	routers, transports := onward(port, "  headers_remove = Subject\n  headers_add = Subject: [ext] $h_Subject:\n")
	e := newExim(t, routers, transports)
	o := e.options()
	o.Submission = &send.Submission{Host: "mx.b.test"}
	r, err := send.Send(t.Context(), send.Message{From: "probe@a.test", To: address}, o)
	if err != nil || r.Outcome != send.Accepted {
		t.Fatalf("%s %s %v", r.Outcome, r.Why, err)
	}
	m := take(t, e, mails)
	v, err := judge.Mail(t.Context(), world, judge.Input{Raw: m.Raw, IP: m.Peer.Addr(), MailFrom: m.Envelope.MailFrom})
	if err != nil || v.DKIM.Status() != dkim.Fail || v.DMARC.Now.Result != "fail" {
		t.Fatalf("dkim %s dmarc %s %v", v.DKIM.Status(), v.DMARC.Now.Result, err)
	}
	if c := v.DKIM.Signatures[0].Change; c == nil || !strings.EqualFold(c.Field, "Subject") || c.Kind != dkim.ChangePrefix {
		t.Errorf("change %+v: %s", c, v.DKIM.Signatures[0].Explanation)
	}
}

// Exim forwards to another domain: SPF fails there, DKIM survives, and it is called
// forwarding.
func TestForwarded(t *testing.T) {
	need(t, "exim4")
	address, port, mails := listener(t)
	routers, transports := onward(port, "")
	e := newExim(t, "alias:\n  driver = redirect\n  domains = b.test\n  data = "+address+"\n"+routers, transports)
	r, err := send.Send(t.Context(), send.Message{From: "probe@a.test", To: "bob@b.test", Token: token.InAddress(address)}, e.options())
	if err != nil || r.Outcome != send.Accepted {
		t.Fatalf("%s %s %v", r.Outcome, r.Why, err)
	}
	m := take(t, e, mails)
	v, err := judge.Mail(t.Context(), world, judge.Input{Raw: m.Raw, IP: m.Peer.Addr(), MailFrom: m.Envelope.MailFrom})
	if err != nil || v.SPF.Status != "fail" || v.DKIM.Status() != dkim.Pass || v.DMARC.Now.Result != "pass" {
		t.Errorf("spf %s dkim %s dmarc %s %v", v.SPF.Status, v.DKIM.Status(), v.DMARC.Now.Result, err)
	}
	got := receive.Read(receive.Mail{Raw: m.WithTrace()}, receive.Options{Token: r.Token, To: r.To, MailFrom: r.MailFrom, Direct: true, Hosts: []string{"mx.final.test"}})
	if !got.Forwarded.Seen {
		t.Errorf("%+v %+v", got.Forwarded, got.Trace)
	}
}

// Exim delivers to a maildir through rspamd: an ordinary probe lands in the inbox,
// and one with GTUBE in Junk.
func TestGTUBE(t *testing.T) {
	need(t, "exim4", "rspamd", "rspamc")
	addr := rspamd(t)
	e := newExim(t, "local:\n  driver = accept\n  domains = b.test\n  transport = scan\n",
		"scan:\n  driver = pipe\n  command = DIR/deliver\n  user = Debian-exim\n  group = Debian-exim\n  envelope_to_add\n  return_path_add\n  temp_errors = *\n")
	// The part of a sieve script: what rspamd marks goes to Junk.
	write(t, filepath.Join(e.dir, "deliver"), `#!/bin/sh
set -eu
f=$(mktemp `+e.dir+`/Maildir/tmp/XXXXXXXX)
rspamc --mime -h `+addr+` >"$f"
if grep -qi '^X-Spam: yes' "$f" || grep -qi '^X-Spam-Action: \(reject\|add header\)' "$f"; then
	mv "$f" `+e.dir+`/Maildir/.Junk/new/
else
	mv "$f" `+e.dir+`/Maildir/new/
fi
`, 0o755)
	for _, spam := range []bool{false, true} {
		seed, err := receive.NewMaildir(e.maildir, receive.MaildirOptions{})
		if err != nil {
			t.Fatal(err)
		}
		res, err := receive.Roundtrip(t.Context(), send.Message{From: "probe@a.test", To: "bob@b.test", SpamTest: spam}, e.options(), seed,
			receive.Options{Wait: 20 * time.Second, Interval: 200 * time.Millisecond, Hosts: []string{"mx.b.test"}})
		if err != nil || res.Received == nil || res.Received.Outcome != receive.Arrived {
			t.Fatalf("%s %s %v\n%s", res.Status, res.Why, err, e.log())
		}
		got, status := verdict.Inbox, receive.Pass
		if spam {
			got, status = verdict.Spam, receive.Fail
		}
		if res.Received.Placement != got || res.Status != status {
			t.Errorf("spam %v: %s, %s (%s)\n%s", spam, res.Received.Placement, res.Status, res.Why, res.Received.Raw)
		}
		if !res.Received.DelayKnown || res.Received.Trace.Hops[0].By != "mx.b.test" {
			t.Errorf("%+v", res.Received.Trace)
		}
	}
}

// rspamd starts one, and returns where it takes mails.
func rspamd(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/lib", "mailcheck-lab-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	conf, state := filepath.Join(dir, "conf"), filepath.Join(dir, "state")
	run(t, "cp", "-r", "/etc/rspamd", conf)
	for _, d := range []string{state, conf + "/local.d"} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	port := freePort(t)
	write(t, conf+"/local.d/worker-normal.inc", "bind_socket = \"127.0.0.1:"+port+"\";\ncount = 1;\n", 0o644)
	for _, w := range []string{"controller", "proxy"} {
		write(t, conf+"/local.d/worker-"+w+".inc", "bind_socket = \"127.0.0.1:"+freePort(t)+"\";\ncount = 1;\n", 0o644)
	}
	write(t, conf+"/local.d/logging.inc", "type = \"console\";\nlevel = \"info\";\n", 0o644)
	// No name server: nothing of a test leaves the machine.
	write(t, conf+"/local.d/options.inc", "dns { nameserver = [\"127.0.0.1:1\"]; timeout = 0.1s; retransmits = 1; }\n", 0o644)
	run(t, "chmod", "-R", "a+rX", dir)
	run(t, "chown", "_rspamd:_rspamd", state)
	start(t, port, "rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", conf+"/rspamd.conf",
		"--var=LOCAL_CONFDIR="+conf, "--var=DBDIR="+state, "--var=RUNDIR="+state, "--var=CONFDIR="+conf)
	return "127.0.0.1:" + port
}
