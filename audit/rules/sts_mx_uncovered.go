package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var stsMXUncovered = audit.Rule{
	ID: "STS008", Slug: "sts-mx-not-covered", Severity: audit.Error, Needs: facts.MX | facts.STS | facts.STSPolicy, Since: "0.1",
	Title: "The MTA-STS policy does not name an MX host",
	Refs:  []audit.Ref{{RFC: 8461, Section: "4.1", Level: audit.Must}, {RFC: 8461, Section: "5.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "In enforce mode Gmail, Microsoft and all others that follow MTA-STS do not deliver to this host; if no host is named, their mail is returned after some days. In testing mode they deliver and report.",
		Remedy: "Add an mx line for the host to the policy file, and then change the id in the record so that senders fetch it. An asterisk stands for exactly one label.",
		Bad: []audit.Scenario{
			{Zone: twoHosts + stsRecord + "mta-sts.example.org. 3600 IN A 192.0.2.80\n", Hosts: []string{"192.0.2.25 good", "192.0.2.26 good"}, Policy: enforce},
			{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: "version: STSv1\nmode: enforce\nmax_age: 1209600\nmx: *.mail.example.org\n"},
			{Zone: stsZone + reports, Hosts: []string{"192.0.2.25 good"}, Policy: "version: STSv1\nmode: testing\nmax_age: 1209600\nmx: old.example.org\n"},
		},
		Good: []audit.Scenario{
			{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: enforce},
			// An entry that matches no MX is harmless.
			{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: enforce + "mx: old.example.org\n"},
			{Zone: stsZone, Hosts: []string{"192.0.2.25 good"}, Policy: "version: STSv1\r\nmode: enforce\r\nmax_age: 1209600\r\nmx: *.example.org\r\n"},
		},
	},
	Check: func(c *audit.Case) {
		if noPolicy(c) {
			return
		}
		p := c.Facts.Transport.Policy
		switch p.Policy.Mode {
		case mtasts.Enforce, mtasts.Testing:
		default:
			c.NotApplicable("the policy has no effect")
			return
		}
		for _, h := range mtasts.Check(p.Policy, mxNames(c.Facts)).Hosts {
			if h.Covered {
				continue
			}
			f := c.Report(audit.Subject{Name: c.Facts.Domain, Type: resolve.TypeMX, Term: h.Name.String()},
				"the policy (mode %s) has no mx line for %s", p.Policy.Mode, h.Name).About(c.Facts, c.Facts.Transport.STS.Name, resolve.TypeTXT)
			f.Advise("Add the line \"mx: %s\" to %s and change the id in the record.", h.Name, p.URL)
			if p.Policy.Mode == mtasts.Testing || p.State != resolve.Present {
				f.At(audit.Warning)
			}
		}
	},
}
