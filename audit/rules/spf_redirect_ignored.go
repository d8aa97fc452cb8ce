package rules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfRedirectIgnored = audit.Rule{
	ID: "SPF012", Slug: "spf-redirect-ignored", Severity: audit.Warning, Needs: facts.SPF, Since: "0.1",
	Title: "The redirect of the SPF record is ignored because of its \"all\"",
	Refs:  []audit.Ref{{RFC: 7208, Section: "6.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "A receiver does not look at the redirect when the record has \"all\" anywhere. Mail from hosts that only the target of the redirect lists gets the result of \"all\".",
		Remedy: "If the hosts behind the redirect send, write it as an include before \"all\"; otherwise delete it.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 redirect=spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.2 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all redirect=spf.example.net\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.2 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 redirect=spf.example.net ip4:192.0.2.1\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.2 -all\""},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		for _, o := range spfSeen(root.Record, spf.RedirectIgnored) {
			t := root.Record.Terms[o.Term]
			f := c.Report(audit.TXT(root.Domain).WithTerm(spfText(o.Text)), "%s has no effect beside %s", spfText(o.Text), root.Record.Terms[o.Other].Text)
			if spfIncludes(root.Record, t.Domain) {
				f.At(audit.Notice).Advise("Delete %s: an include of the same name is there already.", spfText(o.Text))
			} else {
				f.Advise("Write it as \"include:%s\" before %s if the hosts behind it send; otherwise delete it.", spfText(t.Domain), root.Record.Terms[o.Other].Text)
			}
		}
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		r := s.SPF.Root.Record
		i := r.RedirectIndex()
		if i < 0 || !spfIncludes(r, r.Terms[i].Domain) {
			return nil // were its hosts to send? Only a person can tell
		}
		return []fix.Edit{spfEdit(s, fix.SPFRemoveTerm, r.Terms[i].Text, "", "ignored beside all; an include of the same name is there")}
	},
}

// spfIncludes reports whether the record includes the name before its all.
func spfIncludes(r spf.Record, name string) bool {
	for _, t := range r.Terms {
		switch {
		case t.Kind == spf.All:
			return false
		case t.Kind == spf.Include && t.Qualifier == '+' && strings.EqualFold(t.Domain, name):
			return true
		}
	}
	return false
}
