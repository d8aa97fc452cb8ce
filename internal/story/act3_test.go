//go:build story

package story

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
)

// The simulated calendar of the third act, in days since its start: all of it is in
// the past, so that reports are of days that are over.
const (
	dayFixed      = 28 // the newsletter signs from here on
	dayTesting    = 42 // quarantine; t=y
	dayQuarantine = 49
	dayReject     = 56
	dayEnd        = 63
)

// act3 is what the third act remembers.
type act3 struct {
	w         *world
	start     time.Time
	reporters []reporter
	perDay    map[string]int64 // mails of a stream at each receiver on a working day
	sent      int              // reports
	round     int
	refusals  []string // replies of the big receiver in this round
}

func (a *act3) day(n int) time.Time { return a.start.AddDate(0, 0, n) }

// at is the flag for the morning of a day.
func (a *act3) at(n int) string {
	return "--at=" + a.day(n).Add(8*time.Hour).Format(time.RFC3339)
}

// Files of the admin.
const (
	reportsStore = "/var/lib/mailcheck/reports"
	updKeyFile   = "/root/story-update.key"
)

// actReported is Act 3: from p=none to p=reject by what reports say.
func actReported(w *world) {
	admin := w.mail.admin
	today := time.Now().UTC().Truncate(24 * time.Hour)
	a := &act3{w: w, start: today.AddDate(0, 0, -dayEnd), perDay: map[string]int64{"own6": 60, "own4": 40, "newsletter": 150, "forwarder": 3, "spoofer": 45, "neighbour": 12}}
	a.reporters = []reporter{
		// The big receiver stands for Google, in whose words it refuses mail: readiness
		// wants a large one.
		{receiver: "big.example", org: "google.com", email: "noreply-dmarc-support@google.com", every: 1, from: w.mail.big},
		{receiver: "second.example", org: "second.example", email: "postmaster@second.example", old: true, every: 1, from: w.mail.second},
		{receiver: "forward.example", org: "forward.example", email: "postmaster@forward.example", every: 3, from: w.mail.forward},
	}
	admin.write(updKeyFile, updateKey, 0o600)

	// Four weeks of p=none.
	mails := a.streams()
	a.expect(mails, map[string]bool{"own6": true, "own4": true, "newsletter": false, "forwarder": true, "spoofer": false, "neighbour": true})
	a.reportsOf(0, dayFixed, policy{p: aggregate.None}, mails)
	a.cron()
	a.whoSends()
	a.mustRefuse(1, dayFixed, "news.example sends for you", "sign the mail of news.example with DKIM for story.example")

	// The newsletter gets a key, and signs for real.
	a.fixNewsletter()
	mails = a.streams()
	a.expect(mails, map[string]bool{"own6": true, "own4": true, "newsletter": true, "forwarder": true, "spoofer": false, "neighbour": true})
	a.reportsOf(dayFixed, dayFixed+7, policy{p: aggregate.None}, mails)
	a.cron()
	a.mustRefuse(1, dayFixed+7, "news.example sends for you")
	a.reportsOf(dayFixed+7, dayTesting, policy{p: aggregate.None}, mails)
	a.cron()
	a.advance(dayTesting, "quarantine; t=y", "p=quarantine; rua=mailto:dmarc@story.example; t=y; np=reject")

	// A week each, and no step before reports tell of it.
	now := policy{p: aggregate.Quarantine, testing: true, np: aggregate.Reject}
	week := func(from, to int, next, record string) {
		w.t.Helper()
		a.mustRefuse(2, from, "wait for reports of the new policy")
		a.reportsOf(from, from+3, now, mails)
		a.cron()
		a.mustRefuse(2, from+3, "give it 7")
		a.reportsOf(from+3, to, now, mails)
		a.cron()
		a.advance(to, next, record)
	}
	week(dayTesting, dayQuarantine, "quarantine", "p=quarantine; rua=mailto:dmarc@story.example; np=reject")
	now.testing = false
	week(dayQuarantine, dayReject, "reject", "p=reject; rua=mailto:dmarc@story.example; np=reject")

	now.p = aggregate.Reject
	a.reportsOf(dayReject, dayEnd, now, mails)
	a.cron()
	out, _ := admin.mailcheck(0, append([]string{"rollout", "story.example", "--store", reportsStore, a.at(dayEnd)}, a.says()...)...)
	w.want(out, "reject")

	a.narrow()
	a.end()
}

// says is what the admin knows and no report tells.
func (a *act3) says() []string { return []string{"--forger", neighbourIP} }

