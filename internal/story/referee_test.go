//go:build story

package story

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// allowed are the disagreements that are right, with the reason.
var allowed = map[string]string{
	"SPF of x@typo.second.example from 192.0.2.25: spfquery (invalid), mailcheck permerror": "RFC 7208, Section 4.6: an error of syntax anywhere in the record is permerror; libspf2 calls it invalid",
}

// judge compares two verdicts; one that is not as expected fails the act, and the
// next ones are still heard.
func (w *world) judge(what, referee, theirs, ours string) {
	w.t.Helper()
	if why, ok := allowed[what+": "+referee+" "+theirs+", mailcheck "+ours]; ok {
		w.note("%s: %s says %s, mailcheck %s: %s", what, referee, theirs, ours, why)
		return
	}
	w.note("%s: %s says %s, mailcheck %s", what, referee, theirs, ours)
	if theirs != ours {
		w.t.Errorf("%s: %s says %q, mailcheck %q", what, referee, theirs, ours)
	}
}

func yes(ok bool) string {
	if ok {
		return "good"
	}
	return "not good"
}

// actRefereed: the programs of others judge the same things.
func actRefereed(w *world) {
	a := w.mail.admin
	var p plan
	if err := json.Unmarshal([]byte(a.read(planFile)), &p); err != nil {
		w.t.Fatal(err)
	}
	selector := selectorOf(p)
	key := "/etc/dkimkeys/story.example/" + selector + ".private"
	other := "/root/other.pem"
	a.must("sh", "-ec", "umask 077; openssl genrsa 2048 >"+other+" 2>/dev/null")
	w.refereeKeys(selector, key, other)
	w.refereeSignatures(selector, other)
	w.refereeSPF()
	w.refereeDNSSEC()
	w.refereeDANE()
	w.refereeReceivers()
}

// refereeKeys: opendkim-testkey.
func (w *world) refereeKeys(selector, key, other string) {
	a := w.mail.admin
	for _, c := range []struct{ what, selector, key string }{
		{"the key in use", selector, key}, {"another key", selector, other}, {"no record", "none", key},
	} {
		_, _, theirs := a.try(nil, "opendkim-testkey", "-x", "/etc/opendkim.conf", "-d", "story.example", "-s", c.selector, "-k", c.key, "-vvv")
		_, _, ours := a.try(nil, "mailcheck", "dkim", "match", "--key", c.key, "--domain", "story.example", "--selector", c.selector)
		w.judge(c.what, "opendkim-testkey", yes(theirs == 0), yes(ours == 0))
	}
}

// refereeSignatures: opendkim-testmsg and dkimverify.
func (w *world) refereeSignatures(selector, other string) {
	a := w.mail.admin
	a.hand("seed@big.example", "signed-1")
	mail := w.mail.big.delivered("seed", "signed-1@story.example")
	const plain = "From: admin@story.example\nTo: seed@big.example\nSubject: hello\nDate: Mon, 23 Nov 2026 22:41:52 +0000\n\nhi\n"
	wrong, _ := a.run(0, []byte(plain), "mailcheck", "dkim", "sign", "--key", other, "--domain", "story.example", "--selector", selector)
	gone, _ := a.run(0, []byte(plain), "mailcheck", "dkim", "sign", "--key", other, "--domain", "story.example", "--selector", "none")
	for _, c := range []struct{ what, mail, ours string }{
		{"a mail as it was delivered", mail, "pass"},
		{"a mail with a footer", mail + "-- \nalumni.example\n", "fail"},
		{"a mail with a tag in its subject", strings.Replace(mail, "Subject: ", "Subject: [list] ", 1), "fail"},
		{"a mail with more space", strings.Replace(mail, "Subject: ", "Subject:   ", 1), "pass"},
		{"a mail with a second From", strings.Replace(mail, "From: ", "From: eve@story.example\nFrom: ", 1), "fail"},
		{"a signature by another key", wrong, "fail"},
		{"a signature whose key is not published", gone, "permerror"},
		{"a mail that is not signed", plain, "none"},
	} {
		out, _, _ := a.try([]byte(c.mail), "mailcheck", "dkim", "verify", "-", "-o", "json")
		var v struct{ Status string }
		if err := json.Unmarshal([]byte(out), &v); err != nil || v.Status != c.ours {
			w.t.Errorf("%s: %q, want %s (%v)", c.what, v.Status, c.ours, err)
		}
		_, _, code := a.try([]byte(c.mail), "opendkim-testmsg")
		w.judge(c.what, "opendkim-testmsg", yes(code == 0), yes(v.Status == "pass"))
		_, _, code = a.try([]byte(c.mail), "dkimverify")
		w.judge(c.what, "dkimverify", yes(code == 0), yes(v.Status == "pass"))
	}
}

