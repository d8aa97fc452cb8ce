//go:build story

package story

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// actMoved is Act 4: a move that forgets the DKIM key and the reverse name.
func actMoved(w *world) {
	h := w.mail.admin
	before := w.zoneNow()
	selector := w.ownSelector(before)
	own := []string{"--selector", selector, "--selector", newsSelector, "--ip", adminIP, "--ip", adminIP6}
	h.mailcheck(0, append([]string{"baseline", "save", "story.example"}, own...)...)
	w.watch(0)

	// The new zone, as a rushed admin makes it of a list of settings: before it is
	// published, both gaps are named.
	h.write("/root/old.zone", strings.Join(before, "\n")+"\n", 0o644)
	h.write("/root/new.zone", strings.Join(moved(before, selector), "\n")+"\n", 0o644)
	out, _ := h.mailcheck(1, "compare", "/root/old.zone", "/root/new.zone", "--domain", "story.example", "--old-ip", adminIP, "--new-ip", newMailIP)
	w.want(out, "error dkim "+selector, "the key of this selector is gone", "error ptr of the sending host", "the sending address has no reverse name")
	w.never(out, "dkim "+newsSelector)

	// It is done nevertheless.
	h.write("/root/move.json", w.moveOf(before, selector), 0o644)
	w.apply("/root/move.json", "/root/move.undo.json")
	w.dns.nsupdate("update delete " + reverseName(adminIP) + ". PTR")
	h.must("ip", "addr", "add", newMailIP+"/32", "dev", "eth0")
	w.sendFrom(newMailIP)
	out = w.watch(1)
	w.want(out, "error dkim "+selector, "the key of this selector is gone", "error ptr "+adminIP, "the sending address has no reverse name")

	// What it means: hosts without a name are refused, and mail that is forwarded has
	// nothing left to pass by.
	w.sendOwn("seed@second.example", "moved.1")
	w.sendOwn("alumni@forward.example", "moved.2")
	h.wait("the refusal for want of a reverse name", func() bool {
		return strings.Contains(h.read("/var/log/mail.log"), "no reverse DNS (PTR) record for "+newMailIP)
	})
	v := w.mail.bySymbols("forwarder", "moved.2@story.example")
	w.note("forwarded after the move: spf=%s dkim=%v DMARC pass=%t", v.spf, v.dkim, v.pass)
	if v.pass {
		w.t.Errorf("the forwarded mail passes without a key: %+v", v)
	}

	// Back, and the hoster gives the name back.
	h.mailcheck(0, "fix", "undo", "/root/move.undo.json", "--dns-server", primaryIP, "--tsig-key", updKeyFile, "--undo", "/root/move.redo.json", "--yes")
	w.dns.transfer()
	out, _ = h.mailcheck(0, "fix", "verify", "/root/move.undo.json", "--timeout", "30s", "--interval", "1s")
	w.want(out, "proven")
	w.dns.nsupdate("update add " + reverseName(adminIP) + ". 3600 PTR mail.story.example.")
	w.sendFrom("")
	h.must("ip", "addr", "del", newMailIP+"/32", "dev", "eth0")
	if after := w.zoneNow(); !slices.Equal(before, after) {
		w.t.Errorf("the zone is not what it was:\n%s\n\nbefore:\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
	w.known("/root/move.undo.json")
	w.watch(0)
	w.sendOwn("seed@second.example", "back.1")
	w.sendOwn("alumni@forward.example", "back.2")
	v = w.mail.byHeader("own4", "back.1@story.example")
	if !v.spfAligned() || !v.dkimAligned() {
		w.t.Errorf("after the way back: %+v", v)
	}
	if v := w.mail.bySymbols("forwarder", "back.2@story.example"); !v.pass || !v.dkimAligned() {
		w.t.Errorf("forwarded after the way back: %+v", v)
	}
}

// watch is the baseline in cron: silence if all is as it was.
func (w *world) watch(want int) string {
	w.t.Helper()
	h := w.mail.admin
	mailcheck := strings.TrimSpace(h.must("sh", "-c", "command -v mailcheck"))
	out, errs := h.run(want, nil, "env", "-i", "SHELL=/bin/sh", "HOME=/root", "LOGNAME=root", "PATH=/usr/bin:/bin", "/bin/sh", "-c", mailcheck+" baseline diff story.example --quiet")
	if (out+errs == "") != (want == 0) {
		w.t.Fatalf("cron gets %q with status %d", out+errs, want)
	}
	return out
}

// zoneRecord is a line of dig.
var zoneRecord = regexp.MustCompile(`^(\S+)\s+(\d+)\s+IN\s+(\S+)\s+(.*\S)\s*$`)

// zoneNow is the zone by a transfer, without what the signing adds: one record a
// line, sorted.
func (w *world) zoneNow() []string {
	w.t.Helper()
	out := w.dns.primary.must("dig", "+noall", "+answer", "+onesoa", "@127.0.0.1", "story.example", "AXFR")
	var list []string
	for line := range strings.Lines(out) {
		f := zoneRecord.FindStringSubmatch(line)
		if f == nil || slices.Contains([]string{"SOA", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY", "TYPE65534"}, f[3]) {
			continue
		}
		list = append(list, fmt.Sprintf("%s %s IN %s %s", f[1], f[2], f[3], f[4]))
	}
	slices.Sort(list)
	if len(list) < 10 {
		w.t.Fatalf("the zone is not transferred: %s", out)
	}
	return list
}

// ownSelector is the selector of the admin's server.
func (w *world) ownSelector(zone []string) string {
	w.t.Helper()
	for _, r := range zone {
		if name, _, ok := strings.Cut(r, "._domainkey.story.example. 3600 IN TXT "); ok {
			return name
		}
	}
	w.t.Fatalf("no key in\n%s", strings.Join(zone, "\n"))
	return ""
}

// moved is the zone at the new place.
func moved(zone []string, selector string) []string {
	var out []string
	for _, r := range zone {
		switch {
		case strings.HasPrefix(r, selector+"._domainkey."):
			continue // not on the list
		case strings.HasPrefix(r, "mail.story.example. "), strings.Contains(r, `"v=spf1 `):
			r = strings.ReplaceAll(r, adminIP, newMailIP)
		}
		out = append(out, r)
	}
	return out
}

// moveOf is the move as a plan.
func (w *world) moveOf(zone []string, selector string) string {
	data := func(name, typ string) []string {
		var out []string
		for _, r := range zone {
			if d, ok := strings.CutPrefix(r, name+". 3600 IN "+typ+" "); ok {
				out = append(out, d)
			}
		}
		return out
	}
	swap := func(list []string) []string {
		var out []string
		for _, d := range list {
			out = append(out, strings.ReplaceAll(d, adminIP, newMailIP))
		}
		return out
	}
	a, txt := data("mail.story.example", "A"), data("story.example", "TXT")
	return w.byHand("move the mail server to "+newMailIP,
		change{verb: "update", name: "mail.story.example", typ: "A", old: a, new: swap(a)},
		change{verb: "update", name: "story.example", typ: "TXT", old: txt, new: swap(txt)},
		change{verb: "delete", name: selector + "._domainkey.story.example", typ: "TXT", old: data(selector+"._domainkey.story.example", "TXT")})
}

// sendFrom makes Postfix send from an IPv4 address; empty: from its own.
func (w *world) sendFrom(ip string) {
	w.mail.admin.must("sh", "-ec", fmt.Sprintf("postconf -e smtp_address_preference=ipv4 smtp_bind_address=%s; postfix reload", ip))
}

// sendOwn sends a mail of the domain through its own server.
func (w *world) sendOwn(to, id string) {
	w.t.Helper()
	code, text := w.mail.admin.send(letter{server: "127.0.0.1:25", helo: "localhost", mailFrom: "anna@story.example", to: []string{to}, data: fmt.Sprintf(
		"From: anna@story.example\nTo: %s\nSubject: %s\nDate: %s\nMessage-ID: <%s@story.example>\n\nHello.\n", to, id, time.Now().UTC().Format(time.RFC1123Z), id)})
	if code != 250 {
		w.t.Fatalf("%d %s", code, text)
	}
}
