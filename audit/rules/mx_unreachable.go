package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe"
)

var mxUnreachable = audit.Rule{
	ID: "MX010", Slug: "mx-unreachable", Severity: audit.Error, Needs: facts.MailHosts, Since: "0.1",
	Title: "A mail host refuses connections to port 25",
	Refs:  []audit.Ref{{RFC: 5321, Section: "5.1"}},
	Doc: audit.Doc{
		Impact: "No mail can be delivered through this host. If it is the only one, senders keep the mail for some days and then return it.",
		Remedy: "Start the mail server, let it listen on the address in DNS and not on loopback alone, and open port 25 in every firewall on the way. If the host takes no mail, remove its MX record.",
		Bad: []audit.Scenario{
			{Zone: oneHost, Hosts: []string{"192.0.2.25 refused"}},
			{Zone: twoHosts, Hosts: []string{"192.0.2.25 good", "192.0.2.26 refused"}},
		},
		Good: []audit.Scenario{{Zone: twoHosts, Hosts: []string{"192.0.2.25 good", "192.0.2.26 no-starttls"}}},
	},
	Check: func(c *audit.Case) {
		if noProbe(c) {
			return
		}
		alive := false
		for _, x := range c.Facts.Transport.Probe.Exchanges {
			refused, total := 0, len(x.Attempts)
			var first *probe.Attempt
			for i := range x.Attempts {
				a := &x.Attempts[i]
				alive = alive || a.Connect == probe.Accepted
				if a.Connect == probe.Refused {
					if refused++; first == nil {
						first = a
					}
				}
			}
			switch {
			case total > 0 && refused == total:
				c.Report(hostSubject(x.Host, *first), "%s refuses connections to port 25 on %s", x.Host, plural(total, "address", "es"))
			case dead(x):
				c.Unknown("%s did not answer: %v", x.Host, x.Attempts[0].Failure)
			}
		}
		if alive {
			c.Lower(audit.Warning) // mail goes to the other hosts
		}
	},
}

// dead reports a host of which no address answered or refused.
func dead(x probe.Exchange) bool {
	for _, a := range x.Attempts {
		if facts.Seen(a) {
			return false
		}
	}
	return len(x.Attempts) > 0
}

func plural(n int, noun, ending string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %s%s", n, noun, ending)
}