// refereeSPF: the spfquery of libspf2.
func (w *world) refereeSPF() {
	a := w.mail.admin
	w.dns.nsupdate("update add typo.second.example. 3600 TXT \"v=spf1 ip4:203.0.113.300 -all\"",
		"update add loop.second.example. 3600 TXT \"v=spf1 include:loop.second.example -all\"",
		"update add away.second.example. 3600 TXT \"v=spf1 redirect=big.example\"",
		"update add soft.second.example. 3600 TXT \"v=spf1 exists:%{ir}.x.second.example ~all\"",
		"update add 25.2.0.192.x.second.example. 3600 A 127.0.0.2")
	for _, c := range []struct{ ip, sender, helo string }{
		{adminIP, "admin@story.example", "mail.story.example"},
		{adminIP6, "admin@story.example", "mail.story.example"},
		{"2001:db8:2::26", "admin@story.example", "mail.story.example"},
		{neighbourIP, "admin@story.example", "vps77.old-host.example"},
		{spooferIP, "admin@story.example", "host66.dialup.example"},
		{bigIP, "ada@big.example", "mx.big.example"},
		{bigIP6, "ada@big.example", "mx.big.example"},
		{spooferIP, "ada@big.example", "mx.big.example"},
		{newsIP, "bounce@news.example", "out.news.example"},
		{spooferIP, "x@forward.example", "mx.forward.example"},
		{forwardIP, "x@forward.example", "mx.forward.example"},
		{adminIP, "x@mail.story.example", "mail.story.example"},
		{adminIP, "x@nosuch.second.example", "mail.story.example"},
		{adminIP, "x@typo.second.example", "mail.story.example"},
		{adminIP, "x@loop.second.example", "mail.story.example"},
		{bigIP, "x@away.second.example", "mail.story.example"},
		{adminIP, "x@soft.second.example", "mail.story.example"},
		{spooferIP, "x@soft.second.example", "mail.story.example"},
	} {
		theirs, _, _ := a.try(nil, "spfquery", "-ip="+c.ip, "-sender="+c.sender, "-helo="+c.helo)
		// Its errors come first, between two lines.
		if _, rest, ok := strings.Cut(theirs, "EndError\n"); ok {
			theirs = rest
		}
		theirs, _, _ = strings.Cut(theirs, "\n")
		out, _, _ := a.try(nil, "mailcheck", "spf", "check", "--ip", c.ip, "--from", c.sender, "--helo", c.helo, "-o", "json")
		var v struct{ Result string }
		if err := json.Unmarshal([]byte(out), &v); err != nil {
			w.t.Fatal(err)
		}
		w.judge("SPF of "+c.sender+" from "+c.ip, "spfquery", theirs, v.Result)
	}
}

// refereeDNSSEC: delv, which validates on its own with the same anchor.
func (w *world) refereeDNSSEC() {
	a := w.mail.admin
	ds := strings.Fields(a.read(w.dns.anchor))
	ds = ds[len(ds)-4:]
	anchor := a.write("/root/anchor.conf", fmt.Sprintf("trust-anchors { . static-ds %s %s %s %q; };\n", ds[0], ds[1], ds[2], ds[3]), 0o644)
	digest := strings.Repeat("ab", 32)
	w.dns.nsupdate("update add _25._tcp.mx.big.example. 3600 TLSA 3 1 1 " + digest)
	w.dns.nsupdate("update add _25._tcp.mx.second.example. 3600 TLSA 3 1 1 " + digest)
	for _, c := range []struct{ domain, name, want string }{
		{"big.example", "_25._tcp.mx.big.example", "secure"},
		{"second.example", "_25._tcp.mx.second.example", "insecure"},
		{"broken.example", "broken.example", "bogus"},
	} {
		kind := "TLSA"
		if c.want == "bogus" {
			kind = "MX"
		}
		a.wait(c.name, func() bool { return c.want == "bogus" || a.command("dig", "+short", c.name, kind).Run() == nil })
		out, _, _ := a.try(nil, "delv", "-a", anchor, "+root", "@"+resolverIP, c.name, kind)
		theirs := "bogus"
		switch {
		case strings.Contains(out, "; fully validated"):
			theirs = "secure"
		case strings.Contains(out, "; unsigned answer"):
			theirs = "insecure"
		}
		if theirs != c.want {
			w.t.Errorf("delv calls %s %s, want %s", c.name, theirs, c.want)
		}
		out, _, code := a.try(nil, append([]string{"mailcheck", "dane", "check", c.domain, "--no-probe", "--trust-anchor", w.dns.anchor, "-o", "json"}, private...)...)
		var v struct {
			MX    string
			Hosts []struct{ TLSA struct{ Security string } }
		}
		if err := json.Unmarshal([]byte(out), &v); err != nil {
			w.t.Fatal(err)
		}
		// The resolver keeps what is bogus for itself: the records are unknown, and so
		// is the result; nothing is called absent.
		ours := "not bogus"
		if v.MX == "unknown" && code == 2 {
			ours = "bogus"
		} else if len(v.Hosts) == 1 {
			ours = v.Hosts[0].TLSA.Security
		}
		w.judge("DNSSEC of "+c.name, "delv", theirs, ours)
	}
	w.dns.nsupdate("update delete _25._tcp.mx.big.example. TLSA")
	w.dns.nsupdate("update delete _25._tcp.mx.second.example. TLSA")
}

