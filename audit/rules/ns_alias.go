package rules

import (
	"slices"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var nsAlias = audit.Rule{
	ID: "NS014", Slug: "ns-alias", Severity: audit.Warning, Needs: facts.NameServers, Since: "0.1",
	Title: "A name server of the zone is an alias",
	Refs:  []audit.Ref{{RFC: 2181, Section: "10.3", Level: audit.Must}, {RFC: 1912, Section: "2.4"}},
	Doc: audit.Doc{
		Impact: "Many resolvers do not follow an alias here and take the server for one without address. " + sometimes,
		Remedy: "Let the NS record name the host that has the address, in the zone and at the registrar.",
		Bad:    []audit.Scenario{{Zone: nsZone, Servers: append([]string{"ns3.example.com 203.0.113.53 alias"}, goodServers...)}},
		Good:   []audit.Scenario{{Zone: nsZone, Servers: goodServers}},
	},
	Check: func(c *audit.Case) {
		var told []resolve.Name
		for _, s := range servers(c) {
			if s.Alias.IsZero() || slices.Contains(told, s.Host) {
				continue
			}
			told = append(told, s.Host)
			serverEvidence(c.Report(zoneSubject(c, s.Host.String()), "%s is an alias of %s", s.Host, s.Alias), c, s)
		}
	},
}
