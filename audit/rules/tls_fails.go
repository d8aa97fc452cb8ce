package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var tlsFails = audit.Rule{
	ID: "TLS002", Slug: "tls-handshake-fails", Severity: audit.Warning, Needs: facts.MailHosts, Since: "0.1",
	Title: "A mail host offers STARTTLS, and TLS does not come about",
	Refs:  []audit.Ref{{RFC: 3207, Section: "4"}, {RFC: 9325, Section: "3.1"}},
	Doc: audit.Doc{
		Impact: "Senders take the offer and fail. Some try again in clear text, others, such as those set up to insist on TLS, return the mail after days.",
		Remedy: "Look into the mail server's log for the handshake: a key that does not belong to the certificate, a file that cannot be read, or protocol versions and ciphers that nobody has any more are the usual causes. Allow TLS 1.2 and 1.3.",
		Bad: []audit.Scenario{
			{Zone: oneHost, Hosts: []string{"192.0.2.25 broken-tls"}},
			{Zone: stsZone, Hosts: []string{"192.0.2.25 broken-tls"}, Policy: enforce},
		},
		Good: []audit.Scenario{{Zone: oneHost, Hosts: []string{"192.0.2.25 good"}}},
	},
	Check: func(c *audit.Case) {
		if noProbe(c) {
			return
		}
		for _, f := range perHost(c, func(a probe.Attempt) (sight, string) {
			switch {
			case a.STARTTLS == resolve.Absent || a.Secure == probe.Accepted:
				return fine, ""
			case a.STARTTLS == resolve.Present && a.Secure == probe.Refused && a.Failure != nil:
				return bad, fmt.Sprintf("offers STARTTLS, and TLS fails: %v", a.Failure)
			}
			return dark, ""
		}) {
			weigh(c.Facts, f, true)
		}
	},
}
