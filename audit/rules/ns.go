package rules

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/probe/nameserver"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var nsRules = []*audit.Rule{&nsLame, &nsHostMissing, &nsStale, &nsDiffer, &nsTCP, &nsEDNS, &nsSingle, &ttlExtreme, &negativeTTL,
	&nsParentChild, &nsGlueStale, &nsGlueMissing, &nsNotDelegated, &nsAlias}

// servers are the name servers of the domain's zone, if they were asked. An address
// that only the zone above gives for a host is the matter of NS011.
func servers(c *audit.Case) []nameserver.Server {
	if gone(c) {
		return nil
	}
	if !c.Facts.Transport.ServersAsked {
		c.NotApplicable("the name servers were not asked")
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.Facts.Transport.Servers.Value.Servers), func(s nameserver.Server) bool { return s.OldGlue })
}

// delegation is what the zone above says, if it said something.
func delegation(c *audit.Case) (nameserver.Delegation, bool) {
	if gone(c) {
		return nameserver.Delegation{}, false
	}
	d := c.Facts.Transport.Servers.Value.Delegation
	switch {
	case !c.Facts.Transport.ServersAsked:
		c.NotApplicable("the name servers were not asked")
	case !d.Asked:
		c.NotApplicable("the zone above was not asked")
	case d.Shared:
		c.NotApplicable("the servers of %s hold the zone too, so there is no referral to compare", d.Parent)
	case d.State == resolve.Unavailable:
		c.Unknown("what the zone above says of the zone is unknown: %s", d.Problem)
	default:
		return d, true
	}
	return d, false
}

// referral is what the zone above refers to; that it refers to nothing is said by
// NS013.
func referral(c *audit.Case) (nameserver.Delegation, bool) {
	d, ok := delegation(c)
	if ok && d.State == resolve.Absent {
		c.NotApplicable("%s does not refer to the zone", d.Parent)
		ok = false
	}
	return d, ok
}

// zoneSubject is the NS record set of the zone, or a part of it.
func zoneSubject(c *audit.Case, term string) audit.Subject {
	return audit.Subject{Name: c.Facts.Transport.Servers.Value.Zone, Type: resolve.TypeNS, Term: term}
}

// parentEvidence shows what the zone above said.
func parentEvidence(f *audit.Finding, c *audit.Case, d nameserver.Delegation) {
	zone := c.Facts.Transport.Servers.Value.Zone
	e := audit.Evidence{Name: zone, Type: resolve.TypeNS, State: d.State, At: c.Facts.At, Server: d.Server, Error: d.Problem}
	for _, h := range d.NS[:min(len(d.NS), maxShown)] {
		e.Records = append(e.Records, fmt.Sprintf("%s IN NS %s", zone.FQDN(), h.FQDN()))
	}
	for _, g := range d.Glue[:min(len(d.Glue), maxShown)] {
		t := resolve.TypeAAAA
		if g.Addr.Is4() {
			t = resolve.TypeA
		}
		e.Records = append(e.Records, fmt.Sprintf("%s IN %s %s", g.Host.FQDN(), t, g.Addr))
	}
	f.Evidence = append(f.Evidence, e)
}

const maxShown = 16 // records of a delegation in the evidence

// serverOf finds a server by host and address.
func serverOf(c *audit.Case, host resolve.Name, addr netip.Addr) (nameserver.Server, bool) {
	list := c.Facts.Transport.Servers.Value.Servers
	i := slices.IndexFunc(list, func(s nameserver.Server) bool { return s.Host == host && s.Addr == addr })
	if i < 0 {
		return nameserver.Server{}, false
	}
	return list[i], true
}

// onlyAbove tells of a server that the zone does not name itself.
func onlyAbove(s nameserver.Server) string {
	if s.ParentOnly {
		return ", which only the zone above names,"
	}
	return ""
}

func nsSubject(c *audit.Case, s nameserver.Server) audit.Subject {
	term := s.Host.String()
	if s.Addr.IsValid() {
		term += " " + s.Addr.String()
	}
	return audit.Subject{Name: c.Facts.Transport.Servers.Value.Zone, Type: resolve.TypeNS, Term: term}
}

// silence notes the servers that gave no usable answer.
func silence(c *audit.Case) {
	for _, s := range servers(c) {
		if s.Answers == resolve.Unavailable && s.HostState == resolve.Present {
			c.Unknown("%s did not answer: %s", s, s.Problem)
		}
	}
}

// serverEvidence shows what a server said.
func serverEvidence(f *audit.Finding, c *audit.Case, s nameserver.Server) {
	zone := c.Facts.Transport.Servers.Value.Zone
	e := audit.Evidence{Name: zone, Type: resolve.TypeNS, State: s.Answers, At: c.Facts.At, Error: s.Problem}
	if s.Addr.IsValid() {
		e.Server = s.Addr.String()
	}
	f.Evidence = append(f.Evidence, e)
}

const (
	nsZone    = oneHost + "example.org. 3600 IN SOA ns1.example.org. hostmaster.example.org. 7 7200 3600 1209600 3600\n"
	sometimes = "Receivers ask any one of the servers. Those that come upon this one are delayed or go without the record, so mail fails now and then and for some receivers only."
)

var goodServers = []string{"ns1.example.org 192.0.2.53 good", "ns2.example.net 198.51.100.53 good"}

func joinNames(list []string) string { return strings.Join(list, ", ") }
