package rules

import (
	"net/netip"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var mxShared = audit.Rule{
	ID: "MX009", Slug: "mx-shared-address", Severity: audit.Notice, Needs: facts.MX, Since: "0.1",
	Title: "Several MX hosts are the same address",
	Refs:  []audit.Ref{{RFC: 5321, Section: "5.1"}},
	Doc: audit.Doc{
		Impact: "The second MX is no second way in: when the address is down, all of them are.",
		Remedy: "Remove the MX records that add nothing, or give them a host of their own.",
		Bad:    []audit.Scenario{{Zone: "example.org. 3600 IN MX 10 a.example.org.\nexample.org. 3600 IN MX 20 b.example.org.\na.example.org. 3600 IN A 192.0.2.1\nb.example.org. 3600 IN A 192.0.2.1"}},
		Good:   []audit.Scenario{{Zone: "example.org. 3600 IN MX 10 a.example.org.\nexample.org. 3600 IN MX 20 b.example.org.\na.example.org. 3600 IN A 192.0.2.1\nb.example.org. 3600 IN A 192.0.2.2"}},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		if noMX(c) {
			return
		}
		owner := map[netip.Addr]facts.Exchange{}
		for _, x := range s.MX.Value.Exchanges {
			for _, a := range x.Addresses() {
				first, ok := owner[a]
				if ok && first.Host != x.Host {
					c.Report(mxSubject(s, x), "%s and %s are both %s", first.Host, x.Host, a).
						About(s, first.Host, resolve.TypeA).About(s, x.Host, resolve.TypeA)
					break
				}
				owner[a] = x
			}
		}
	},
}
