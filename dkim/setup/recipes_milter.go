package setup

// postfixMilter are the lines by which Postfix asks OpenDKIM.
const postfixMilter = `smtpd_milters = inet:127.0.0.1:8891
non_smtpd_milters = $smtpd_milters
internal_mail_filter_classes = bounce
milter_default_action = accept
`

var opendkim = recipe{
	Server:    Server{ID: "opendkim", Name: "OpenDKIM", Ed25519: false, Proven: "OpenDKIM 2.11 of Debian 12"},
	installed: "/etc/dkimkeys/{{.Domain}}/{{.Selector}}.private",
	steps: []Step{
		{
			Do: "Put the private key where only the daemon can read it; OpenDKIM refuses keys that others can read.",
			Text: `{{range .Keys}}install -d -m 0700 -o opendkim -g opendkim {{.Dir}}
install -m 0600 -o opendkim -g opendkim {{.File}} {{.Path}}
{{end}}`,
		},
		{
			Do: "Name the key.", File: "/etc/opendkim/key.table", Mode: "0644", User: "root:root",
			Text: "{{range .Keys}}{{.Selector}}._domainkey.{{$.Domain}} {{$.Domain}}:{{.Selector}}:{{.Path}}\n{{end}}",
		},
		{
			Do: "Say whose mail it signs. To rotate, change this line alone.", File: "/etc/opendkim/signing.table", Mode: "0644", User: "root:root",
			Text: "{{range .Keys}}*@{{$.Domain}} {{.Selector}}._domainkey.{{$.Domain}}\n{{end}}",
		},
		{
			Do: "Say for which clients mail is signed rather than verified.", File: "/etc/opendkim/trusted.hosts", Mode: "0644", User: "root:root",
			Text: "127.0.0.1\n::1\nlocalhost\n",
		},
		{
			Do: "Use the three files, and listen on loopback, as Postfix in its chroot cannot reach /run. These lines take the place of those that set the same, and of Domain, Selector and KeyFile; the other lines stay.", File: "/etc/opendkim.conf", Mode: "0644", User: "root:root",
			Text: `Mode                sv
Socket              inet:8891@127.0.0.1
KeyTable            file:/etc/opendkim/key.table
SigningTable        refile:/etc/opendkim/signing.table
InternalHosts       refile:/etc/opendkim/trusted.hosts
ExternalIgnoreList  refile:/etc/opendkim/trusted.hosts
Canonicalization    relaxed/relaxed
OversignHeaders     From,To,Subject,Date
`,
		},
		{
			Do: "Have Postfix ask it. If smtpd_milters has a value, add to it. Leave this out if another mail server does the asking.", File: "/etc/postfix/main.cf", Mode: "0644", User: "root:root",
			Text: postfixMilter,
		},
	},
	reload: []string{"systemctl restart opendkim", "postfix reload"},
	test: []string{
		"opendkim -n -x /etc/opendkim.conf",
		"{{range .Keys}}opendkim-testkey -x /etc/opendkim.conf -d {{$.Domain}} -s {{.Selector}} -k {{.Path}} -vvv\n{{end}}",
	},
	notes: []string{
		`opendkim-testkey ends with "key OK"; "key not secure" in front of it only says that the zone has no DNSSEC.`,
		"milter_default_action = accept sends mail unsigned while the daemon is down; tempfail holds it back instead.",
	},
}

const rspamdConf = `{{define "sign"}}domain {
  {{.Domain}} {
    selectors [
{{- range .Keys}}
      {
        selector = "{{.Selector}}";
        path = "{{.Path}}";
      }
{{- end}}
    ]
  }
}
{{- if .Sub}}
use_esld = false;{{end}}
check_pubkey = true;
{{end}}`

// rspamdForm is needed because rspamd takes any PEM file for an RSA key.
const rspamdForm = `{{range .Keys}}{{if eq .Type "ed25519"}}Write the Ed25519 key in the form that rspamd reads, which is not PEM.{{end}}{{end}}`

const rspamdConvert = `{{range .Keys}}{{if eq .Type "ed25519"}}mailcheck dkim keygen {{$.Domain}} --from {{.File}} --selector {{.Selector}} --form rspamd --key {{.File}}.rspamd
{{end}}{{end}}`

const rspamdSource = `{{.File}}{{if eq .Type "ed25519"}}.rspamd{{end}}`

const subNote = `{{if .Sub}}use_esld = false signs mail of exactly {{.Domain}} and other listed domains; without it rspamd looks for a key of the registered domain above.{{end}}`

var rspamd = recipe{
	Server:    Server{ID: "rspamd", Name: "rspamd", Ed25519: true, Proven: "rspamd 3.4 of Debian 12"},
	installed: "/var/lib/rspamd/dkim/{{.Domain}}.{{.Selector}}.key",
	steps: []Step{
		{Do: rspamdForm, Text: rspamdConvert},
		{
			Do: "Put the private key where the daemon can read it.",
			Text: `install -d -m 0750 -o root -g _rspamd /var/lib/rspamd/dkim
{{range .Keys}}install -m 0640 -o root -g _rspamd ` + rspamdSource + ` {{.Path}}
{{end}}`,
		},
		{
			Do: "Sign with it. If the file has a block domain already, add the inner part to that.", File: "/etc/rspamd/local.d/dkim_signing.conf", Mode: "0644", User: "root:root",
			Text: rspamdConf + `{{template "sign" .}}`,
		},
	},
	reload: []string{"systemctl reload rspamd"},
	test: []string{
		"rspamadm configtest",
		"{{range .Keys}}runuser -u _rspamd -- test -r {{.Path}} && echo readable\n{{end}}",
	},
	notes: []string{
		"check_pubkey makes rspamd compare each key with DNS and warn in its log when they differ.",
		"rspamd signs mail of authenticated users and of local addresses; the user and group are called rspamd outside of Debian.",
		subNote,
	},
}

