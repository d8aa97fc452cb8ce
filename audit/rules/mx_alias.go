package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var mxAlias = audit.Rule{
	ID: "MX003", Slug: "mx-alias", Severity: audit.Warning, Needs: facts.MX, Since: "0.1",
	Title: "An MX record names a host that is a CNAME",
	Refs:  []audit.Ref{{RFC: 2181, Section: "10.3", Level: audit.Must}, {RFC: 5321, Section: "5.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Many senders follow the alias and deliver; some refuse the address as unroutable. TLS names and DANE records are looked for at the wrong name.",
		Remedy: "Name the host at the end of the alias in the MX record, or give the MX host address records of its own.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN CNAME host.example.net.\nhost.example.net. 3600 IN A 192.0.2.1"},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1"},
		},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		if noMX(c) {
			return
		}
		for _, x := range s.MX.Value.Exchanges {
			if len(x.Alias) > 0 {
				c.Report(mxSubject(s, x), "%s is an alias of %s", x.Host, x.Alias[len(x.Alias)-1].Target).About(s, x.Host, resolve.TypeA)
			}
		}
	},
}
