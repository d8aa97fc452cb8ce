package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var nsHostMissing = audit.Rule{
	ID: "NS002", Slug: "ns-host-missing", Severity: audit.Warning, Needs: facts.NameServers, Since: "0.1",
	Title: "A name server of the zone has no address",
	Refs:  []audit.Ref{{RFC: 1912, Section: "2.8"}, {RFC: 2181, Section: "10.3"}},
	Doc: audit.Doc{
		Impact: "The zone has one server less than it seems. If the name's domain is free, whoever registers it can answer for your mail.",
		Remedy: "Remove the name from the NS records in the zone and at the registry, or give it an address.",
		Bad:    []audit.Scenario{{Zone: nsZone, Servers: append([]string{"old.example.net - gone"}, goodServers...)}},
		Good:   []audit.Scenario{{Zone: nsZone, Servers: goodServers}},
	},
	Check: func(c *audit.Case) {
		for _, s := range servers(c) {
			switch s.HostState {
			case resolve.Absent:
				serverEvidence(c.Report(nsSubject(c, s), "%s%s is a name server of %s and has no address", s.Host, onlyAbove(s), c.Facts.Transport.Servers.Value.Zone), c, s)
			case resolve.Unavailable:
				c.Unknown("the address of %s is unknown: %s", s.Host, s.Problem)
			}
		}
	},
}
