package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/mtasts"
)

var stsPolicyInvalid = audit.Rule{
	ID: "STS007", Slug: "sts-policy-invalid", Severity: audit.Warning, Needs: facts.STS | facts.STSPolicy, Since: "0.1",
	Title: "The MTA-STS policy cannot be read",
	Refs:  []audit.Ref{{RFC: 8461, Section: "3.2", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: stsIgnored,
		Remedy: "Write the file with one key a line: version: STSv1, mode, max_age in seconds, and an mx line for each host. Save it as plain text without a byte order mark.",
		Bad: []audit.Scenario{
			{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: "version: STSv1\nmode: enforce\nmx: mail.example.org\n"},
			{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: "version: STSv1\nmode: enforce\nmax_age: 86400\n"},
		},
		Good: []audit.Scenario{{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: enforce}},
	},
	Check: func(c *audit.Case) { checkFetch(c, mtasts.FaultPolicy, mtasts.FaultSize) },
}
