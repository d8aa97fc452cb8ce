package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/mtasts"
)

var stsContentType = audit.Rule{
	ID: "STS011", Slug: "sts-policy-content-type", Severity: audit.Warning, Needs: facts.STS | facts.STSPolicy, Since: "0.1",
	Title: "The MTA-STS policy is not served as text/plain",
	Refs:  []audit.Ref{{RFC: 8461, Section: "3.2", Level: audit.Must}, {RFC: 8461, Section: "3.3", Level: audit.Should}},
	Doc: audit.Doc{
		Impact: "Senders that check the media type, as they should, take it for no policy: it often is an error page.",
		Remedy: "Serve the file as text/plain.",
		Bad:    []audit.Scenario{{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: "html"}},
		Good:   []audit.Scenario{{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: enforce}},
	},
	Check: func(c *audit.Case) { checkFetch(c, mtasts.FaultContentType) },
}
