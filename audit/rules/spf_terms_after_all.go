package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfTermsAfterAll = audit.Rule{
	ID: "SPF016", Slug: "spf-terms-after-all", Severity: audit.Warning, Needs: facts.SPF, Since: "0.1",
	Title: "The SPF record has terms after \"all\", which are ignored",
	Refs:  []audit.Ref{{RFC: 7208, Section: "5.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Evaluation ends at \"all\". Mail from hosts that only the terms behind it list gets the result of \"all\": it fails or is junked.",
		Remedy: "Move the terms before \"all\" if those hosts send, or delete them.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ~all include:spf.example.net\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.2 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all ip4:192.0.2.1\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all exp=explain.example.org\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net ~all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.2 -all\""},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		number := spfNumber{}
		all := root.Record.AllIndex()
		for _, o := range spfLate(root.Record) {
			f := c.Report(audit.TXT(root.Domain).WithTerm(number.term(o.Text)), "%s stands after %s and is ignored", spfText(o.Text), root.Record.Terms[all].Text)
			if spfStands(root.Record, o.Term) {
				f.At(audit.Notice).Advise("Delete it: the same term stands before %s already.", root.Record.Terms[all].Text)
			}
		}
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		var edits []fix.Edit
		for _, o := range spfLate(s.SPF.Root.Record) {
			if spfStands(s.SPF.Root.Record, o.Term) && spfText(o.Text) == f.Subject.Term {
				edits = append(edits, spfEdit(s, fix.SPFRemoveTerm, o.Text, "", fmt.Sprintf("term %d is ignored after all, and stands before it too", o.Term+1)))
			}
		}
		return edits
	},
}

func spfLate(r spf.Record) (out []spf.Observation) {
	for _, o := range r.Lint() {
		if o.Kind == spf.AfterAll {
			out = append(out, o)
		}
	}
	return out
}

// spfStands reports whether a late term stands before all as well, written alike.
func spfStands(r spf.Record, late int) bool {
	for _, t := range r.Terms[:r.AllIndex()] {
		if t.Text == r.Terms[late].Text {
			return true
		}
	}
	return false
}
