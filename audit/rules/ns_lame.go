package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var nsLame = audit.Rule{
	ID: "NS001", Slug: "ns-lame", Severity: audit.Warning, Needs: facts.NameServers, Since: "0.1",
	Title: "A name server of the zone does not answer for it",
	Refs:  []audit.Ref{{RFC: 1912, Section: "2.8"}, {RFC: 1034, Section: "4.2.2"}},
	Doc: audit.Doc{
		Impact: sometimes,
		Remedy: "Configure the zone on that server, or remove the server from the NS records in the zone and at the registry.",
		Bad:    []audit.Scenario{{Zone: nsZone, Servers: []string{"ns1.example.org 192.0.2.53 good", "ns2.example.net 198.51.100.53 lame"}}},
		Good:   []audit.Scenario{{Zone: nsZone, Servers: goodServers}},
	},
	Check: func(c *audit.Case) {
		list := servers(c)
		alive := false
		for _, s := range list {
			alive = alive || s.Answers == resolve.Present
		}
		for _, s := range list {
			if s.HostState == resolve.Present && s.Answers == resolve.Absent {
				f := c.Report(nsSubject(c, s), "%s%s responds, and not with authority for %s: %s", s, onlyAbove(s), c.Facts.Transport.Servers.Value.Zone, s.Problem)
				serverEvidence(f, c, s)
				if !alive {
					f.At(audit.Error)
				}
			}
		}
		silence(c)
	},
}
