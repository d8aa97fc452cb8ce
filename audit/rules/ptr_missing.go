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
		Bad: []audit.Scenario{{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"", Addresses: []string{"192.0.2.25"}}, {Zone: "example.org. 3600 IN TXT \"v=spf1 ip6:2001:db8::25 -all\"", Addresses: []string{"2001:db8::25"}},
			// Nobody named the address: the MX host is the domain's own, and SPF lets it send.
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\nexample.org. 3600 IN TXT \"v=spf1 mx -all\"\n" + reverseZone},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\n" + reverseZone}},
		Good: []audit.Scenario{{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\n25.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25", Addresses: []string{"192.0.2.25"}},
			// An MX host that SPF does not let send may only receive; those of others are not ours.
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\nexample.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 ip4:192.0.2.26 -all\"\n" + reverseZone},
			{Zone: "example.org. 3600 IN MX 10 mail.example.net.\nmail.example.net. 3600 IN A 192.0.2.25\nexample.org. 3600 IN TXT \"v=spf1 mx -all\"\n" + reverseZone}},
	},
	Check: func(c *audit.Case) {
		for _, x := range reverseNames(c) {
			if x.PTR.State == resolve.Absent {
				f := c.Report(ptrSubject(x), "%s%s has no PTR record", x.Address, whence(x))
				derive(c, f, x, audit.Warning, "ask whoever runs its network to set its PTR to the server's host name, and give that name an A or AAAA record with the address.")
			}
		}
	},
}
