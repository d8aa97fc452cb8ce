//go:build story

package story

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

func stderrOf(err error) string {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(e.Stderr)
	}
	return ""
}

// note writes a line into the transcript.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(w.log, "\n# "+strings.ReplaceAll(format, "\n", "\n# ")+"\n", args...)
}

// postfix starts Debian's Postfix as Debian starts it, with Debian's master.cf:
// its services stand in the chroot of /var/spool/postfix.
func (h *host) postfix(settings string) {
	h.w.t.Helper()
	h.mailUser()
	h.write("/etc/postfix/main.cf", `compatibility_level = 3.6
myhostname = `+h.name+`
mydestination = localhost
biff = no
append_dot_mydomain = no
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8 [::1]/128
inet_interfaces = all
inet_protocols = all
recipient_delimiter = +
maillog_file = /var/log/mail.log
smtpd_tls_cert_file = `+certFile+`
smtpd_tls_key_file = `+keyFile+`
smtpd_tls_security_level = may
smtp_tls_security_level = may
smtp_tls_CAfile = `+h.w.caFile+`
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
minimal_backoff_time = 5s
maximal_backoff_time = 10s
queue_run_delay = 5s
`+settings, 0o644)
	h.certificate()
	// A service of a machine without syslog writes its log itself.
	h.must("sh", "-ec", `rm -rf /var/spool/postfix/pid/* /var/lib/postfix/*.lock
postfix set-permissions >/dev/null 2>&1 || true
/usr/lib/postfix/configure-instance.sh - 
: >/var/log/mail.log`)
	h.daemon("postfix", "start-fg")
}

// mailboxes makes Postfix deliver mail of the domain's users through Dovecot.
func (h *host) mailboxes(domain string, users []string) string {
	var table strings.Builder
	for _, u := range users {
		fmt.Fprintf(&table, "%s@%s ok\n", u, domain)
	}
	h.write("/etc/postfix/mailboxes", table.String(), 0o644)
	return `myorigin = ` + domain + `
virtual_mailbox_domains = ` + domain + `
virtual_mailbox_maps = texthash:/etc/postfix/mailboxes
virtual_transport = lmtp:unix:private/dovecot-lmtp
`
}

// startAdmin starts the server of story.example as it was for years. OpenDKIM is
// installed; nobody has configured it.
func (m *mailHosts) startAdmin() {
	h := m.admin
	h.w.t.Helper()
	settings := h.mailboxes("story.example", adminUsers)
	h.add("/etc/postfix/master.cf", `submission inet n - y - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_auth_only=yes
`)
	h.dovecot(adminUsers, "")
	h.postfix(settings + `smtp_address_preference = ipv6
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
`)
}

// startForward starts the host that forwards alumni@forward.example to the big
// receiver, and alumni2@ to the second, with the sender left as it is.
func (m *mailHosts) startForward() {
	h := m.forward
	h.write("/etc/postfix/alumni", "alumni@forward.example seed@big.example\nalumni2@forward.example seed@second.example\n", 0o644)
	h.postfix(`myorigin = forward.example
virtual_alias_domains = forward.example
virtual_alias_maps = texthash:/etc/postfix/alumni
`)
}