// refereeDANE: posttls-finger, which delivers as Postfix does.
func (w *world) refereeDANE() {
	a := w.mail.admin
	block, _ := pem.Decode([]byte(w.mail.big.read(certFile)))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		w.t.Fatal(err)
	}
	right := fmt.Sprintf("%x", sha256.Sum256(cert.RawSubjectPublicKeyInfo))
	wrong := fmt.Sprintf("%x", sha256.Sum256([]byte("the key of last year")))
	const name = "_25._tcp.mx.big.example."
	for _, c := range []struct {
		what    string
		digests []string
		ours    int
	}{{"the key in use", []string{right}, 0}, {"the key of last year", []string{wrong}, 1}, {"both keys", []string{wrong, right}, 0}} {
		lines := []string{"update delete " + name + " TLSA"}
		for _, d := range c.digests {
			lines = append(lines, "update add "+name+" 3600 TLSA 3 1 1 "+d)
		}
		w.dns.nsupdate(lines...)
		a.wait("the TLSA records", func() bool {
			out, _ := a.command("dig", "+short", name, "TLSA").Output()
			return strings.Count(string(out), "\n") == len(c.digests) && strings.Contains(strings.ToLower(strings.ReplaceAll(string(out), " ", "")), c.digests[0])
		})
		out, errs, _ := a.try(nil, "posttls-finger", "-c", "-l", "dane", "big.example")
		theirs := strings.Contains(out+errs, "Verified TLS connection established to mx.big.example")
		flags := append([]string{"big.example", "--trust-anchor", w.dns.anchor, "--ca", w.caFile}, private...)
		_, _, dane := a.try(nil, append([]string{"mailcheck", "dane", "check"}, flags...)...)
		_, _, mx := a.try(nil, append([]string{"mailcheck", "probe", "mx", "--no-control"}, flags...)...)
		if dane != c.ours || mx != c.ours {
			w.t.Errorf("DANE with %s: exit status of dane check %d, of probe mx %d, want %d", c.what, dane, mx, c.ours)
		}
		w.judge("DANE with "+c.what, "posttls-finger", yes(theirs), yes(dane == 0))
	}
	w.dns.nsupdate("update delete " + name + " TLSA")
}

