package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe/cert"
)

var tlsName = audit.Rule{
	ID: "TLS004", Slug: "tls-certificate-name", Severity: audit.Notice, Needs: facts.MailHosts, Since: "0.1",
	Title: "The certificate of a mail host is for other names",
	Refs:  []audit.Ref{{RFC: 8461, Section: "4.2", Level: audit.Must}, {RFC: 9525, Section: "6.3"}},
	Doc: audit.Doc{
		Impact: opportunistic + "Under an MTA-STS policy in enforce mode it is lost: the certificate has to hold the name of the MX host, not that of the mail domain.",
		Remedy: "Have the certificate issued for the name in the MX record, as a DNS name among its subject alternative names, or name a host in the MX record that the certificate is for.",
		Bad: []audit.Scenario{
			{Zone: oneHost, Hosts: []string{"192.0.2.25 wrong-name"}},
			{Zone: stsZone, Hosts: []string{"192.0.2.25 wrong-name"}, Policy: enforce},
		},
		Good: []audit.Scenario{
			{Zone: oneHost, Hosts: []string{"192.0.2.25 expired"}},
			{Zone: tlsaZone, Hosts: []string{"192.0.2.25 wrong-name"}, Security: proven},
		},
	},
	Check: func(c *audit.Case) {
		checkCertificate(c, func(v *cert.Verdict) cert.Check { return v.Name })
	},
}
