package rules

import (
	"net/netip"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var mxLiteral = audit.Rule{
	ID: "MX004", Slug: "mx-address-literal", Severity: audit.Error, Needs: facts.MX, Since: "0.1",
	Title: "An MX record holds an IP address instead of a host name",
	Refs:  []audit.Ref{{RFC: 1035, Section: "3.3.9"}, {RFC: 5321, Section: "5.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "An MX record holds a name. The address is looked up as a host name, which does not exist, so mail through this MX is never delivered.",
		Remedy: "Give the address a name with an A or AAAA record, for example mail.example.org, and put that name in the MX record.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN MX 10 192.0.2.1."},
			// A zone editor that appends the zone makes a name of it that looks right at first sight.
			{Zone: "example.org. 3600 IN MX 10 192.0.2.1.example.org."},
		},
		Good: []audit.Scenario{{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1"}},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		if noMX(c) {
			return
		}
		for _, x := range s.MX.Value.Exchanges {
			switch addr, appended := literal(s.Domain, x); {
			case appended && x.State() == resolve.Absent:
				c.Report(mxSubject(s, x), "the MX host %s is the address %s with the zone's name appended", x.Host, addr)
			case !appended && addr.IsValid():
				c.Report(mxSubject(s, x), "the MX host is the address %s", addr)
			}
		}
	},
}

// literal finds the address in an MX host name.
func literal(domain resolve.Name, x facts.Exchange) (addr netip.Addr, appended bool) {
	if x.Literal.IsValid() {
		return x.Literal, false
	}
	if rest, ok := strings.CutSuffix(x.Host.String(), "."+domain.String()); ok {
		if a, err := netip.ParseAddr(rest); err == nil {
			return a, true
		}
	}
	return netip.Addr{}, false
}
