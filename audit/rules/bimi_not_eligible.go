package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
)

const logoRecord = "default._bimi.example.org. 3600 IN TXT \"v=BIMI1; l=https://www.example.org/logo.svg\"\n"

var bimiNotEligible = audit.Rule{
	ID: "BIMI002", Slug: "bimi-policy-too-weak", Severity: audit.Notice, Needs: facts.Logo, Since: "0.1",
	Title: "There is a BIMI record, and the DMARC policy is too weak for it",
	Refs:  []audit.Ref{bimiDraft, {RFC: 9989, Section: "4.7"}},
	Doc: audit.Doc{
		Impact: noLogoShown,
		Remedy: "Bring the DMARC policy to quarantine or reject, without t=y and without sp=none, once reports show that all of your own mail passes.",
		Bad: []audit.Scenario{
			{Zone: oneHost + logoRecord + "_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=none\"\n", Hosts: []string{"192.0.2.25 good"}, Policy: enforce},
			{Zone: oneHost + logoRecord + "_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=quarantine; t=y\"\n", Hosts: []string{"192.0.2.25 good"}, Policy: enforce},
		},
		Good: []audit.Scenario{{Zone: oneHost + logoRecord + "_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=reject\"\n", Hosts: []string{"192.0.2.25 good"}, Policy: enforce}},
	},
	Check: func(c *audit.Case) {
		if noLogo(c) {
			return
		}
		d := c.Facts.DMARC.Policy
		name, err := d.Domain.Below("_dmarc")
		switch {
		case d.State == resolve.Unavailable:
			c.Unknown("the DMARC policy is unknown: %v", d.Err)
		case d.State != resolve.Present || err != nil:
			c.Report(bimiSubject(c), "no DMARC policy applies to the domain")
		case d.Effective != dmarc.Quarantine && d.Effective != dmarc.Reject:
			c.Report(bimiSubject(c), "the DMARC policy comes to %s", d.Effective).About(c.Facts, name, resolve.TypeTXT)
		}
	},
}
