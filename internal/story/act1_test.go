//go:build story

package story

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

const hello = `From: Admin <admin@story.example>
To: Ada <%s>
Subject: The minutes of Monday
Message-ID: <%s@story.example>

Dear Ada,

here are the minutes.
`

// hand hands a mail of the admin to the own server, as a program on it does.
func (h *host) hand(to, id string) {
	h.w.t.Helper()
	h.run(0, []byte(fmt.Sprintf(hello, to, id)), "sendmail", "-f", "admin@story.example", to)
}

// said fails unless each pattern is in the text; white space and line feeds that
// a terminal's width makes are all one.
func (w *world) said(text string, patterns ...string) {
	w.t.Helper()
	flat := strings.Join(strings.Fields(text), " ")
	for _, p := range patterns {
		if !regexp.MustCompile(p).MatchString(flat) {
			w.t.Errorf("nothing like %q in\n%s", p, text)
		}
	}
}

// unsaid fails if a pattern is in the text.
func (w *world) unsaid(text string, patterns ...string) {
	w.t.Helper()
	flat := strings.Join(strings.Fields(text), " ")
	for _, p := range patterns {
		if regexp.MustCompile(p).MatchString(flat) {
			w.t.Errorf("%q is said in\n%s", p, text)
		}
	}
}

// unauthenticated is what the diagnosis of the big receiver's refusal has to say:
// what the receiver saw, and what the audit of the domain finds.
var unauthenticated = []string{
	`Cause unauthenticated`, `by Gmail`, `address 2001:db8:2::25, domain story\.example, SPF fail, DKIM fail`,
	`Audit confirmed: SPF of story\.example gives neutral for 2001:db8:2::25`,
	`DKIM001: `, `SPF015: ip4:203\.0\.0\.0/8 .* lets 16777216`, `DMARC001: no DMARC record`, `IP001: 2001:db8:2::25 has no PTR record`,
	`Next mailcheck fix plan story\.example --ip 2001:db8:2::25`,
}

// actRefused: the mail of a domain that nobody looked after for years is refused,
// and the admin asks why.
func actRefused(w *world) {
	a := w.mail.admin
	a.hand("seed@big.example", "minutes-1")
	_, bounce, text := a.find("admin", "X-Postfix-Sender: rfc822; admin@story.example")
	w.said(text, `550-5\.7\.26 Your email has been blocked`, `SPF \[story\.example\] with ip: \[2001:db8:2::25\] = did not pass`)

	out, _ := a.mailcheck(1, "diagnose", bounce)
	w.said(out, append(unauthenticated, `for seed@big\.example`)...)
	out, _ = a.mailcheck(1, "diagnose", bounce, "-o", "json")
	var d struct {
		Schema  string
		Results []struct {
			Cause string
			Audit struct {
				Verdict        string
				SPF, DKIM      string
				Findings, Also []struct{ Rule string }
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &d); err != nil || d.Schema != "mailcheck.diagnose/1" || len(d.Results) != 1 {
		w.t.Fatalf("%v in %s", err, out)
	}
	if r := d.Results[0]; r.Cause != "unauthenticated" || r.Audit.Verdict != "confirmed" || r.Audit.SPF != "neutral" || r.Audit.DKIM != "none found" || len(r.Audit.Also) != 3 {
		w.t.Errorf("%+v", r)
	}

	// The same from the log of the server, and from the reply alone.
	a.wait("the line in the log", func() bool { return strings.Contains(a.read("/var/log/mail.log"), "status=bounced") })
	out, _ = a.mailcheck(1, "diagnose", "/var/log/mail.log")
	w.said(out, append(unauthenticated, `unauthenticated at big\.example: 0 deferred, 1 bounced`)...)
	code, reply := a.send(letter{server: "[" + bigIP6 + "]:25", helo: "mail.story.example", mailFrom: "admin@story.example", to: []string{"seed@big.example"},
		data: fmt.Sprintf(hello, "seed@big.example", "minutes-2")})
	lines := strings.Split(reply, "\n")
	if code != 550 || len(lines) != 9 {
		w.t.Fatalf("%d %s", code, reply)
	}
	pasted := "550-" + strings.Join(lines[:8], "\n550-") + "\n550 " + lines[8]
	out, _ = a.mailcheck(1, "diagnose", pasted)
	w.said(out, unauthenticated...)

	// A bounce that is still in the queue.
	a.must("postconf", "-e", "defer_transports=lmtp")
	a.must("postfix", "reload")
	a.hand("seed@big.example", "minutes-3")
	id := ""
	a.wait("a bounce in the queue", func() bool {
		q, _ := a.command("postqueue", "-j").Output()
		for line := range strings.Lines(string(q)) {
			var e struct {
				Queue  string `json:"queue_name"`
				ID     string `json:"queue_id"`
				Sender string
			}
			if json.Unmarshal([]byte(line), &e) == nil && e.Sender == "MAILER-DAEMON" && e.Queue == "deferred" {
				id = e.ID
			}
		}
		return id != ""
	})
	for _, flag := range []string{"-q", "-qbh"} {
		out, _ = a.run(1, nil, "sh", "-c", "postcat "+flag+" "+id+" | mailcheck diagnose -")
		w.said(out, append(unauthenticated, `for seed@big\.example`)...)
	}
	a.must("postconf", "-X", "defer_transports")
	a.must("postfix", "reload")
	a.must("postqueue", "-f")

	// The second receiver has another reason.
	a.hand("seed@second.example", "minutes-4")
	_, bounce, _ = a.find("admin", "Final-Recipient: rfc822; seed@second.example")
	out, _ = a.mailcheck(1, "diagnose", bounce)
	w.said(out, `Cause no-ptr, for seed@second\.example`, `Audit confirmed: IP001: 2001:db8:2::25 has no PTR record`, `SPF015`, `DKIM001`, `DMARC001`)
	w.unsaid(out, `dns-failure`)

	out, _ = a.mailcheck(1, "audit", "story.example", "--ip", adminIP, "--ip", adminIP6, "--trust-anchor", w.dns.anchor)
	w.said(out, `MAIL BROKEN`, `SPF015 `, `DKIM001 `, `DMARC001 `, `IP001 .* 2001:db8:2::25 has no PTR record`, `SPF024 .*mail from 2001:db8:2::25 gets neutral`)
	w.unsaid(out, `DNSSEC001`, `192\.0\.2\.25 has no PTR`)
}
