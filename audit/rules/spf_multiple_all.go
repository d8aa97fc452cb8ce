package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfMultipleAll = audit.Rule{
	ID: "SPF017", Slug: "spf-multiple-all", Severity: audit.Warning, Needs: facts.SPF, Since: "0.1",
	Title: "The SPF record has more than one \"all\"",
	Refs:  []audit.Ref{{RFC: 7208, Section: "5.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Only the first \"all\" counts. A stricter one behind it has no effect, so hosts that are not listed get the result of the first.",
		Remedy: "Keep one \"all\", at the end of the record.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ~all -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all ip4:192.0.2.2 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ~all\""},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		number := spfNumber{}
		first := root.Record.AllIndex()
		for _, i := range spfSecondAll(root.Record) {
			text := root.Record.Terms[i].Text
			f := c.Report(audit.TXT(root.Domain).WithTerm(number.term(text)), "term %d is a further %s; the first is %s, term %d", i+1, text, root.Record.Terms[first].Text, first+1)
			if root.Record.Terms[i].Qualifier == root.Record.Terms[first].Qualifier {
				f.At(audit.Notice)
			}
		}
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		var edits []fix.Edit
		for _, i := range spfSecondAll(s.SPF.Root.Record) {
			edits = append(edits, spfEdit(s, fix.SPFRemoveTerm, s.SPF.Root.Record.Terms[i].Text, "", fmt.Sprintf("term %d is ignored: an all stands before it", i+1)))
		}
		return edits
	},
}

func spfSecondAll(r spf.Record) (out []int) {
	for _, o := range r.Lint() {
		if o.Kind == spf.SecondAll {
			out = append(out, o.Term)
		}
	}
	return out
}
