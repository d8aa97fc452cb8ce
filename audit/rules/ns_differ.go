package rules

import (
	"slices"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe/nameserver"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var nsDiffer = audit.Rule{
	ID: "NS004", Slug: "ns-answers-differ", Severity: audit.Warning, Needs: facts.NameServers, Since: "0.1",
	Title: "Name servers of the zone give different MX records",
	Refs:  []audit.Ref{{RFC: 1034, Section: "4.3.5"}},
	Doc: audit.Doc{
		Impact: "Mail goes to one host or another, as it happens: to the old server after a move, or nowhere.",
		Remedy: "Bring all servers to the same data. If a former provider's servers are still in the NS records, remove them there and at the registry.",
		Bad:    []audit.Scenario{{Zone: nsZone, Servers: []string{"ns1.example.org 192.0.2.53 good", "ns2.example.net 198.51.100.53 differs"}}},
		Good:   []audit.Scenario{{Zone: nsZone, Servers: goodServers}, {Zone: nsZone, Servers: []string{"ns1.example.org 192.0.2.53 good", "ns2.example.net 198.51.100.53 stale"}}},
	},
	Check: func(c *audit.Case) {
		var first *nameserver.Server
		list := servers(c)
		for i := range list {
			s := &list[i]
			switch {
			case s.Answers != resolve.Present || s.Stale:
			case first == nil:
				first = s
			case !slices.Equal(first.Said, s.Said):
				f := c.Report(nsSubject(c, *s), "%s says %q, %s says %q", first, joinNames(first.Said), s, joinNames(s.Said))
				serverEvidence(f, c, *s)
			}
		}
		silence(c)
	},
}
