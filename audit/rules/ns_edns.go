package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var nsEDNS = audit.Rule{
	ID: "NS006", Slug: "ns-edns-broken", Severity: audit.Warning, Needs: facts.NameServers, Since: "0.1",
	Title: "A name server does not answer queries with EDNS",
	Refs:  []audit.Ref{{RFC: 6891, Section: "7", Level: audit.Must}, {Title: "DNS Flag Day", URL: "https://www.dnsflagday.net/"}},
	Doc: audit.Doc{
		Impact: "Resolvers ask with EDNS and have long given up to ask again without it, so they take this server for dead. " + sometimes,
		Remedy: "Update the name server, and take away firewalls that drop DNS packets with options.",
		Bad:    []audit.Scenario{{Zone: nsZone, Servers: []string{"ns1.example.org 192.0.2.53 good", "ns2.example.net 198.51.100.53 no-edns"}}},
		Good:   []audit.Scenario{{Zone: nsZone, Servers: goodServers}},
	},
	Check: func(c *audit.Case) {
		for _, s := range servers(c) {
			if s.Answers == resolve.Present && s.EDNS == resolve.Absent {
				serverEvidence(c.Report(nsSubject(c, s), "%s answers plain queries and not those with EDNS", s), c, s)
			}
		}
	},
}
