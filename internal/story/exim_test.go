//go:build story

package story

import "os/exec"

// startSecond starts the second receiver: Exim as in its manual, which asks SPF and
// DKIM, knows no DMARC, and takes no mail from hosts without a name.
func (m *mailHosts) startSecond() {
	h := m.second
	h.w.t.Helper()
	h.mailUser()
	h.certificate()
	path, err := exec.LookPath("exim4") // it may lie beside Postfix, and runs itself anew to deliver
	if err != nil {
		h.w.t.Fatal(err)
	}
	h.must("sh", "-ec", `install -d -o vmail -g vmail /var/vmail/seed /var/vmail/seed/Maildir /var/vmail/seed/Maildir/new /var/vmail/seed/Maildir/cur /var/vmail/seed/Maildir/tmp
install -d -o Debian-exim -g Debian-exim -m 0750 /var/spool/exim4 /var/log/exim4
chown Debian-exim /etc/ssl/story/key.pem
: >/var/log/exim4/mainlog`)
	h.write("/etc/exim4/exim4.conf", `exim_path = `+path+`
primary_hostname = mx.second.example
keep_environment =
domainlist local_domains = second.example
exim_user = Debian-exim
exim_group = Debian-exim
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
log_selector = +dkim +received_recipients +subject
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
tls_certificate = /etc/ssl/story/cert.pem
tls_privatekey = /etc/ssl/story/key.pem
tls_advertise_hosts = *
host_lookup = *
never_users = root
ignore_bounce_errors_after = 1h
rfc1413_query_timeout = 0s
begin acl
acl_rcpt:
  deny message = relay not permitted
       ! domains = +local_domains
  deny message = Host lookup failed: no reverse DNS (PTR) record for $sender_host_address
       ! verify = reverse_host_lookup
  deny message = SPF check failed: $sender_host_address is not allowed to send mail from $sender_address_domain ($spf_smtp_comment)
       spf = fail
  warn spf = pass:softfail:neutral:none:permerror:temperror
  accept
acl_data:
  warn add_header = :at_start:${authresults{$primary_hostname}}
  accept
begin routers
local:
  driver = accept
  domains = +local_domains
  local_parts = seed : postmaster
  local_part_suffix = +*
  local_part_suffix_optional
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = /var/vmail/$local_part_data/Maildir
  maildir_format
  delivery_date_add
  envelope_to_add
  return_path_add
  create_directory
  user = vmail
  group = vmail
begin retry
* * F,1h,1m
begin rewrite
begin authenticators
`, 0o644)
	h.daemon("exim4", "-bdf")
}
