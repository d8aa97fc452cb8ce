package setup

// recipes are all servers, by name.
var recipes = []recipe{dmsOpenDKIM, dmsRspamd, exim, maddy, mailcow, mox, opendkim, postfix, rspamd, stalwart}

var dmsOpenDKIM = recipe{
	Server:    Server{ID: "docker-mailserver", Name: "docker-mailserver with OpenDKIM, its default", Ed25519: false},
	installed: "docker-data/dms/config/opendkim/keys/{{.Domain}}/{{.Selector}}.private",
	steps: []Step{
		{
			Do: "Put the private key into the mounted configuration, in the directory of compose.yaml.",
			Text: `{{range .Keys}}install -D -m 0600 {{.File}} {{.Path}}
{{end}}`,
		},
		{
			Do: "Name the key.", File: "docker-data/dms/config/opendkim/KeyTable", Mode: "0644",
			Text: "{{range .Keys}}{{.Selector}}._domainkey.{{$.Domain}} {{$.Domain}}:{{.Selector}}:/etc/opendkim/keys/{{$.Domain}}/{{.Selector}}.private\n{{end}}",
		},
		{
			Do: "Say whose mail it signs. To rotate, change this line alone.", File: "docker-data/dms/config/opendkim/SigningTable", Mode: "0644",
			Text: "{{range .Keys}}*@{{$.Domain}} {{.Selector}}._domainkey.{{$.Domain}}\n{{end}}",
		},
	},
	reload: []string{"docker compose restart mailserver"},
	test:   []string{"{{range .Keys}}docker exec mailserver opendkim-testkey -d {{$.Domain}} -s {{.Selector}} -k /etc/opendkim/keys/{{$.Domain}}/{{.Selector}}.private -vvv\n{{end}}"},
	notes: []string{
		"The files are copied into the container when it starts, so a restart is needed after every change.",
		"If the directory has no TrustedHosts file, \"docker exec mailserver setup config dkim\" makes one, together with a key that is not needed.",
	},
}

var dmsRspamd = recipe{
	Server:    Server{ID: "docker-mailserver-rspamd", Name: "docker-mailserver with ENABLE_RSPAMD=1", Ed25519: true},
	installed: "/tmp/docker-mailserver/rspamd/dkim/{{.Domain}}.{{.Selector}}.private.txt",
	steps: []Step{
		{Do: rspamdForm, Text: rspamdConvert},
		{
			Do: "Put the private key into the mounted configuration, in the directory of compose.yaml, and give it to rspamd.",
			Text: `{{range .Keys}}install -D -m 0600 ` + rspamdSource + ` docker-data/dms/config/rspamd/dkim/{{$.Domain}}.{{.Selector}}.private.txt
docker exec mailserver chown -R _rspamd:_rspamd /tmp/docker-mailserver/rspamd/dkim
{{end}}`,
		},
		{
			Do: "Sign with it. If the file has a block domain already, add the inner part to that.", File: "docker-data/dms/config/rspamd/override.d/dkim_signing.conf", Mode: "0644",
			Text: rspamdConf + `enabled = true;
sign_authenticated = true;
sign_local = false;
try_fallback = false;
use_domain = "header";
use_redis = false;
allow_username_mismatch = true;
{{template "sign" .}}`,
		},
	},
	reload: []string{"docker compose restart mailserver"},
	test:   []string{"docker exec mailserver rspamadm configtest"},
	notes: []string{
		"With check_pubkey rspamd compares each key with DNS and warns in /var/log/supervisor/rspamd.log when they differ.",
		subNote,
	},
}

var maddy = recipe{
	Server:    Server{ID: "maddy", Name: "maddy", Ed25519: true},
	installed: "/var/lib/maddy/dkim_keys/{{.Domain}}_{{.Selector}}.key",
	steps: []Step{
		{
			Do: "Put the private key where maddy looks for the key of the domain and the selector; if it is not there, maddy makes another one.",
			Text: `install -d -m 0700 -o maddy -g maddy /var/lib/maddy/dkim_keys
{{range .Keys}}install -m 0600 -o maddy -g maddy {{.File}} {{.Path}}
{{end}}`,
		},
		{
			Do: "Sign what is submitted: in the block submission, below the sources of the domain, in place of the line dkim that is there.", File: "/etc/maddy/maddy.conf", Mode: "0644", User: "root:root",
			Text: `modify {
{{- range .Keys}}
    dkim {{$.Domain}} {{.Selector}}
{{- end}}
}
`,
		},
	},
	reload: []string{"systemctl restart maddy"},
	test:   []string{"journalctl -u maddy --since -5min", "{{range .Keys}}runuser -u maddy -- test -r {{.Path}} && echo readable\n{{end}}"},
	notes: []string{
		"If the log says that a key was generated, the file was not found: delete the new one and correct the name.",
		"maddy signs only if the envelope sender, the user name and From agree (require_sender_match).",
	},
}

