package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var nsTCP = audit.Rule{
	ID: "NS005", Slug: "ns-tcp-refused", Severity: audit.Warning, Needs: facts.NameServers, Since: "0.1",
	Title: "A name server does not answer over TCP",
	Refs:  []audit.Ref{{RFC: 7766, Section: "5", Level: audit.Must}, {RFC: 9210, Section: "4", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Answers that do not fit into a UDP packet, as many TXT sets and DKIM keys do not, cannot be read from this server: receivers defer the mail or judge it without them.",
		Remedy: "Let TCP port 53 through to the name server, and let it listen there.",
		Bad:    []audit.Scenario{{Zone: nsZone, Servers: []string{"ns1.example.org 192.0.2.53 good", "ns2.example.net 198.51.100.53 no-tcp"}}},
		Good:   []audit.Scenario{{Zone: nsZone, Servers: goodServers}},
	},
	Check: func(c *audit.Case) {
		for _, s := range servers(c) {
			switch {
			case s.Answers != resolve.Present:
			case s.TCP == resolve.Absent:
				serverEvidence(c.Report(nsSubject(c, s), "%s answers over UDP and not over TCP", s), c, s)
			case s.TCP == resolve.Unavailable:
				c.Unknown("whether %s answers over TCP is unknown", s)
			}
		}
	},
}
