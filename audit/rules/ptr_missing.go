package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var ptrMissing = audit.Rule{
	ID: "IP001", Slug: "ptr-missing", Severity: audit.Error, Since: "0.1",
	Title: "A sending address has no reverse name (PTR)",
	Refs:  []audit.Ref{{RFC: 8601, Section: "3"}, {RFC: 1912, Section: "2.1", Level: audit.Should}, gmailPTR},
	Doc: audit.Doc{
		Impact: ptrImpact,
		Remedy: "Ask whoever runs the network of the address (the hosting provider's panel, often under \"reverse DNS\") to set its PTR to the server's host name, and give that name an A or AAAA record with the address. If the address is not meant to send, take it out of the mail server's outgoing addresses.",
		Bad:    []audit.Scenario{{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"", Addresses: []string{"192.0.2.25"}}, {Zone: "example.org. 3600 IN TXT \"v=spf1 ip6:2001:db8::25 -all\"", Addresses: []string{"2001:db8::25"}}},
		Good:   []audit.Scenario{{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\n25.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25", Addresses: []string{"192.0.2.25"}}},
	},
	Check: func(c *audit.Case) {
		if noSenders(c) {
			return
		}
		for _, x := range c.Facts.Senders {
			switch x.PTR.State {
			case resolve.Absent:
				c.Report(ptrSubject(x), "%s has no PTR record", x.Address)
			case resolve.Unavailable:
				c.Unknown("the PTR of %s is unknown: %v", x.Address, x.PTR.Err)
			}
		}
	},
}
