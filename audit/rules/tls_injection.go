package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
)

var tlsInjection = audit.Rule{
	ID: "TLS009", Slug: "tls-injected-plaintext", Severity: audit.Warning, Needs: facts.MailHosts, Since: "0.1",
	Title: "A mail host sends text in clear after agreeing to STARTTLS",
	Refs:  []audit.Ref{{RFC: 3207, Section: "6"}, {Title: "CVE-2011-0411", URL: "https://www.cve.org/CVERecord?id=CVE-2011-0411"}},
	Doc: audit.Doc{
		Impact: "Something between the sender and the host, or the host itself, slips text in that some senders take for text inside TLS. Careful senders break the conversation off.",
		Remedy: "Find out whether a proxy or a firewall handles STARTTLS in front of the mail server and take it out of the way; update the mail server.",
		Bad:    []audit.Scenario{{Zone: oneHost, Hosts: []string{"192.0.2.25 injected"}}},
		Good:   []audit.Scenario{{Zone: oneHost, Hosts: []string{"192.0.2.25 good"}}},
	},
	Check: func(c *audit.Case) {
		if noProbe(c) {
			return
		}
		perHost(c, func(a probe.Attempt) (sight, string) {
			for _, o := range a.Observations {
				if o.Kind == smtp.InjectedPlaintext {
					return bad, "sent text in clear after its 220 to STARTTLS"
				}
			}
			if a.Greeting == probe.Accepted {
				return fine, ""
			}
			return dark, ""
		})
	},
}
