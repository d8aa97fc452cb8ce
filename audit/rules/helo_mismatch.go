package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/iprev"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var heloMismatch = audit.Rule{
	ID: "IP006", Slug: "helo-mismatch", Severity: audit.Notice, Since: "0.1",
	Title: "The name that the sending host says in EHLO is not that of its address",
	Refs:  []audit.Ref{{RFC: 5321, Section: "4.1.4"}},
	Doc: audit.Doc{
		Impact: heloImpact + " RFC 5321 forbids to refuse mail for this alone, and spam filters count it all the same.",
		Remedy: "Best are three that agree: the name in EHLO, the PTR of the address, and an A or AAAA record of the name with the address, for IPv4 and for IPv6.",
		Bad: []audit.Scenario{
			{Zone: heloZone + "www.example.org. 3600 IN A 192.0.2.80\n", Addresses: []string{"192.0.2.25"}, HELO: "www.example.org"},
			{Zone: heloZone + "mail.example.org. 3600 IN A 192.0.2.25\n", Addresses: []string{"2001:db8::25"}, HELO: "mail.example.org"},
		},
		Good: []audit.Scenario{{Zone: heloZone, Addresses: []string{"192.0.2.25"}, HELO: "mail.example.org"}},
	},
	Check: func(c *audit.Case) {
		if noHELO(c) {
			return
		}
		for _, x := range c.Facts.GivenSenders() {
			h := x.HELO
			switch {
			case h.Problem != "" || h.Form == iprev.FullName && h.Resolves != resolve.Present:
			case h.Matches == resolve.Absent:
				c.Report(ptrSubject(x), "%s says %.80q, which does not lead to that address", x.Address, h.Given).About(c.Facts, h.Name, resolve.TypeA)
			case h.Matches == resolve.Unavailable:
				c.Unknown("whether %.80q leads to %s is unknown", h.Given, x.Address)
			}
		}
	},
}
