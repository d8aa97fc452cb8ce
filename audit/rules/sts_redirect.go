package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/mtasts"
)

var stsRedirect = audit.Rule{
	ID: "STS005", Slug: "sts-policy-redirect", Severity: audit.Warning, Needs: facts.STS | facts.STSPolicy, Since: "0.1",
	Title: "The MTA-STS policy host redirects",
	Refs:  []audit.Ref{{RFC: 8461, Section: "3.3", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: stsIgnored + " A browser shows the file, so the fault does not catch the eye.",
		Remedy: "Serve the file at its own address without a redirect: exempt the mta-sts host from the rules that send visitors to www or elsewhere.",
		Bad:    []audit.Scenario{{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: "redirect"}},
		Good:   []audit.Scenario{{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: enforce}},
	},
	Check: func(c *audit.Case) { checkFetch(c, mtasts.FaultRedirect) },
}
