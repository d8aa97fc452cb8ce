package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/mtasts"
)

var stsCertificate = audit.Rule{
	ID: "STS006", Slug: "sts-policy-certificate", Severity: audit.Warning, Needs: facts.STS | facts.STSPolicy, Since: "0.1",
	Title: "The certificate of the MTA-STS policy host does not verify",
	Refs:  []audit.Ref{{RFC: 8461, Section: "3.3", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: stsIgnored,
		Remedy: "Give the mta-sts host a certificate of a public authority that holds its name, with the intermediates, and see that it is renewed.",
		Bad: []audit.Scenario{
			{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: "self-signed"},
			{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: "wrong-name"},
		},
		Good: []audit.Scenario{{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: enforce}},
	},
	Check: func(c *audit.Case) {
		checkFetch(c, mtasts.FaultTLS, mtasts.FaultName, mtasts.FaultExpired, mtasts.FaultChain)
	},
}
