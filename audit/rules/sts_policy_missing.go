package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/mtasts"
)

var stsPolicyMissing = audit.Rule{
	ID: "STS004", Slug: "sts-policy-missing", Severity: audit.Warning, Needs: facts.STS | facts.STSPolicy, Since: "0.1",
	Title: "There is an MTA-STS record, and senders find no policy",
	Refs:  []audit.Ref{{RFC: 8461, Section: "3.3", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: stsIgnored,
		Remedy: "Serve the policy at https://mta-sts.DOMAIN/.well-known/mta-sts.txt with status 200; 'mailcheck mtasts new' writes the file and the web server's configuration. If MTA-STS was given up, publish a policy with mode none until the longest max_age has passed, and then remove the record.",
		Bad: []audit.Scenario{
			{Zone: oneHost + stsRecord, Hosts: []string{"192.0.2.25 good"}, Policy: "status 404"},
			{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: "status 404"},
		},
		Good: []audit.Scenario{{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: enforce}},
	},
	Check: func(c *audit.Case) {
		checkFetch(c, mtasts.FaultHost, mtasts.FaultConnect, mtasts.FaultHTTP, mtasts.FaultStatus)
	},
}
