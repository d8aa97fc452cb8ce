package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/spf"
)

// spfHeadroom is the number of lookups from which one more provider, or one more
// include at a provider, breaks the record.
const spfHeadroom = spf.MaxLookups - 1

var spfLookupHeadroom = audit.Rule{
	ID: "SPF020", Slug: "spf-lookup-headroom", Severity: audit.Notice, Needs: facts.SPF, Since: "0.1",
	Title: "SPF evaluation is close to the limit of 10 DNS lookups",
	Refs:  []audit.Ref{{RFC: 7208, Section: "4.6.4", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "None now. An included provider can add a lookup on any day without telling; the eleventh makes SPF end in permerror for senders that are listed late.",
		Remedy: "Remove includes that are no longer used or that send with a return-path of their own, and replace a and mx by ip4 and ip6 where the addresses are yours.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 a:h1.example.net a:h2.example.net a:h3.example.net a:h4.example.net a:h5.example.net a:h6.example.net a:h7.example.net a:h8.example.net a:h9.example.net -all\"\n" + spfHosts},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 a:h1.example.net a:h2.example.net a:h3.example.net a:h4.example.net a:h5.example.net a:h6.example.net a:h7.example.net a:h8.example.net -all\"\n" + spfHosts},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		a := c.Facts.SPF
		switch {
		case a.Lookups > spf.MaxLookups:
			c.NotApplicable("the limit is passed already: see SPF006")
		case a.Lookups >= spfHeadroom:
			c.Report(audit.TXT(c.Facts.Domain), "evaluation needs %d of the %d lookups that are allowed: %s", a.Lookups, spf.MaxLookups, spfCosts(root))
		default:
			spfOpen(c, recordLookup)
		}
	},
}
