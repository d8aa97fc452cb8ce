package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/probe"
)

var mxAddressUnreachable = audit.Rule{
	ID: "MX011", Slug: "mx-address-unreachable", Severity: audit.Warning, Needs: facts.MailHosts, Since: "0.1",
	Title: "A mail host refuses connections on one of its addresses",
	Refs:  []audit.Ref{{RFC: 5321, Section: "5.1"}},
	Doc: audit.Doc{
		Impact: "Senders that try this address first, as those with IPv6 do where it is an IPv6 address, are delayed; those that have only this family cannot deliver through the host.",
		Remedy: "Let the mail server listen on this address too, or remove its A or AAAA record.",
		Bad:    []audit.Scenario{{Zone: oneHost + "mail.example.org. 3600 IN AAAA 2001:db8::25\n", Hosts: []string{"192.0.2.25 good", "2001:db8::25 refused"}}},
		Good:   []audit.Scenario{{Zone: oneHost + "mail.example.org. 3600 IN AAAA 2001:db8::25\n", Hosts: []string{"192.0.2.25 good", "2001:db8::25 good"}}},
	},
	Check: func(c *audit.Case) {
		if noProbe(c) {
			return
		}
		for _, x := range c.Facts.Transport.Probe.Exchanges {
			alive := false
			for _, a := range x.Attempts {
				alive = alive || a.Connect == probe.Accepted
			}
			for _, a := range x.Attempts {
				switch {
				case alive && a.Connect == probe.Refused:
					c.Report(hostSubject(x.Host, a), "%s refuses connections to port 25; other addresses of the host accept them", at(x.Host, a))
				case a.Connect == probe.Unknown && a.Failure != nil:
					c.Unknown("%s: %v", at(x.Host, a), a.Failure)
				}
			}
		}
	},
}
