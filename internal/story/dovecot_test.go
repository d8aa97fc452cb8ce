//go:build story

package story

import (
	"fmt"
	"strings"
)

// dovecot starts Dovecot: IMAP for the users, LMTP and the login for Postfix. The
// filter sorts mail before it is filed; it may be empty.
func (h *host) dovecot(users []string, filter string) {
	h.w.t.Helper()
	h.mailUser()
	h.certificate()
	var passwd strings.Builder
	for _, u := range users {
		fmt.Fprintf(&passwd, "%s:{PLAIN}%s\n", u, mailPassword)
	}
	h.write("/etc/dovecot/users", passwd.String(), 0o644)
	plugins, sieve := "", ""
	if filter != "" {
		h.write("/etc/dovecot/filter.sieve", filter, 0o644)
		h.must("sievec", "/etc/dovecot/filter.sieve")
		plugins, sieve = "mail_plugins = sieve", "plugin {\n  sieve = /etc/dovecot/filter.sieve\n}"
	}
	conf := h.write("/etc/dovecot/dovecot.conf", `protocols = imap lmtp
base_dir = /run/dovecot
log_path = /var/log/dovecot.log
ssl = required
ssl_cert = <`+certFile+`
ssl_key = <`+keyFile+`
auth_mechanisms = plain login
auth_username_format = %n
mail_location = maildir:/var/vmail/%n/Maildir
mail_uid = vmail
mail_gid = vmail
first_valid_uid = 100
passdb {
  driver = passwd-file
  args = username_format=%n /etc/dovecot/users
}
userdb {
  driver = static
  args = uid=vmail gid=vmail home=/var/vmail/%n
}
namespace inbox {
  inbox = yes
  mailbox Junk {
    auto = create
    special_use = \Junk
  }
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = 993
    ssl = yes
  }
}
service lmtp {
  unix_listener /var/spool/postfix/private/dovecot-lmtp {
    mode = 0600
    user = postfix
    group = postfix
  }
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
protocol lmtp {
  postmaster_address = postmaster@`+strings.SplitN(h.name, ".", 2)[1]+`
  `+plugins+`
}
`+sieve+`
`, 0o644)
	h.must("install", "-d", "-m", "0755", "/run/dovecot")
	h.daemon("dovecot", "-F", "-c", conf)
}
