package rules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfNoAll = audit.Rule{
	ID: "SPF010", Slug: "spf-no-all", Severity: audit.Warning, Needs: facts.SPF, Since: "0.1",
	Title: "The SPF record has neither \"all\" nor \"redirect\" at its end",
	Refs:  []audit.Ref{{RFC: 7208, Section: "4.7", Level: audit.Should}},
	Doc: audit.Doc{
		Impact: "A host that the record does not list gets neutral, which a receiver must treat like no SPF at all: mail that strangers send as this domain is not told apart. Mail from the listed hosts passes as usual.",
		Remedy: "Once all senders are listed, end the record with \"~all\"; a domain that sends no mail ends it with \"-all\".",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 redirect=spf.example.net\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ~all exp=explain.example.org\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 redirect=spf.example.net ip4:192.0.2.1\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.2 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1\""},
		},
	},
	Check: func(c *audit.Case) {
		if spfRecord(c) == nil {
			return
		}
		n, open := spfEnd(c)
		if n == nil || open || n.Record.AllIndex() >= 0 {
			return
		}
		if len(n.Syntax) > 0 {
			if r, err := n.Record.Repair(); err != nil || r.AllIndex() >= 0 || r.RedirectIndex() >= 0 {
				c.NotApplicable("the record has syntax errors, of which one may be its end: see SPF003")
				return
			}
		}
		for _, o := range spfSeen(n.Record, spf.LikelyMistake) {
			if strings.HasSuffix(o.Suggestion, "all") {
				c.NotApplicable("text is glued to its end: see SPF018")
				return
			}
		}
		f := c.Report(audit.TXT(n.Domain), "the record of %s%s ends without all or redirect: a host that it does not list gets neutral",
			n.Domain, spfReach(c.Facts.SPF.Root, n.Domain))
		if n != c.Facts.SPF.Root {
			return
		}
		end := spf.Qualifier('~')
		if !spfLists(n.Record) {
			end = '-'
		}
		if r, err := n.Record.SetAll(end); err == nil {
			f.Advise("If the record lists all senders, publish it as \"%s\"", r.Text)
		}
	},
}

// spfLists reports whether a record lists any sender.
func spfLists(r spf.Record) bool {
	for _, t := range r.Terms {
		if !t.IsModifier() && t.Kind != spf.All && t.Kind != spf.Invalid {
			return true
		}
	}
	return false
}
