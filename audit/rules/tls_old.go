package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe"
)

var tlsOld = audit.Rule{
	ID: "TLS008", Slug: "tls-old-version", Severity: audit.Warning, Needs: facts.MailHosts, Since: "0.1",
	Title: "A mail host has no TLS above version 1.1",
	Refs:  []audit.Ref{{RFC: 8996, Section: "4", Level: audit.Must}, {RFC: 8461, Section: "4.2"}},
	Doc: audit.Doc{
		Impact: "Gmail, Microsoft and others have given up TLS 1.0 and 1.1 or are about to: their mail then comes in clear text, or not at all where TLS is demanded.",
		Remedy: "Update the mail server's TLS library and allow TLS 1.2 and 1.3 in its configuration.",
		Bad: []audit.Scenario{
			{Zone: oneHost, Hosts: []string{"192.0.2.25 tls10"}},
			{Zone: stsZone, Hosts: []string{"192.0.2.25 tls10"}, Policy: enforce},
		},
		Good: []audit.Scenario{{Zone: oneHost, Hosts: []string{"192.0.2.25 good"}}},
	},
	Check: func(c *audit.Case) {
		if noProbe(c) {
			return
		}
		for _, f := range perHost(c, func(a probe.Attempt) (sight, string) {
			switch {
			case a.TLS == nil || !a.TLS.Established:
				if a.Greeting == probe.Accepted {
					return fine, ""
				}
				return dark, ""
			case a.TLS.Version == "TLS 1.0" || a.TLS.Version == "TLS 1.1":
				return bad, fmt.Sprintf("took %s when offered everything up to TLS 1.3", a.TLS.Version)
			}
			return fine, ""
		}) {
			weigh(c.Facts, f, false)
		}
	},
}
