package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfPTR = audit.Rule{
	ID: "SPF013", Slug: "spf-ptr", Severity: audit.Warning, Needs: facts.SPF, Since: "0.1",
	Title: "The SPF record uses ptr or the macro p",
	Refs:  []audit.Ref{{RFC: 7208, Section: "5.5", Level: audit.Should}, {RFC: 7208, Section: "7.2", Level: audit.Should}},
	Doc: audit.Doc{
		Impact: "Some receivers do not evaluate ptr at all, so mail from hosts that only it would match fails there. It costs a lookup, is slow, and fails when the reverse DNS of the sender's network does.",
		Remedy: "List the addresses or host names of the senders with ip4, ip6 or a, and remove ptr.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ptr -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 PTR:example.net exists:%{p}.example.org ~all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ptr -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 a:ptr.example.org -all ptr\"\nptr.example.org. 3600 IN A 192.0.2.2"},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		number := spfNumber{}
		spfWalk(root, func(n *spf.Node, w spfWay) {
			if n.Repeated {
				return
			}
			for _, o := range spfSeen(n.Record, spf.UsesPTR) {
				f := c.Report(audit.TXT(n.Domain).WithTerm(number.term(o.Text)), "%s in the record of %s%s depends on reverse DNS",
					spfText(o.Text), n.Domain, spfReach(root, n.Domain))
				if n != root {
					f.At(audit.Notice).Advise("The record is that of a provider: nothing is to be done here but to tell them.")
				}
			}
		})
	},
}
