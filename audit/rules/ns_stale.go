package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
)

var nsStale = audit.Rule{
	ID: "NS003", Slug: "ns-stale", Severity: audit.Warning, Needs: facts.NameServers, Since: "0.1",
	Title: "A name server holds an older version of the zone",
	Refs:  []audit.Ref{{RFC: 1034, Section: "4.3.5"}, {RFC: 1912, Section: "2.2"}},
	Doc: audit.Doc{
		Impact: sometimes + " A few minutes after a change this is normal.",
		Remedy: "See why the server does not transfer the zone: NOTIFY that does not arrive, a transfer that is refused, a serial that went backwards.",
		Bad:    []audit.Scenario{{Zone: nsZone, Servers: []string{"ns1.example.org 192.0.2.53 good", "ns2.example.net 198.51.100.53 stale"}}},
		Good:   []audit.Scenario{{Zone: nsZone, Servers: goodServers}},
	},
	Check: func(c *audit.Case) {
		for _, s := range servers(c) {
			if s.Stale && s.Serial != nil {
				f := c.Report(nsSubject(c, s), "%s has serial %d, %s", s, *s.Serial, newest(c))
				serverEvidence(f, c, s)
				if c.Facts.Transport.Servers.Value.Agree {
					f.At(audit.Notice) // it says the same of mail
				}
			}
		}
		silence(c)
	},
}

// newest names the servers that are ahead.
func newest(c *audit.Case) string {
	for _, s := range c.Facts.Transport.Servers.Value.Servers {
		if !s.Stale && s.Serial != nil {
			return fmt.Sprintf("and %s has %d", s, *s.Serial)
		}
	}
	return "and another one is ahead"
}
