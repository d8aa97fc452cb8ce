package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var mxIPv6Only = audit.Rule{
	ID: "MX008", Slug: "mx-ipv6-only", Severity: audit.Warning, Needs: facts.MX, Since: "0.1",
	Title: "No MX host has an IPv4 address",
	Refs:  []audit.Ref{{RFC: 3974, Section: "4.1"}, {RFC: 5321, Section: "5.2"}},
	Doc: audit.Doc{
		Impact: "Senders without IPv6, and there are many, cannot deliver: their mail waits and bounces.",
		Remedy: "Add an A record to at least one MX host.",
		Bad:    []audit.Scenario{{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN AAAA 2001:db8::25"}},
		Good:   []audit.Scenario{{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nexample.org. 3600 IN MX 20 mail2.example.org.\nmail.example.org. 3600 IN AAAA 2001:db8::25\nmail2.example.org. 3600 IN A 192.0.2.1"}},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		if noMX(c) {
			return
		}
		var six []facts.Exchange
		for _, x := range s.MX.Value.Exchanges {
			if x.V4.State == resolve.Present || x.Null || x.Literal.Is4() {
				return
			}
			if x.V4.State == resolve.Unavailable && !x.Literal.IsValid() {
				c.Unknown("the IPv4 address of %s is unknown: %v", x.Host, x.V4.Err)
				return
			}
			if x.V6.State == resolve.Present {
				six = append(six, x)
			}
		}
		if len(six) > 0 {
			f := c.Report(audit.Subject{Name: s.Domain, Type: resolve.TypeMX}, "%d MX hosts have IPv6 addresses, none has an IPv4 address", len(six))
			for _, x := range six[:min(len(six), 3)] {
				f.About(s, x.Host, resolve.TypeA)
			}
		}
	},
}
