package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe/nameserver"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// sameAbove is a zone above that says what the zone says.
var sameAbove = []string{"parent ns1.example.org 192.0.2.53", "parent ns2.example.net"}

var nsParentChild = audit.Rule{
	ID: "NS010", Slug: "ns-parent-child-differ", Severity: audit.Warning, Needs: facts.NameServers, Since: "0.1",
	Title: "The zone and the zone above name different name servers",
	Refs:  []audit.Ref{{RFC: 1034, Section: "4.2.2"}, {RFC: 1912, Section: "2.8"}, {RFC: 2181, Section: "5.4.1"}},
	Doc: audit.Doc{
		Impact: "Resolvers begin with the servers that the registry names and go on with those that the zone names. A server on one list alone is asked by some of them, and at some times: after a move it is often the old one, which answers with old records or not at all.",
		Remedy: "Decide which list is right. Enter it at the registrar as the domain's name servers, and publish the same NS records in the zone.",
		Bad: []audit.Scenario{
			{Zone: nsZone, Servers: append([]string{"ns9.example.com 203.0.113.53 lame parent-only", "parent ns9.example.com"}, slices.Concat(sameAbove, goodServers)...)},
			{Zone: nsZone, Servers: append([]string{"parent ns1.example.org 192.0.2.53"}, goodServers...)},
			{Zone: nsZone, Servers: append([]string{"ns9.example.com 203.0.113.53 good parent-only", "parent ns9.example.com"}, goodServers...)},
		},
		Good: []audit.Scenario{
			{Zone: nsZone, Servers: slices.Concat(sameAbove, goodServers)},
			{Zone: nsZone, Servers: append([]string{"parent shared"}, goodServers...)},
			{Zone: nsZone, Servers: goodServers},
		},
	},
	Check: func(c *audit.Case) {
		d, ok := referral(c)
		if !ok {
			return
		}
		if d.OwnState != resolve.Present {
			c.Unknown("the NS records of the zone are unknown")
			return
		}
		above, below := without(d.NS, d.Own), without(d.Own, d.NS)
		if len(above)+len(below) == 0 {
			return
		}
		zone := c.Facts.Transport.Servers.Value.Zone
		var parts []string
		if len(above) > 0 {
			parts = append(parts, fmt.Sprintf("%s names %s, which %s does not", d.Parent, names(above), zone))
		}
		if len(below) > 0 {
			parts = append(parts, fmt.Sprintf("%s names %s, which %s does not", zone, names(below), d.Parent))
		}
		disjoint := len(above) == len(d.NS)
		if disjoint {
			parts = append(parts, "no server is on both lists")
		}
		f := c.Report(zoneSubject(c, ""), "%s", strings.Join(parts, "; "))
		if !disjoint && !slices.ContainsFunc(servers(c), func(s nameserver.Server) bool { return useless(s, above, below) }) {
			f.At(audit.Notice) // every one of them answers, or nothing shows that it does not
		}
		parentEvidence(f, c, d)
		f.Advise("If the list in the zone is right, enter %s at the registrar; if that of %s is, publish %s as the NS records of %s.", names(d.Own), d.Parent, names(d.NS), zone)
	},
}

// without lists the names of a that are not in b.
func without(a, b []resolve.Name) []resolve.Name {
	return slices.DeleteFunc(slices.Clone(a), func(n resolve.Name) bool { return slices.Contains(b, n) })
}

// useless reports a server on one of the lists that is proven not to answer.
func useless(s nameserver.Server, lists ...[]resolve.Name) bool {
	return slices.ContainsFunc(lists, func(l []resolve.Name) bool { return slices.Contains(l, s.Host) }) &&
		(s.HostState == resolve.Absent || s.HostState == resolve.Present && s.Answers == resolve.Absent)
}
