package rules

import (
	"net/netip"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var nsSingle = audit.Rule{
	ID: "NS007", Slug: "ns-single-network", Severity: audit.Notice, Needs: facts.NameServers, Since: "0.1",
	Title: "All name servers stand in one network",
	Refs:  []audit.Ref{{RFC: 2182, Section: "3.1", Level: audit.Must}, {RFC: 1034, Section: "4.1"}},
	Doc: audit.Doc{
		Impact: "None while the network is up. When it is down, receivers can read neither SPF nor DKIM nor DMARC, and mail in both directions waits.",
		Remedy: "Add a name server in another network; most registrars and DNS providers have secondaries.",
		Bad: []audit.Scenario{
			{Zone: nsZone, Servers: []string{"ns1.example.org 192.0.2.53 good", "ns2.example.org 192.0.2.54 good"}},
			{Zone: nsZone, Servers: []string{"ns1.example.org 192.0.2.53 good"}},
		},
		Good: []audit.Scenario{{Zone: nsZone, Servers: goodServers}},
	},
	Check: func(c *audit.Case) {
		nets := map[netip.Prefix]bool{}
		list := servers(c)
		unknown, hosts := false, 0
		for _, s := range list {
			if !s.Addr.IsValid() {
				unknown = unknown || s.HostState == resolve.Unavailable
				continue
			}
			hosts++
			bits := 48 // one customer's network
			if s.Addr.Is4() {
				bits = 24 // the smallest that is routed
			}
			if p, err := s.Addr.Prefix(bits); err == nil {
				nets[p] = true
			}
		}
		if len(nets) != 1 || unknown {
			return
		}
		for p := range nets {
			s := list[0]
			f := c.Report(audit.Subject{Name: c.Facts.Transport.Servers.Value.Zone, Type: resolve.TypeNS}, "%s of %s, all in %s", plural(hosts, "name server address", "es"), c.Facts.Transport.Servers.Value.Zone, p)
			serverEvidence(f, c, s)
		}
	},
}
