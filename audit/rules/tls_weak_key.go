package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/cert"
)

var tlsWeakKey = audit.Rule{
	ID: "TLS007", Slug: "tls-weak-key", Severity: audit.Notice, Needs: facts.MailHosts, Since: "0.1",
	Title: "The certificate of a mail host has a weak key or signature",
	Refs:  []audit.Ref{{RFC: 9325, Section: "4.1", Level: audit.Should}},
	Doc: audit.Doc{
		Impact: "Senders with a modern TLS library break the handshake off, and then deliver in clear text or not at all.",
		Remedy: "Have a certificate issued for a key of at least 2048 bits RSA, or for an EC key (P-256), signed with SHA-256.",
		Bad:    []audit.Scenario{{Zone: oneHost, Hosts: []string{"192.0.2.25 rsa1024"}}},
		Good:   []audit.Scenario{{Zone: oneHost, Hosts: []string{"192.0.2.25 self-signed"}}},
	},
	Check: func(c *audit.Case) {
		if noProbe(c) {
			return
		}
		perHost(c, func(a probe.Attempt) (sight, string) {
			switch {
			case a.Certificate == nil || a.TLS == nil || len(a.TLS.Chain) == 0:
				if a.Greeting == probe.Accepted {
					return fine, ""
				}
				return dark, ""
			case a.Certificate.Key.State == cert.Bad:
				return bad, "presents " + a.Certificate.Key.Detail
			}
			return fine, ""
		})
	},
}
