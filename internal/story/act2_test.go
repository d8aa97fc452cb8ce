//go:build story

package story

import (
	"encoding/json"
	"fmt"
	"strings"
)

// plan is what the story reads of a plan.
type plan struct {
	Schema, Domain string
	Steps          []struct {
		ID, Title string
		Depends   []string
		Change    *struct {
			Name, Type string
			TTL        int
			Old, New   []string
		}
		Manual []manual
		Gate   *struct{ Command string }
		Check  struct{ Command string }
	}
	Decisions []struct{ Rule, Message, Text string }
	Unknown   []string
}

const (
	planFile = "/root/story.plan.json"
	undoFile = "/root/story.undo.json"
)

// actRepaired: plan, review, apply, verify; OpenDKIM and Postfix as printed; and
// the mail arrives, with verdicts that are ours too.
func actRepaired(w *world) {
	a := w.mail.admin
	out, _ := a.mailcheck(0, "fix", "plan", "story.example", "--ip", adminIP, "--ip", adminIP6, "--report-to", "dmarc@story.example",
		"--key-dir", "/root/keys", "--server", "opendkim", "--out", planFile, "--no-input")
	w.said(out, `sign with the new key in OpenDKIM`, `ip6:2001:db8:2::25`, `v=DMARC1; p=none; rua=mailto:dmarc@story\.example`, `2001:db8:2::25 has no PTR record`, `reverse DNS`)
	var p plan
	if err := json.Unmarshal([]byte(a.read(planFile)), &p); err != nil || p.Schema != "mailcheck.plan/1" || p.Domain != "story.example" {
		w.t.Fatalf("%v: %+v", err, p)
	}
	w.reviewed(p)
	out, _ = a.mailcheck(0, "fix", "show", planFile, "-o", "markdown")
	w.said(out, `dkim-1`, `sign-1`, `stage-1`)

	key := a.write("/root/upd.key", updateKey, 0o600)
	out, _ = a.mailcheck(0, "fix", "apply", planFile, "--dns-server", primaryIP, "--tsig-key", key, "--undo", undoFile, "--yes")
	w.said(out, `dkim-1`, `spf-1`, `dmarc-1`)
	w.unsaid(out, `stage-1 .*applied`)

	// The secondary has not heard of it yet.
	out, _ = a.mailcheck(4, "fix", "verify", planFile, "--once")
	w.said(out, `ns2\.story\.example`, secondaryIP)
	w.dns.transfer()
	out, _ = a.mailcheck(0, "fix", "verify", planFile, "--timeout", "30s", "--interval", "1s")
	w.said(out, `gone DKIM001`, `gone DMARC001`, `gone SPF024`)
	w.unsaid(out, `unknown`)

	// Only now the server may sign.
	a.systemd()
	for _, s := range p.Steps {
		if s.ID != "sign-1" {
			continue
		}
		for _, m := range s.Manual {
			out := a.follow(m)
			if m.Title == "test it" {
				w.said(out, `key OK`)
				w.unsaid(out, `not secure`)
			}
		}
		w.said(a.sh(s.Check.Command), `match`)
	}
	a.listens("127.0.0.1:8891")

	// What no record of the domain repairs, its hoster does.
	w.dns.nsupdate(fmt.Sprintf("update add %s. 3600 PTR mail.story.example.", reverseName(adminIP6)))
	a.wait("the PTR", func() bool {
		out, _ := a.command("dig", "+short", "-x", adminIP6).Output()
		return strings.Contains(string(out), "mail.story.example.")
	})
	out, _ = a.mailcheck(1, "audit", "story.example", "--ip", adminIP, "--ip", adminIP6, "--selector", selectorOf(p), "--trust-anchor", w.dns.anchor)
	w.said(out, `SPF015`) // who really sends, only reports will tell
	w.unsaid(out, `IP001 A`, `DKIM001 The`, `DMARC001 No`, `SPF024 SPF`)

	w.roundtrips()
}

