package rules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/probe/nameserver"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var nsRules = []*audit.Rule{&nsLame, &nsHostMissing, &nsStale, &nsDiffer, &nsTCP, &nsEDNS, &nsSingle, &ttlExtreme, &negativeTTL}

// servers are the name servers of the domain's zone, if they were asked.
func servers(c *audit.Case) []nameserver.Server {
	if gone(c) {
		return nil
	}
	if !c.Facts.Transport.ServersAsked {
		c.NotApplicable("the name servers were not asked")
		return nil
	}
	return c.Facts.Transport.Servers.Value.Servers
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
