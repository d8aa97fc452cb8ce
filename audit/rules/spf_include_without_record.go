package rules

import (
	"errors"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfIncludeWithoutRecord = audit.Rule{
	ID: "SPF011", Slug: "spf-include-without-record", Severity: audit.Error, Needs: facts.SPF, Since: "0.1",
	Title: "An include or redirect leads to a name without an SPF record",
	Refs:  []audit.Ref{{RFC: 7208, Section: "5.2", Level: audit.Must}, {RFC: 7208, Section: "6.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Evaluation ends there with permerror for every sender that no earlier term lists, which DMARC counts as a failure. If the name is free to register, whoever registers it decides which hosts may send as this domain.",
		Remedy: "Remove the term if the provider is no longer used; otherwise write the name that the provider documents today. A term inside somebody else's record is for them to repair: tell them, or remove the include that leads there.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:gone.example.net ip4:192.0.2.1 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:www.example.net -all\"\nwww.example.net. 3600 IN A 192.0.2.1\nwww.example.net. 3600 IN TXT \"hello\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 redirect=gone.example.net\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 include:gone.example.com -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net-all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all include:gone.example.net\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 include:%{d}._spf.example.net exists:gone.example.net -all\"\nexample.org._spf.example.net. 3600 IN TXT \"v=spf1 -all\""},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		number := spfNumber{}
		for _, p := range c.Facts.SPF.Problems {
			what := ""
			switch {
			case errors.Is(p.Err, spf.ErrTarget):
				what = "its target is no name that can be looked up"
			case !errors.Is(p.Err, spf.ErrNoRecord):
				continue
			case errors.Is(p.Err, resolve.ErrNXDomain):
				what = p.Target.String() + " does not exist (NXDOMAIN); if its domain is free to register, a stranger can register it and let anybody send"
			case errors.Is(p.Err, resolve.ErrNoData):
				what = p.Target.String() + " has no TXT record"
			default:
				what = p.Target.String() + " has TXT records but none is SPF"
			}
			f := c.Report(audit.TXT(p.Domain).WithTerm(number.term(p.Text)), "%s in the record of %s%s: %s",
				spfText(p.Text), p.Domain, spfReach(root, p.Domain), what).About(c.Facts, root.Domain, resolve.TypeTXT)
			if !p.Target.IsZero() {
				f.About(c.Facts, p.Target, resolve.TypeTXT)
			}
			if left, end, found := spfGluedAll(p.Text); found {
				f.Advise("A space is missing: write \"%s %s\".", left, end)
			}
		}
		spfOpen(c, recordLookup)
	},
}

// spfGluedAll finds the all in "include:spf.example.net-all": a name may contain
// hyphens, so that is no syntax error.
func spfGluedAll(term string) (left, end string, found bool) {
	if i := len(term) - len("-all"); i > 0 && strings.EqualFold(term[i:], "-all") && strings.ContainsAny(term[:i], ":=") {
		return spfText(term[:i]), term[i:], true
	}
	return "", "", false
}
