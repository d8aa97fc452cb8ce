package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfUnaligned = audit.Rule{
	ID: "SPF029", Slug: "spf-include-unaligned", Severity: audit.Notice, Needs: facts.SPF, Since: "0.1",
	Title: "The SPF record includes a provider that never sends with the domain's envelope",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.4.2"}, {RFC: 7208, Section: "2.4"}},
	Doc: audit.Doc{
		Impact: "The provider sends with a return-path of its own, so receivers never look at your SPF record for its mail. The include helps neither SPF nor DMARC, costs a lookup, and lets the provider's other customers pass SPF in your name.",
		Remedy: "Sign with DKIM at the provider: that is what makes its mail pass DMARC. Then remove the include, once the DMARC reports show that no mail with your envelope comes from there.",
		Bad:    []audit.Scenario{{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 include:zcsend.net -all\"\nzcsend.net. 3600 IN TXT \"v=spf1 ip4:198.51.100.0/24 -all\""}},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 include:_spf.google.com -all\"\n_spf.google.com. 3600 IN TXT \"v=spf1 ip4:198.51.100.0/24 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 include:unknown.example -all\"\nunknown.example. 3600 IN TXT \"v=spf1 ip4:198.51.100.0/24 -all\""},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		for _, t := range root.Terms {
			term := root.Record.Terms[t.Index]
			if term.Kind != spf.Include || t.Ignored || t.Target.IsZero() {
				continue
			}
			if p, ok := providers.ByInclude(t.Target); ok && p.AlignedSPF == providers.Impossible {
				c.Report(audit.TXT(root.Domain).WithTerm(term.Text), "%s is for %s, whose mail has an envelope domain of its own", spfText(term.Text), p.Name)
			}
		}
	},
}
