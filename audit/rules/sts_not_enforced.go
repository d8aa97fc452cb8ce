package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var stsNotEnforced = audit.Rule{
	ID: "STS009", Slug: "sts-not-enforced", Severity: audit.Notice, Needs: facts.STS | facts.STSPolicy | facts.TLSRPT, Since: "0.1",
	Title: "The MTA-STS policy is not enforced",
	Refs:  []audit.Ref{{RFC: 8461, Section: "5"}, {RFC: 8460, Section: "3"}},
	Doc: audit.Doc{
		Impact: "Mail is delivered without TLS to anybody who strips it off. In testing mode failures are only reported, and without a TLS-RPT record nobody is told; mode none does nothing at all.",
		Remedy: "With testing: ask for reports (TLS-RPT), read them for some weeks, then set the mode to enforce, raise max_age and change the id. With none: remove record and policy once the longest max_age that was served has passed.",
		Bad: []audit.Scenario{
			{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: "version: STSv1\nmode: testing\nmax_age: 604800\nmx: mail.example.org\n"},
			{Zone: stsZone + reports, Hosts: []string{"192.0.2.25 good"}, Policy: "version: STSv1\nmode: testing\nmax_age: 604800\nmx: mail.example.org\n"},
			{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: "version: STSv1\nmode: none\nmax_age: 86400\n"},
		},
		Good: []audit.Scenario{{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: enforce}},
	},
	Check: func(c *audit.Case) {
		if noPolicy(c) {
			return
		}
		switch t := &c.Facts.Transport; t.Policy.Policy.Mode {
		case mtasts.Testing:
			if t.TLSRPT.State == resolve.Absent {
				c.Report(stsHost(c.Facts), "the policy is in testing mode, and no TLS-RPT record asks for the reports that the test is for").About(c.Facts, t.TLSRPT.Name, resolve.TypeTXT)
				return
			}
			c.Report(stsHost(c.Facts), "the policy is in testing mode: failures are reported, and mail goes out all the same")
		case mtasts.None:
			c.Report(stsHost(c.Facts), "the policy has mode none, so it protects nothing")
		}
	},
}
