//go:build story

package story

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What is the same on all machines with mail.
const (
	mailPassword     = "correct horse battery staple"
	mailPasswordFile = "/root/mail-password" // on every machine, mode 0600
	deliveryTime     = 30 * time.Second
)

// mailHosts are the machines of the story's mail.
type mailHosts struct {
	admin     *host // the server of story.example: Postfix, OpenDKIM, Dovecot
	big       *host // the big receiver: Postfix, rspamd, Dovecot
	second    *host // another receiver: Exim
	news      *host // a newsletter service; it only sends
	forward   *host // forwards alumni@forward.example: Postfix
	spoofer   *host // only sends
	neighbour *host // only sends
}

// The mailboxes of each domain.
var (
	adminUsers = []string{"admin", "anna", "dmarc", "hostmaster", "news", "postmaster", "probe"}
	bigUsers   = []string{"ada", "abuse", "dmarc", "postmaster", "seed"}
)

// startMail starts all machines with mail on them.
func (w *world) startMail() {
	w.t.Helper()
	w.makeCA()
	m := &mailHosts{
		admin:     w.host("mail.story.example", adminIP, adminIP6),
		big:       w.host("mx.big.example", bigIP, bigIP6),
		second:    w.host("mx.second.example", secondIP, secondIP6),
		news:      w.host("out.news.example", newsIP, ""),
		forward:   w.host("mx.forward.example", forwardIP, ""),
		spoofer:   w.host("host66.dialup.example", spooferIP, ""),
		neighbour: w.host("vps77.old-host.example", neighbourIP, ""),
	}
	w.mail = m
	for _, h := range []*host{m.admin, m.big, m.second, m.news, m.forward, m.spoofer, m.neighbour} {
		h.write(mailPasswordFile, mailPassword+"\n", 0o600)
	}
	// Postfix believes the resolver on the same wire (DANE).
	for _, h := range []*host{m.admin, m.big} {
		h.add("/etc/resolv.conf", "options trust-ad edns0\n")
	}
	m.admin.validator()
	m.startAdmin()
	m.startBig()
	m.startForward()
	m.startSecond()
	for _, a := range []struct {
		h       *host
		address string
	}{
		{m.admin, adminIP + ":25"}, {m.admin, adminIP + ":587"}, {m.admin, adminIP + ":993"},
		{m.big, bigIP + ":25"}, {m.big, bigIP + ":993"}, {m.big, "127.0.0.1:11332"}, {m.big, "127.0.0.1:11335"},
		{m.forward, forwardIP + ":25"}, {m.second, secondIP + ":25"},
	} {
		a.h.listens(a.address)
	}
}

// mailUser makes the user that owns all mailboxes of a machine.
func (h *host) mailUser() {
	h.w.t.Helper()
	h.must("sh", "-ec", `id vmail >/dev/null 2>&1 || useradd --system --user-group --uid 5000 --home-dir /var/vmail --shell /usr/sbin/nologin vmail
install -d -o vmail -g vmail /var/vmail`)
}

// mailbox is the path of a user's Maildir on that machine.
func (h *host) mailbox(user string) string { return "/var/vmail/" + user + "/Maildir" }

// delivered waits for the mail that has the token in it and returns it. The
// folder INBOX is looked into before all others.
func (h *host) delivered(user, token string) string {
	h.w.t.Helper()
	_, _, text := h.find(user, token)
	return text
}

// find is delivered, with the folder ("" is the inbox) and the file on that machine.
func (h *host) find(user, token string) (folder, path, text string) {
	h.w.t.Helper()
	h.wait("mail of "+user+" with "+token, func() bool {
		folder, path, text = h.look(user, token)
		return path != ""
	})
	return folder, path, text
}

// look looks once.
func (h *host) look(user, token string) (folder, path, text string) {
	h.w.t.Helper()
	// The machine's /var as seen from its first process.
	root := fmt.Sprintf("/proc/%d/root", h.pid)
	box := root + h.mailbox(user)
	for _, pattern := range []string{"", ".*"} {
		for _, sub := range []string{"new", "cur"} {
			files, _ := filepath.Glob(filepath.Join(box, pattern, sub, "*"))
			for _, f := range files {
				b, err := os.ReadFile(f)
				if err != nil || !strings.Contains(string(b), token) {
					continue
				}
				if pattern != "" {
					folder = strings.TrimPrefix(filepath.Base(filepath.Dir(filepath.Dir(f))), ".")
				}
				return folder, strings.TrimPrefix(f, root), string(b)
			}
		}
	}
	return "", "", ""
}