var mailcow = recipe{
	Server:    Server{ID: "mailcow", Name: "mailcow", Ed25519: false},
	installed: "{{.File}}",
	steps: []Step{
		{Do: "Publish the record first: mailcow signs with an imported key from the next message on."},
		{Do: `{{range .Keys}}In the web interface, as an administrator, open System, Configuration, Options, ARC/DKIM keys, "Import private key": domain {{$.Domain}}, selector {{.Selector}}, and the whole text of {{.File}} with its BEGIN and END lines. Tick "Overwrite existing key" if the domain has one.{{end}}`},
	},
	test: []string{"{{range .Keys}}mailcheck dkim match --key {{.File}} --domain {{$.Domain}} --selector {{.Selector}}\n{{end}}"},
	notes: []string{
		"Nothing has to be reloaded. mailcow holds one RSA key for each domain.",
		"The record that the page shows has t=s and s=email besides; either form of the record verifies.",
		"Delete the file once it is imported, or keep it where nobody reads it.",
	},
}

var mox = recipe{
	Server:    Server{ID: "mox", Name: "mox", Ed25519: true},
	installed: "dkim/{{.Selector}}._domainkey.{{.Domain}}.privatekey.pkcs8.pem",
	steps: []Step{
		{
			Do: "Put the private key beside domains.conf; mox starts as root and reads it then.",
			Text: `{{range .Keys}}install -D -m 0600 {{.File}} /home/mox/config/{{.Path}}
{{end}}`,
		},
		{
			Do: "Add the selector to the block DKIM of the domain, and name it under Sign. Indent with tabs.", File: "/home/mox/config/domains.conf", Mode: "0640",
			Text: `Domains:
	{{.Domain}}:
		DKIM:
			Selectors:
{{- range .Keys}}
				{{.Selector}}:
					Hash: sha256
					Canonicalization:
						HeaderRelaxed: true
						BodyRelaxed: true
					PrivateKeyFile: {{.Path}}
{{- end}}
			Sign:
{{- range .Keys}}
				- {{.Selector}}
{{- end}}
`,
		},
	},
	reload: []string{"systemctl restart mox"},
	test:   []string{"mox config test", "mox config dnscheck {{.Domain}}", "{{range .Keys}}mox dkim lookup {{.Selector}} {{$.Domain}}\n{{end}}"},
	notes:  []string{"The key has to be PKCS#8 PEM, as \"mailcheck dkim keygen\" writes it.", "To rotate, add the selector first, and move it to Sign when its record can be seen everywhere."},
}

var stalwart = recipe{
	Server:    Server{ID: "stalwart", Name: "Stalwart", Ed25519: true},
	installed: "/opt/stalwart/etc/dkim/{{.Domain}}.{{.Selector}}.pem",
	steps: []Step{
		{Do: `From version 0.16 on: in the web interface open Management, Domains, DKIM Signatures, and create a signature for {{.Domain}}:{{range .Keys}} type {{if eq .Type "ed25519"}}"DKIM1 - Ed25519 SHA-256"{{else}}"DKIM1 - RSA SHA-256"{{end}}, selector {{.Selector}}, private key the whole text of {{.File}};{{end}} canonicalization relaxed/relaxed. Every signature of a domain is applied, so a second one is a second signature. The steps below are not needed then.`},
		{
			Do: "Up to version 0.15: put the private key where the daemon can read it.",
			Text: `install -d -m 0750 -o root -g stalwart /opt/stalwart/etc/dkim
{{range .Keys}}install -m 0640 -o root -g stalwart {{.File}} {{.Path}}
{{end}}`,
		},
		{
			Do: "Up to version 0.15: define the signature and use it.", File: "/opt/stalwart/etc/config.toml", Mode: "0640", User: "root:stalwart",
			Text: `{{range .Keys}}[signature."{{.Selector}}-{{$.Domain}}"]
private-key = "%{file:{{.Path}}}%"
domain = "{{$.Domain}}"
selector = "{{.Selector}}"
headers = ["From", "To", "Cc", "Date", "Subject", "Message-ID", "Reply-To", "MIME-Version", "Content-Type", "In-Reply-To", "References", "List-Unsubscribe", "List-Unsubscribe-Post"]
algorithm = "{{.Type}}-sha256"
canonicalization = "relaxed/relaxed"

{{end}}[auth.dkim]
sign = [ { if = "listener != 'smtp' && sender_domain == '{{.Domain}}'", then = "[{{range $i, $k := .Keys}}{{if $i}}, {{end}}'{{$k.Selector}}-{{$.Domain}}'{{end}}]" },
         { else = false } ]
`,
		},
	},
	reload: []string{"systemctl restart stalwart"},
	test:   []string{"{{range .Keys}}mailcheck dkim match --key {{.File}} --domain {{$.Domain}} --selector {{.Selector}}\n{{end}}"},
	notes: []string{
		"Paths are those of the installation script; a container keeps them under /opt/stalwart too.",
		"If the configuration is kept in the database, enter the same settings in the web interface: the file then only holds the local ones.",
	},
}
