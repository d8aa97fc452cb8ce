package rules

import (
	"slices"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var nsNotDelegated = audit.Rule{
	ID: "NS013", Slug: "ns-not-delegated", Severity: audit.Error, Needs: facts.NameServers, Since: "0.1",
	Title: "The zone above does not refer to the zone",
	Refs:  []audit.Ref{{RFC: 1034, Section: "4.2.1"}, {RFC: 8020, Section: "2"}},
	Doc: audit.Doc{
		Impact: "What still resolves comes from a cache, or from an internal view of DNS. Receivers get NXDOMAIN: mail to the domain bounces, and mail from it is refused.",
		Remedy: "See whether the registration has lapsed or was suspended, or the NS records were removed from the zone above.",
		Bad:    []audit.Scenario{{Zone: nsZone, Servers: append([]string{"parent denies"}, goodServers...)}},
		Good:   []audit.Scenario{{Zone: nsZone, Servers: slices.Concat(sameAbove, goodServers)}, {Zone: nsZone, Servers: append([]string{"parent shared"}, goodServers...)}},
	},
	Check: func(c *audit.Case) {
		d, ok := delegation(c)
		if ok && d.State == resolve.Absent {
			f := c.Report(zoneSubject(c, ""), "the server %s of %s knows no such zone: %s", d.Server, d.Parent, d.Problem)
			parentEvidence(f, c, d)
		}
	},
}
