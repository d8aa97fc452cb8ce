package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var tlsMissing = audit.Rule{
	ID: "TLS001", Slug: "tls-missing", Severity: audit.Warning, Needs: facts.MailHosts, Since: "0.1",
	Title: "A mail host does not offer STARTTLS",
	Refs:  []audit.Ref{{RFC: 3207, Section: "4"}, {RFC: 8461, Section: "5"}, {RFC: 7672, Section: "2.2", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Mail to this host crosses the Internet in clear text, and senders that insist on TLS do not deliver: those set up to, and with an MTA-STS policy in enforce mode or TLSA records all that follow them.",
		Remedy: "Give the mail server a certificate and turn STARTTLS on for port 25. If it is on, look for a firewall in front that removes the offer (on Cisco devices the SMTP inspection).",
		Bad: []audit.Scenario{
			{Zone: oneHost, Hosts: []string{"192.0.2.25 no-starttls"}},
			{Zone: stsZone, Hosts: []string{"192.0.2.25 no-starttls"}, Policy: enforce},
			{Zone: tlsaZone, Hosts: []string{"192.0.2.25 no-starttls"}, Security: proven},
		},
		Good: []audit.Scenario{
			{Zone: oneHost, Hosts: []string{"192.0.2.25 self-signed"}},
			{Zone: "example.org. 3600 IN MX 0 .", Hosts: []string{}},
		},
	},
	Check: func(c *audit.Case) {
		if noProbe(c) {
			return
		}
		for _, f := range perHost(c, func(a probe.Attempt) (sight, string) {
			switch {
			case a.STARTTLS == resolve.Present:
				return fine, ""
			case a.STARTTLS == resolve.Absent:
				return bad, "does not offer STARTTLS"
			}
			return dark, ""
		}) {
			weigh(c.Facts, f, true)
		}
	},
}
