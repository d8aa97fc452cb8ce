package rules

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var ptrUnconfirmed = audit.Rule{
	ID: "IP002", Slug: "ptr-unconfirmed", Severity: audit.Error, Since: "0.1",
	Title: "The reverse name of a sending address does not lead back to it",
	Refs:  []audit.Ref{{RFC: 8601, Section: "3"}, {RFC: 1912, Section: "2.1"}, gmailPTR},
	Doc: audit.Doc{
		Impact: "A reverse name counts only if its own A or AAAA record holds the address. " + ptrImpact,
		Remedy: "Add an A or AAAA record with the address to the name in the PTR, or change the PTR to a name that has one.",
		Bad: []audit.Scenario{
			{Zone: "25.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.26\nexample.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"", Addresses: []string{"192.0.2.25"}},
			{Zone: "25.2.0.192.in-addr.arpa. 3600 IN PTR gone.example.net.\nexample.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"", Addresses: []string{"192.0.2.25"}},
		},
		Good: []audit.Scenario{
			// One of several names is enough, and RFC 2317 delegation goes through a CNAME.
			{Zone: "25.2.0.192.in-addr.arpa. 3600 IN CNAME 25.0-127.2.0.192.in-addr.arpa.\n25.0-127.2.0.192.in-addr.arpa. 3600 IN PTR other.example.net.\n25.0-127.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\nexample.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"", Addresses: []string{"192.0.2.25"}},
		},
	},
	Check: func(c *audit.Case) {
		confirmed := func(x facts.Sender) resolve.State { return x.Confirmed }
		for _, x := range seenSenders(c, confirmed, unconfirmedText) {
			if x.PTR.State != resolve.Present || x.Confirmed == resolve.Present {
				continue // that there is none is said by IP001
			}
			t := resolve.TypeAAAA
			if x.Address.Is4() {
				t = resolve.TypeA
			}
			f := c.Report(ptrSubject(x), "the PTR of %s%s is %s, which does not have that address", x.Address, whence(x), names(x.PTR.Value))
			for _, n := range x.PTR.Value[:min(len(x.PTR.Value), 3)] {
				f.About(c.Facts, n, t)
			}
			derive(c, f, x, audit.Warning, "give the name in the PTR an A or AAAA record with the address, or change the PTR to a name that has one.")
		}
	},
}

func unconfirmedText(x facts.Sender) string {
	if x.PTR.State == resolve.Present {
		return fmt.Sprintf("whether %s leads back to %s is unknown", names(x.PTR.Value), x.Address)
	}
	return fmt.Sprintf("the PTR of %s is unknown: %v", x.Address, x.PTR.Err)
}

// names lists at most three names.
func names(list []resolve.Name) string {
	var out []string
	for i, n := range list {
		if i == 3 {
			out = append(out, fmt.Sprintf("and %d more", len(list)-3))
			break
		}
		out = append(out, n.String())
	}
	return strings.Join(out, ", ")
}