// want wants words in what was printed, wherever the lines break.
func (w *world) want(text string, words ...string) {
	w.t.Helper()
	flat := strings.Join(strings.Fields(text), " ")
	for _, word := range words {
		if !strings.Contains(flat, strings.Join(strings.Fields(word), " ")) {
			w.t.Fatalf("%q is not in\n%s", word, text)
		}
	}
}

// never wants that words are not in what was printed.
func (w *world) never(text string, words ...string) {
	w.t.Helper()
	flat := strings.Join(strings.Fields(text), " ")
	for _, word := range words {
		if strings.Contains(flat, word) {
			w.t.Fatalf("%q is in\n%s", word, text)
		}
	}
}

// cron runs the import as cron does: a bare environment, and no word if all is well.
func (a *act3) cron() {
	w, h := a.w, a.w.mail.admin
	w.t.Helper()
	mailcheck := strings.TrimSpace(h.must("sh", "-c", "command -v mailcheck"))
	line := mailcheck + " reports import imaps://dmarc@mail.story.example/INBOX --ca-file " + w.caFile + " --password-file " + mailPasswordFile + " --store " + reportsStore + " --domain story.example --quiet"
	out, errs, code := h.try(nil, "env", "-i", "SHELL=/bin/sh", "HOME=/root", "LOGNAME=root", "PATH=/usr/bin:/bin", "/bin/sh", "-c", line)
	if out+errs != "" || code != 0 {
		w.t.Fatalf("cron would have sent a mail: %s%s[%d]\n%s", out, errs, code, last(h.must("cat", "/var/log/dovecot.log"), 3000))
	}
}

// whoSends asks the archive before anything is changed.
func (a *act3) whoSends() {
	w, h := a.w, a.w.mail.admin
	common := []string{"--store", reportsStore, "--domain", "story.example", "--dns", a.at(dayFixed)}
	out, _ := h.mailcheck(0, append([]string{"reports", "sources"}, common...)...)
	w.want(out, "mail.story.example", "news.example: misconfigured", "sign the mail of news.example with DKIM for story.example", "from "+spooferIP, "from "+neighbourIP, "forward.example")
	w.never(out, "localhost")
	// The neighbour passes SPF: only the admin can know that it is not theirs.
	common = append(common, a.says()...)
	out, _ = h.mailcheck(0, append([]string{"reports", "failures"}, common...)...)
	w.want(out, "Forged: this is what the policy is for", spooferIP, "fix sign the mail of news.example")
	out, _ = h.mailcheck(1, append([]string{"reports", "readiness"}, common...)...)
	w.want(out, "news.example", "sign the mail of news.example with DKIM for story.example")
}

// mustRefuse wants that the next stage is not offered.
func (a *act3) mustRefuse(code, day int, words ...string) {
	w, h := a.w, a.w.mail.admin
	w.t.Helper()
	h.must("rm", "-f", "/root/next.json")
	out, _ := h.mailcheck(code, append([]string{"rollout", "story.example", "--store", reportsStore, a.at(day), "--out", "/root/next.json"}, a.says()...)...)
	w.want(out, words...)
	if h.command("test", "-e", "/root/next.json").Run() == nil {
		w.t.Fatal("there is a plan for a stage that is not safe")
	}
}

// advance takes one step of the policy.
func (a *act3) advance(day int, stage, record string) {
	w, h := a.w, a.w.mail.admin
	w.t.Helper()
	out, _ := h.mailcheck(0, append([]string{"rollout", "story.example", "--store", reportsStore, a.at(day), "--out", "/root/next.json"}, a.says()...)...)
	w.want(out, record)
	a.apply("/root/next.json", "/root/back-"+strings.NewReplacer("; t=y", "-testing").Replace(stage)+".json")
	out, _ = h.mailcheck(0, "dmarc", "check", "story.example", "--authoritative")
	w.want(out, strings.TrimSpace(record[:strings.Index(record, ";")]))
}

// apply carries out a plan, and proves it at both name servers.
func (a *act3) apply(plan, undo string, flags ...string) { a.w.apply(plan, undo, flags...) }

