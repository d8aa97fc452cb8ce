package rules

import (
	"slices"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
)

var nsGlueMissing = audit.Rule{
	ID: "NS012", Slug: "ns-glue-missing", Severity: audit.Warning, Needs: facts.NameServers, Since: "0.1",
	Title: "The zone above gives no address for a name server within the zone",
	Refs:  []audit.Ref{{RFC: 9471, Section: "3.1", Level: audit.Must}, {RFC: 1034, Section: "4.2.1"}},
	Doc: audit.Doc{
		Impact: "The server's name lies in the zone that it serves, so its address can only come from the zone above. Without it nobody can ask this server; if all are so, the domain does not resolve, and mail in both directions waits and bounces.",
		Remedy: "Enter the addresses of the name server at the registrar (host record, glue), or use a name server whose name lies elsewhere.",
		Bad: []audit.Scenario{
			{Zone: nsZone, Servers: append([]string{"parent missing ns1.example.org", "parent ns2.example.net"}, goodServers...)},
			{Zone: nsZone, Servers: []string{"parent missing ns1.example.org", "ns1.example.org 192.0.2.53 good"}},
		},
		Good: []audit.Scenario{{Zone: nsZone, Servers: slices.Concat(sameAbove, goodServers)}},
	},
	Check: func(c *audit.Case) {
		d, ok := referral(c)
		if !ok {
			return
		}
		for _, h := range d.Missing {
			f := c.Report(zoneSubject(c, h.String()), "%s refers to %s and gives no address for it", d.Parent, h)
			if len(d.Missing) == len(d.NS) {
				f.Message += "; no other server can be reached either"
				f.At(audit.Error)
			}
			parentEvidence(f, c, d)
		}
	},
}
