package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/cert"
)

var tlsUntrusted = audit.Rule{
	ID: "TLS003", Slug: "tls-certificate-untrusted", Severity: audit.Notice, Needs: facts.MailHosts, Since: "0.1",
	Title: "The certificate of a mail host leads to no trusted authority",
	Refs:  []audit.Ref{{RFC: 8461, Section: "4.2", Level: audit.Must}, {RFC: 5280, Section: "6.1"}},
	Doc: audit.Doc{
		Impact: opportunistic + "Under an MTA-STS policy in enforce mode it is lost.",
		Remedy: "Install a certificate of a public authority, with its intermediate certificates in the file that the mail server presents (fullchain.pem, not cert.pem).",
		Bad: []audit.Scenario{
			{Zone: oneHost, Hosts: []string{"192.0.2.25 self-signed"}},
			{Zone: oneHost, Hosts: []string{"192.0.2.25 incomplete"}},
			{Zone: stsZone, Hosts: []string{"192.0.2.25 self-signed"}, Policy: enforce},
		},
		Good: []audit.Scenario{
			{Zone: oneHost, Hosts: []string{"192.0.2.25 good"}},
			// RFC 7672, Section 3.1.1: DANE-EE vouches for the key itself.
			{Zone: tlsaZone, Hosts: []string{"192.0.2.25 self-signed"}, Security: proven},
		},
	},
	Check: func(c *audit.Case) {
		checkCertificate(c, func(v *cert.Verdict) cert.Check { return v.Chain })
	},
}

// checkCertificate reports one part of the verdict on certificates.
func checkCertificate(c *audit.Case, part func(*cert.Verdict) cert.Check) {
	if noProbe(c) {
		return
	}
	for _, f := range perHost(c, func(a probe.Attempt) (sight, string) {
		if a.Certificate == nil || a.TLS == nil || len(a.TLS.Chain) == 0 {
			if facts.Seen(a) && a.Greeting == probe.Accepted && a.TLS == nil {
				return fine, "" // no TLS at all is another rule's
			}
			return dark, ""
		}
		if !byAuthority(c.Facts, a) {
			return fine, ""
		}
		switch x := part(a.Certificate); x.State {
		case cert.Good:
			return fine, ""
		case cert.Bad:
			text := x.Detail
			if text == "" {
				text = string(x.Problem)
			}
			return bad, "presents a certificate that does not pass: " + text
		}
		return dark, ""
	}) {
		weigh(c.Facts, f, false)
	}
}