// refereeReceivers: the filters of the receivers write their verdicts into each
// mail; mailcheck judges the same mail anew.
func (w *world) refereeReceivers() {
	m := w.mail
	text := func(from, id, more string) string {
		return more + "From: " + from + "\nTo: seed@big.example\nSubject: news\nDate: Mon, 23 Nov 2026 22:41:52 +0000\nMessage-ID: <" + id + "@story.example>\n\nNews.\n"
	}
	m.admin.hand("seed@big.example", "verdict-pass")
	m.admin.hand("seed@second.example", "verdict-pass2")
	signed := m.big.delivered("seed", "verdict-pass@story.example")
	if i := strings.Index(signed, "DKIM-Signature:"); i > 0 {
		signed = signed[i:]
	}
	m.admin.hand("alumni@forward.example", "verdict-forwarded")
	m.admin.hand("alumni2@forward.example", "verdict-forwarded2")
	deliver := func(h *host, server, from, to, data string) {
		w.t.Helper()
		if code, reply := h.send(letter{server: server, helo: h.name, mailFrom: from, to: []string{to}, data: data}); code != 250 {
			w.t.Errorf("%s to %s: %d %s", from, to, code, reply)
		}
	}
	big, second := bigIP+":25", secondIP+":25"
	replay := func(id string) string { return strings.Replace(signed, "verdict-pass@", id+"@", 1) }
	deliver(m.spoofer, big, "x@forward.example", "seed@big.example", replay("verdict-spf-fail"))
	for i, r := range []struct{ server, to string }{{big, "seed@big.example"}, {second, "seed@second.example"}} {
		n := []string{"", "2"}[i]
		deliver(m.admin, r.server, "admin@story.example", r.to, strings.Replace(replay("verdict-altered"+n), "minutes.\n", "minutes, and more.\n", 1))
		deliver(m.news, r.server, "bounce@news.example", r.to, text("news@story.example", "verdict-newsletter"+n, "List-Unsubscribe: <mailto:leave@news.example>\n"))
		deliver(m.admin, r.server, "admin@story.example", r.to, text("admin@story.example", "verdict-unsigned"+n, ""))
		if r.server == second {
			// No name leads back to this one, and Exim wants that.
			if code, reply := m.neighbour.send(letter{server: second, helo: m.neighbour.name, mailFrom: "x@story.example", to: []string{r.to}, data: text("x@story.example", "no", "")}); code != 550 {
				w.t.Errorf("%d %s", code, reply)
			}
		} else {
			deliver(m.neighbour, r.server, "x@story.example", r.to, text("x@story.example", "verdict-neighbour", ""))
		}
		deliver(m.forward, r.server, "x@forward.example", r.to, text("x@forward.example", "verdict-nopolicy"+n, ""))
	}
	// What the policy of the domain rejects arrives only where DMARC is not known.
	rejected := text("x@news.example", "verdict-rejected2", "")
	deliver(m.forward, second, "x@forward.example", "seed@second.example", rejected)
	code, reply := m.forward.send(letter{server: big, helo: "mx.forward.example", mailFrom: "x@forward.example", to: []string{"seed@big.example"}, data: rejected})
	if code != 550 || !strings.Contains(reply, "DMARC") {
		w.t.Errorf("%d %s", code, reply)
	}
	bigs := []string{"pass", "forwarded", "spf-fail", "altered", "newsletter", "unsigned", "neighbour", "nopolicy"}
	seconds := []string{"pass2", "forwarded2", "altered2", "newsletter2", "unsigned2", "nopolicy2", "rejected2"}
	for _, id := range bigs {
		w.verdicts(m.big, "verdict-"+id, "rspamd")
	}
	for _, id := range seconds {
		w.verdicts(m.second, "verdict-"+id, "exim")
	}
	// The refused mail: the receiver's reply is the verdict.
	_, path, _ := m.second.find("seed", "verdict-rejected2@")
	_, ours := m.second.audited(path)
	w.judge("verdict-rejected2: disposition", "rspamd", "reject", ours["disposition"])
}

var method = regexp.MustCompile(`\b(spf|dkim|dmarc)=([a-z]+)`)

// audited is what a receiver wrote into a mail, and what mailcheck says of it.
func (h *host) audited(path string) (theirs, ours map[string]string) {
	h.w.t.Helper()
	theirs, ours = map[string]string{}, map[string]string{}
	_, fields, _ := strings.Cut(strings.ReplaceAll(h.read(path), "\n\t", " "), "Authentication-Results: "+h.name+";")
	line, _, _ := strings.Cut(fields, "\n")
	for _, m := range method.FindAllStringSubmatch(line, -1) {
		theirs[m[1]] = m[2]
	}
	out, _, _ := h.try(nil, "mailcheck", "audit", "message", path, "-o", "json", "--fail-on", "none", "--authserv-id", h.name, "--received-by", h.name)
	type verdict struct{ Ours, Disposition string }
	var v struct {
		Reports []struct {
			Authentication struct {
				SPF, DMARC verdict
				DKIM       []verdict
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil || len(v.Reports) != 1 {
		h.w.t.Fatalf("%v in %s", err, out)
	}
	x := v.Reports[0].Authentication
	ours["spf"], ours["dmarc"], ours["dkim"], ours["disposition"] = x.SPF.Ours, x.DMARC.Ours, "none", x.DMARC.Disposition
	for _, d := range x.DKIM {
		ours["dkim"] = d.Ours
	}
	return theirs, ours
}

// verdicts compares all that the receiver says of one mail.
func (w *world) verdicts(h *host, id, referee string) {
	w.t.Helper()
	_, path, _ := h.find("seed", id+"@")
	theirs, ours := h.audited(path)
	if theirs["spf"] == "" {
		w.t.Errorf("%s: %s says only %v", id, referee, theirs)
	}
	for _, m := range slices.Sorted(maps.Keys(theirs)) {
		w.judge(id+": "+m, referee, theirs[m], ours[m])
	}
}
