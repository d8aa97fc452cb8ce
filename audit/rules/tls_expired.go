package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe/cert"
)

var tlsExpired = audit.Rule{
	ID: "TLS005", Slug: "tls-certificate-expired", Severity: audit.Notice, Needs: facts.MailHosts, Since: "0.1",
	Title: "The certificate of a mail host has expired or is not valid yet",
	Refs:  []audit.Ref{{RFC: 8461, Section: "4.2", Level: audit.Must}, {RFC: 5280, Section: "4.1.2.5"}},
	Doc: audit.Doc{
		Impact: opportunistic + "Under an MTA-STS policy in enforce mode it is lost from the moment of expiry.",
		Remedy: "Renew the certificate, and reload the mail server: a renewed file that the server has not read again is the usual cause. Make the reload part of the renewal.",
		Bad: []audit.Scenario{
			{Zone: oneHost, Hosts: []string{"192.0.2.25 expired"}},
			{Zone: stsZone, Hosts: []string{"192.0.2.25 expired"}, Policy: enforce},
		},
		Good: []audit.Scenario{
			{Zone: oneHost, Hosts: []string{"192.0.2.25 wrong-name"}},
			{Zone: tlsaZone, Hosts: []string{"192.0.2.25 expired"}, Security: proven},
		},
	},
	Check: func(c *audit.Case) {
		checkCertificate(c, func(v *cert.Verdict) cert.Check { return v.Time })
	},
}
