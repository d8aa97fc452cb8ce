package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var domainAliasLoop = audit.Rule{
	ID: "DNS002", Slug: "dns-alias-loop", Severity: audit.Error, Since: "0.1",
	Title: "A CNAME chain never ends",
	Refs:  []audit.Ref{{RFC: 1034, Section: "3.6.2", Level: audit.Should}, {RFC: 2181, Section: "10.1"}},
	Doc: audit.Doc{
		Impact: "Every lookup of the name fails, for every receiver: what should stand there does not exist for anybody. For SPF that is a temporary error, so mail is deferred; a DKIM key or DMARC policy behind it is lost.",
		Remedy: "Let one of the aliases in the chain point to a name that has records, or remove the alias and publish the record itself.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1\n_dmarc.example.org. 3600 IN CNAME a.example.org.\na.example.org. 3600 IN CNAME b.example.org.\nb.example.org. 3600 IN CNAME a.example.org."},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:loop.example.org -all\"\nloop.example.org. 3600 IN CNAME loop.example.org."},
		},
		Good: []audit.Scenario{{Zone: "example.org. 3600 IN A 192.0.2.1\n_dmarc.example.org. 3600 IN CNAME d.example.net.\nd.example.net. 3600 IN TXT \"v=DMARC1; p=reject\""}},
	},
	Check: func(c *audit.Case) {
		for _, a := range c.Facts.Loops {
			f := c.Report(audit.Subject{Name: a.Question.Name, Type: a.Question.Type}, "%s", chainText(a))
			for _, x := range a.Chain[:min(len(a.Chain), 3)] {
				f.About(c.Facts, x.Name, resolve.TypeCNAME)
			}
		}
	},
}

// chainText describes a chain without end, shortened: it may be long.
func chainText(a resolve.Answer) string {
	text := "the aliases lead from " + a.Question.Name.String()
	for i, x := range a.Chain {
		if i == 4 {
			return fmt.Sprintf("%s and on (%d aliases followed)", text, len(a.Chain))
		}
		text += " to " + x.Target.String()
	}
	return text + ", without end"
}