// reviewed is the look of a colleague at the plan.
func (w *world) reviewed(p plan) {
	w.t.Helper()
	var order []string
	for _, s := range p.Steps {
		order = append(order, s.ID)
		switch {
		case strings.HasPrefix(s.ID, "stage-") != (s.Gate != nil):
			w.t.Errorf("%s: gate %v", s.ID, s.Gate)
		case s.Gate != nil && s.Gate.Command != "mailcheck rollout story.example":
			w.t.Errorf("%s: gate %+v", s.ID, s.Gate)
		case s.Change != nil && s.Change.TTL != 3600:
			w.t.Errorf("%s: TTL %d, the zone has 3600", s.ID, s.Change.TTL)
		}
		if s.ID == "spf-1" && (len(s.Change.New) != 2 || !strings.Contains(strings.Join(s.Change.New, "\n"), `site-verification=\"a;b\\c\"`)) {
			w.t.Errorf("another TXT record is lost: %q", s.Change.New)
		}
	}
	if got, want := strings.Join(order, " "), "dkim-1 sign-1 spf-1 dmarc-1 tls-1 stage-1 stage-2 stage-3"; got != want {
		w.t.Errorf("steps %s, want %s", got, want)
	}
	var decide []string
	for _, d := range p.Decisions {
		decide = append(decide, d.Rule)
	}
	if got, want := strings.Join(decide, " "), "SPF015 IP001 SPF009 DMARC012"; got != want {
		w.t.Errorf("to decide %s, want %s", got, want)
	}
	if len(p.Unknown) > 0 {
		w.t.Errorf("unknown: %q", p.Unknown)
	}
}

// selectorOf is the selector of the plan's new key.
func selectorOf(p plan) string {
	for _, s := range p.Steps {
		if s.ID == "dkim-1" {
			sel, _, _ := strings.Cut(s.Change.Name, "._domainkey")
			return sel
		}
	}
	return ""
}

// private are the networks of this world, which are documentation's.
var private = []string{"--allow-private", "192.0.2.0/24", "--allow-private", "198.51.100.0/24", "--allow-private", "203.0.113.0/24", "--allow-private", "2001:db8::/32"}

// roundtrips sends a probe to each receiver and looks at what became of it.
func (w *world) roundtrips() {
	a := w.mail.admin
	via := []string{"--via", "mail.story.example:587", "--user", "probe", "--password-file", mailPasswordFile}
	args := append([]string{"probe", "roundtrip", "--from", "probe@story.example", "--to", "seed@big.example", "--ca", w.caFile,
		"--seed", "imaps://seed@mx.big.example", "--seed-password-file", mailPasswordFile, "--authserv-id", "mx.big.example", "--receiver-host", "big.example",
		"--interval", "1s", "--wait", "60s"}, append(via, private...)...)
	out, _ := a.mailcheck(0, args...)
	w.said(out, `Roundtrip pass: it is in the inbox`, `Our verdict SPF pass for story\.example: matched by ip6:2001:db8:2::25 .*DKIM pass for story\.example .*DMARC pass for story\.example`,
		// rspamd writes its results in no order.
		`The receiver's verdict .*- dkim=pass story\.example`, `The receiver's verdict .*- spf=pass story\.example`, `The receiver's verdict .*- dmarc=pass story\.example`)
	w.unsaid(out, `Differences`)

	out, _ = a.mailcheck(0, append([]string{"probe", "send", "--from", "probe@story.example", "--to", "seed@second.example", "--ca", w.caFile, "-o", "json"}, append(via, private...)...)...)
	var sent struct{ Token string }
	if err := json.Unmarshal([]byte(out), &sent); err != nil || sent.Token == "" {
		w.t.Fatalf("%v: no token in %s", err, out)
	}
	s := w.mail.second
	out, _ = s.mailcheck(0, "probe", "receive", s.mailbox("seed"), "--token", sent.Token, "--wait", "60s", "--interval", "1s", "--to", "seed@second.example",
		"--authserv-id", "mx.second.example", "--receiver-host", "second.example")
	w.said(out, `Probe pass: it is in the inbox`, `Our verdict SPF pass for story\.example.* DKIM pass for story\.example`,
		`The receiver's verdict - iprev=pass - - spf=pass story\.example - dkim=pass story\.example`, `Differences - dmarc .* the receiver says nothing of it$`)
	w.unsaid(out, `Differences .*(spf|dkim) `)
}
