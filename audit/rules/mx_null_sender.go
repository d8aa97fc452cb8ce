package rules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var mxNullSender = audit.Rule{
	ID: "MX007", Slug: "mx-null-sender", Severity: audit.Error, Needs: facts.MX | facts.SPF, Since: "0.1",
	Title: "A domain that sends mail says with a null MX that it takes none",
	Refs:  []audit.Ref{{RFC: 7505, Section: "4.2", Level: audit.Should}},
	Doc: audit.Doc{
		Impact: "Receivers refuse mail from a domain that no reply and no bounce can reach: \"550 5.7.27 Sender address has null MX\".",
		Remedy: "Give the domain an MX that takes mail. If it sends nothing, publish the SPF record v=spf1 -all and no DKIM keys.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN MX 0 .\nexample.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN MX 0 .\nexample.org. 3600 IN TXT \"v=spf1 -all\""},
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1\nexample.org. 3600 IN TXT \"v=spf1 mx -all\""},
		},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		if noMX(c) {
			return
		}
		m := s.MX.Value
		if m.NullMX() && len(m.Exchanges) == 1 && s.Kind == facts.Sends {
			c.Report(audit.Subject{Name: s.Domain, Type: resolve.TypeMX}, "null MX, yet the domain sends: %s", strings.Join(s.KindReason, "; ")).
				About(s, s.Domain, resolve.TypeTXT)
		}
	},
}
