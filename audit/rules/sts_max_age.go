package rules

import (
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/mtasts"
)

// shortMaxAge is ours: RFC 8461, Section 3.2 expects "weeks or greater".
const shortMaxAge = 7 * 24 * time.Hour

var stsMaxAge = audit.Rule{
	ID: "STS010", Slug: "sts-max-age-short", Severity: audit.Notice, Needs: facts.STS | facts.STSPolicy, Since: "0.1",
	Title: "The MTA-STS policy is kept for a short time only",
	Refs:  []audit.Ref{{RFC: 8461, Section: "3.2"}, {RFC: 8461, Section: "10.2"}},
	Doc: audit.Doc{
		Impact: "Senders forget the policy soon, and one that cannot be reached, or is kept from them by an attacker, then protects nothing.",
		Remedy: "Raise max_age to 1209600 (two weeks) or more once the policy is proven, and change the id.",
		Bad:    []audit.Scenario{{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: "version: STSv1\nmode: enforce\nmax_age: 3600\nmx: mail.example.org\n"}},
		Good: []audit.Scenario{
			{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: enforce},
			{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: "version: STSv1\nmode: testing\nmax_age: 86400\nmx: mail.example.org\n"},
		},
	},
	Check: func(c *audit.Case) {
		if noPolicy(c) {
			return
		}
		p := c.Facts.Transport.Policy.Policy
		switch {
		case p.Mode != mtasts.Enforce:
			c.NotApplicable("the policy is not in enforce mode")
		case p.MaxAge > 0 && p.MaxAge < shortMaxAge:
			c.Report(stsHost(c.Facts), "max_age is %d seconds, which is %v", int(p.MaxAge.Seconds()), p.MaxAge)
		}
	},
}
