package rules

import (
	"slices"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe/nameserver"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var nsGlueStale = audit.Rule{
	ID: "NS011", Slug: "ns-glue-stale", Severity: audit.Warning, Needs: facts.NameServers, Since: "0.1",
	Title: "The zone above gives an address of a name server that it no longer has",
	Refs:  []audit.Ref{{RFC: 1034, Section: "4.2.2"}, {RFC: 1912, Section: "2.3"}, {RFC: 1537, Section: "4"}},
	Doc: audit.Doc{
		Impact: "Resolvers that do not know the zone yet go to that address first. If nothing answers there, lookups last long and fail now and then; if somebody else has the address by now, he can answer for your mail.",
		Remedy: "Enter the present addresses of the name server at the registrar (host record, glue). The zone's own A and AAAA records do not change them.",
		Bad: []audit.Scenario{
			{Zone: nsZone, Servers: append([]string{"parent ns1.example.org 203.0.113.9=old", "parent ns2.example.net", "ns1.example.org 203.0.113.9 silent old-glue"}, goodServers...)},
			{Zone: nsZone, Servers: append([]string{"parent ns1.example.org 192.0.2.53 203.0.113.9=old", "parent ns2.example.net", "ns1.example.org 203.0.113.9 good old-glue"}, goodServers...)},
		},
		Good: []audit.Scenario{
			{Zone: nsZone, Servers: slices.Concat(sameAbove, goodServers)},
			// A host elsewhere needs no glue.
			{Zone: nsZone, Servers: append([]string{"parent shared"}, goodServers...)},
		},
	},
	Check: func(c *audit.Case) {
		d, ok := referral(c)
		if !ok {
			return
		}
		zone := c.Facts.Transport.Servers.Value.Zone
		for _, g := range d.Glue {
			if g.State == resolve.Unavailable {
				c.Unknown("whether %s still has the address %s is unknown", g.Host, g.Addr)
			}
			if g.State != resolve.Absent {
				continue
			}
			f := c.Report(zoneSubject(c, g.Host.String()+" "+g.Addr.String()), "%s gives the address %s for %s, and %s does not", d.Parent, g.Addr, g.Host, zone)
			s, known := serverOf(c, g.Host, g.Addr)
			switch {
			case known && s.Answers == resolve.Present:
				f.Message += "; a server answers for the zone there all the same"
				f.At(audit.Notice)
			case known && s.Answers == resolve.Absent:
				f.Message += "; what responds there does not answer for the zone"
			default:
				f.Message += "; nothing answers there"
			}
			if noWay(c, d) {
				f.At(audit.Error)
			}
			parentEvidence(f, c, d)
		}
	},
}

// noWay reports that no address that the zone above leads to answers for the zone.
// Who does not know its servers from before cannot find it.
func noWay(c *audit.Case, d nameserver.Delegation) bool {
	zone := c.Facts.Transport.Servers.Value.Zone
	return !slices.ContainsFunc(c.Facts.Transport.Servers.Value.Servers, func(s nameserver.Server) bool {
		led := slices.Contains(d.NS, s.Host) && (!s.Host.Within(zone) ||
			slices.ContainsFunc(d.Glue, func(g nameserver.Glue) bool { return g.Host == s.Host && g.Addr == s.Addr }))
		// Silence may lie with this network.
		return led && (s.Answers == resolve.Present || s.HostState == resolve.Unavailable || !s.OldGlue && s.HostState == resolve.Present && s.Answers == resolve.Unavailable)
	})
}
