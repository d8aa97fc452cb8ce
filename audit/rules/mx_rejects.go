package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe"
)

var mxRejects = audit.Rule{
	ID: "MX012", Slug: "mx-rejects-greeting", Severity: audit.Warning, Needs: facts.MailHosts, Since: "0.1",
	Title: "A mail host turns senders away in its greeting",
	Refs:  []audit.Ref{{RFC: 5321, Section: "3.1"}},
	Doc: audit.Doc{
		Impact: "Senders treated the same way cannot deliver through this host. It may be about the address that the audit was made from: mail hosts turn away home connections and addresses on block lists.",
		Remedy: "Read the reply. If it speaks of the client's address, audit again from a mail server; if not, look at the mail server's log and its configuration for port 25.",
		Bad:    []audit.Scenario{{Zone: oneHost, Hosts: []string{"192.0.2.25 rejects"}}},
		Good:   []audit.Scenario{{Zone: oneHost, Hosts: []string{"192.0.2.25 good"}}},
	},
	Check: func(c *audit.Case) {
		if noProbe(c) {
			return
		}
		perHost(c, func(a probe.Attempt) (sight, string) {
			switch {
			case a.Connect == probe.Refused || a.Greeting == probe.Accepted:
				return fine, ""
			case a.Greeting == probe.Refused && a.Failure != nil:
				return bad, fmt.Sprintf("accepts the connection and then turns it away: %v", a.Failure)
			}
			return dark, ""
		})
	},
}
