package rules

import (
	"errors"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfMXNames = audit.Rule{
	ID: "SPF019", Slug: "spf-mx-names", Severity: audit.Error, Needs: facts.SPF, Since: "0.1",
	Title: "An mx of the SPF record stands for more than 10 hosts",
	Refs:  []audit.Ref{{RFC: 7208, Section: "4.6.4", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Evaluation of the mx mechanism ends with permerror for every sender that no earlier term lists. DMARC counts permerror as a failure.",
		Remedy: "Replace mx by ip4 and ip6 terms with the addresses that send, which often are other ones than those that receive.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.100 mx -all\"\n" + spfMXHosts + "example.org. 3600 IN MX 10 h11.example.net.\nh11.example.net. 3600 IN A 192.0.2.11\n" + spfHosts},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.100 mx -all\"\n" + spfMXHosts + spfHosts},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		for _, p := range c.Facts.SPF.Problems {
			if !errors.Is(p.Err, spf.ErrTooManyMX) {
				continue
			}
			n := 0
			spfWalk(root, func(node *spf.Node, _ spfWay) {
				if node.Domain == p.Domain && p.Term < len(node.Terms) {
					n = max(n, len(node.Terms[p.Term].Hosts))
				}
			})
			c.Report(audit.TXT(p.Domain).WithTerm(spfText(p.Text)), "%s in the record of %s%s stands for the %d MX hosts of %s; %d are allowed",
				spfText(p.Text), p.Domain, spfReach(root, p.Domain), n, p.Target, spf.MaxNames).
				About(c.Facts, p.Target, resolve.TypeMX)
		}
		spfOpen(c, mxLookup)
	},
}

// spfMXHosts names the ten hosts of spfHosts.
const spfMXHosts = "example.org. 3600 IN MX 10 h1.example.net.\nexample.org. 3600 IN MX 10 h2.example.net.\nexample.org. 3600 IN MX 10 h3.example.net.\nexample.org. 3600 IN MX 10 h4.example.net.\nexample.org. 3600 IN MX 10 h5.example.net.\n" +
	"example.org. 3600 IN MX 10 h6.example.net.\nexample.org. 3600 IN MX 10 h7.example.net.\nexample.org. 3600 IN MX 10 h8.example.net.\nexample.org. 3600 IN MX 10 h9.example.net.\nexample.org. 3600 IN MX 10 h10.example.net.\n"
