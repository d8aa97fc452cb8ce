package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/iprev"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var heloUnresolved = audit.Rule{
	ID: "IP005", Slug: "helo-unresolved", Severity: audit.Warning, Since: "0.1",
	Title: "The name that the sending host says in EHLO has no address",
	Refs:  []audit.Ref{{RFC: 5321, Section: "2.3.5", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: heloImpact,
		Remedy: "Give the name an A or AAAA record with the host's address, or let the host say the name that has one.",
		Bad:    []audit.Scenario{{Zone: heloZone, Addresses: []string{"192.0.2.25"}, HELO: "gone.example.org"}},
		Good:   []audit.Scenario{{Zone: heloZone, Addresses: []string{"192.0.2.25"}, HELO: "mail.example.org"}, {Zone: heloZone, Addresses: []string{"192.0.2.25"}, HELO: "[192.0.2.25]"}},
	},
	Check: func(c *audit.Case) {
		if noHELO(c) {
			return
		}
		for _, x := range c.Facts.GivenSenders() {
			h := x.HELO
			switch {
			case h.Problem != "" || h.Form != iprev.FullName:
			case h.Resolves == resolve.Absent:
				c.Report(ptrSubject(x), "%s says %s, which has no address", x.Address, h.Name).About(c.Facts, h.Name, resolve.TypeA)
			case h.Resolves == resolve.Unavailable:
				c.Unknown("whether %s has an address is unknown", h.Name)
			}
		}
	},
}
