package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dmarcAlias = audit.Rule{
	ID: "DMARC026", Slug: "dmarc-alias", Severity: audit.Notice, Since: "0.1",
	Title: "The DMARC record is an alias: somebody else decides on the policy",
	Refs:  []audit.Ref{{RFC: 1034, Section: "3.6.2"}, {RFC: 9989, Section: "4.5"}},
	Doc: audit.Doc{
		Impact: "Receivers follow the CNAME, so nothing is wrong with mail. Whoever runs the name at its end sets the policy and gets the reports; when that service ends, the policy ends with it.",
		Remedy: "Leave it if the service is yours to trust and you know the account. To take the policy back, replace the CNAME by a TXT record of your own.",
		Bad: []audit.Scenario{
			{Zone: dmarcSends + "_dmarc.example.org. 3600 IN CNAME example-org.reports.example.net.\nexample-org.reports.example.net. 3600 IN TXT \"v=DMARC1; p=reject; rua=mailto:dmarc@example.org\"\n"},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=reject; rua=mailto:dmarc@example.org"),
			// Inside the organization the alias gives nothing away.
			{Zone: dmarcSends + "_dmarc.example.org. 3600 IN CNAME policy.example.org.\npolicy.example.org. 3600 IN TXT \"v=DMARC1; p=reject; rua=mailto:dmarc@example.org\"\n"},
			// DMARC001 says that nothing is there.
			{Zone: dmarcSends + "_dmarc.example.org. 3600 IN CNAME gone.example.net.\n"},
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		for _, s := range c.Facts.DMARC.Steps {
			if !s.Chosen || len(s.Answer.Chain) == 0 {
				continue
			}
			if owner := s.Answer.Owner(); !owner.Within(c.Facts.DMARC.LegacyDomain) {
				c.Report(audit.Subject{Name: s.Name, Type: resolve.TypeTXT}, "%s is an alias of %s: whoever runs that name sets the policy", s.Name, owner)
			}
		}
	},
}