func (w *world) apply(file, undo string, flags ...string) {
	w.t.Helper()
	h := w.mail.admin
	w.want(first(h.mailcheck(0, append([]string{"fix", "apply", file, "--dns-server", primaryIP, "--tsig-key", updKeyFile, "--undo", undo, "--yes"}, flags...)...)), "applied")
	// The secondary has heard of nothing yet.
	out, _ := h.mailcheck(4, "fix", "verify", file, "--once")
	w.want(out, secondaryIP)
	w.dns.transfer()
	out, _ = h.mailcheck(0, "fix", "verify", file, "--timeout", "30s", "--interval", "1s")
	w.want(out, "proven")
	w.known(file)
}

// known waits until the resolver has forgotten what the plan changed.
func (w *world) known(file string) {
	w.t.Helper()
	h := w.mail.admin
	var p plan
	if err := json.Unmarshal([]byte(h.read(file)), &p); err != nil {
		w.t.Fatal(err)
	}
	for _, s := range p.Steps {
		if s.Change == nil || s.Gate != nil {
			continue
		}
		ask := func(server string) string {
			out, _ := h.command("dig", "+short", "+time=2", "@"+server, s.Change.Name, s.Change.Type).Output()
			lines := strings.Split(string(out), "\n")
			slices.Sort(lines)
			return strings.Join(lines, "\n")
		}
		h.wait("the resolver to ask anew for "+s.Change.Name, func() bool { return ask(resolverIP) == ask(primaryIP) })
	}
}

func first(out, _ string) string { return out }

// The service's key, and its two names.
const (
	newsKeyFile  = "/root/story-news.pem"
	newsSelector = "news1"                          // in story.example: an alias
	newsKeyName  = "news1._domainkey.news.example"  // where the service keeps the key
	newsAlias    = "news1._domainkey.story.example" // what the customer publishes
)

// fixNewsletter is what such services ask for: a key of theirs, by an alias in the
// customer's domain.
func (a *act3) fixNewsletter() {
	w := a.w
	w.t.Helper()
	news, admin := w.mail.news, w.mail.admin
	out, _ := news.mailcheck(0, "dkim", "keygen", "news.example", "--selector", newsSelector, "--key", newsKeyFile, "-o", "json")
	var made struct {
		Keys []struct {
			Record struct{ Zone string }
		}
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil || len(made.Keys) != 1 {
		w.t.Fatalf("%v in %s", err, out)
	}
	w.dns.nsupdate("update add " + made.Keys[0].Record.Zone)
	admin.write("/root/news-alias.json", w.byHand("let the newsletter service sign for story.example", change{
		verb: "create", name: newsAlias, typ: "CNAME", new: []string{newsKeyName + "."}}), 0o644)
	a.apply("/root/news-alias.json", "/root/news-alias.undo.json")
	admin.wait("the key at the resolver", func() bool {
		out, _ := admin.command("dig", "+short", newsAlias, "TXT").Output()
		return strings.Contains(string(out), "v=DKIM1")
	})
	out, _ = admin.mailcheck(0, "dkim", "record", "story.example", "--selector", newsSelector)
	w.want(out, newsKeyName)
}

// narrow takes out of the SPF record what nobody used.
func (a *act3) narrow() {
	w, h := a.w, a.w.mail.admin
	w.t.Helper()
	out := h.sh("mailcheck reports evidence --store " + reportsStore + " --domain story.example --since 90d --dns " + a.at(dayEnd) + " " + strings.Join(a.says(), " ") +
		" | mailcheck spf narrow --domain story.example --evidence - --plan /root/narrow.json")
	w.want(out, "ip4:203.0.0.0/8", "include:_spf.old-host.example", neighbourIP)
	a.apply("/root/narrow.json", "/root/narrow.undo.json")
	out, _ = h.mailcheck(0, "spf", "tree", "story.example", "--authoritative")
	w.want(out, "ip4:192.0.2.25", "ip6:2001:db8:2::25")
	w.never(out, "203.0.0.0", "old-host")
}

// end sends all streams once more.
func (a *act3) end() {
	w := a.w
	w.t.Helper()
	mails := a.streams()
	a.expect(mails, map[string]bool{"own6": true, "own4": true, "newsletter": true, "forwarder": true, "spoofer": false, "neighbour": false})
	for _, s := range []string{"spoofer", "neighbour"} {
		ok := false
		for _, m := range mails {
			ok = ok || m.stream == s && m.receiver == "big.example" && m.refused
		}
		if !ok {
			w.t.Errorf("%s is not refused by the big receiver", s)
		}
	}
	for _, m := range a.refusals {
		w.want(m, "5.7.26", "DMARC policy")
	}
	if len(a.refusals) != 2 {
		w.t.Errorf("refusals at the end: %q", a.refusals)
	}
}