var postfix = recipe{
	Server:    Server{ID: "postfix", Name: "Postfix (milter lines)", Ed25519: true},
	installed: "{{.Selector}}",
	steps: []Step{
		{Do: "Set up the signer first: Postfix does not sign, it asks OpenDKIM or rspamd to (guides opendkim and rspamd)."},
		{
			Do: "For OpenDKIM: let it listen on loopback, as Postfix in its chroot cannot reach /run.", File: "/etc/opendkim.conf", Mode: "0644", User: "root:root",
			Text: "Socket              inet:8891@127.0.0.1\n",
		},
		{
			Do: "Ask the signer. With OpenDKIM the port is 8891, with rspamd 11332. If smtpd_milters has a value, add to it.", File: "/etc/postfix/main.cf", Mode: "0644", User: "root:root",
			Text: postfixMilter,
		},
	},
	reload: []string{"systemctl restart opendkim", "postfix reload"},
	test:   []string{"postfix check", "postconf smtpd_milters non_smtpd_milters"},
	notes: []string{
		"milter_default_action = accept sends mail unsigned while the signer is down; tempfail holds it back instead.",
		"non_smtpd_milters signs mail of local programs (sendmail, cron), internal_mail_filter_classes signs bounces.",
		"A filter that sends mail back through smtpd signs it twice: clear smtpd_milters on that service with -o smtpd_milters=.",
	},
}

var exim = recipe{
	Server:    Server{ID: "exim", Name: "Exim", Ed25519: true, Proven: "Exim 4.96 of Debian 12"},
	installed: "/etc/exim4/dkim/{{.Domain}}.{{.Selector}}.pem",
	steps: []Step{
		{
			Do: "Put the private key where the daemon can read it.",
			Text: `install -d -m 0750 -o root -g Debian-exim /etc/exim4/dkim
{{range .Keys}}install -m 0640 -o root -g Debian-exim {{.File}} {{.Path}}
{{end}}`,
		},
		{
			Do: "On Debian: set the macros from which the transport remote_smtp takes its options.", File: "/etc/exim4/exim4.conf.localmacros", Mode: "0640", User: "root:Debian-exim",
			Text: `DKIM_DOMAIN = ${if eqi{${domain:$h_from:}}{ {{- .Domain -}} }{ {{- .Domain -}} }}
DKIM_SELECTOR = {{range $i, $k := .Keys}}{{if $i}} : {{end}}{{$k.Selector}}{{end}}
DKIM_PRIVATE_KEY = {{if eq (len .Keys) 1}}{{(index .Keys 0).Path}}{{else}}${if eq{$dkim_selector}{ {{- (index .Keys 0).Selector -}} }{ {{- (index .Keys 0).Path -}} }{ {{- (index .Keys 1).Path -}} }}{{end}}
DKIM_CANON = relaxed
DKIM_STRICT = true
DKIM_TIMESTAMPS = 1209600
`,
		},
		{
			Do: "Elsewhere: put the options into the smtp transport that sends to other hosts.", File: "/etc/exim/exim.conf", Mode: "0640", User: "root:exim",
			Text: `  dkim_domain = ${if eqi{${domain:$h_from:}}{ {{- .Domain -}} }{ {{- .Domain -}} }}
  dkim_selector = {{range $i, $k := .Keys}}{{if $i}} : {{end}}{{$k.Selector}}{{end}}
  dkim_private_key = {{if eq (len .Keys) 1}}{{(index .Keys 0).Path}}{{else}}${if eq{$dkim_selector}{ {{- (index .Keys 0).Selector -}} }{ {{- (index .Keys 0).Path -}} }{ {{- (index .Keys 1).Path -}} }}{{end}}
  dkim_canon = relaxed
  dkim_strict = true
  dkim_timestamps = 1209600
`,
		},
	},
	reload: []string{"update-exim4.conf && systemctl reload exim4"},
	test: []string{
		"exim4 -bP transport remote_smtp | grep dkim_",
		"{{range .Keys}}runuser -u Debian-exim -- test -r {{.Path}} && echo readable\n{{end}}",
	},
	notes: []string{
		"DKIM_DOMAIN is empty, and mail goes unsigned, unless it is from {{.Domain}}. With more domains, look the domain, the selector and the file up in a table (lsearch) instead: a name taken from the message cannot be part of a path.",
		"DKIM_STRICT holds mail back rather than sending it unsigned when the key cannot be read.",
		"DKIM_TIMESTAMPS lets signatures expire after 14 days, longer than any queue holds mail.",
		"Mail that goes through a smarthost is sent by the transport remote_smtp_smarthost, which takes the same macros.",
	},
}
