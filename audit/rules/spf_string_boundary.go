package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfStringBoundary = audit.Rule{
	ID: "SPF025", Slug: "spf-string-boundary", Severity: audit.Warning, Needs: facts.SPF, Since: "0.1",
	Title: "Two strings of the SPF record join into one term by mistake",
	Refs:  []audit.Ref{{RFC: 7208, Section: "3.3", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "The strings of one TXT record are joined with nothing between them. Without a space at the end of one or the start of the next, the last term of one and the first of the next become one name, which does not exist: neither of the two senders is listed.",
		Remedy: "Put a space at the end of the first string, or publish the record as one text and let the zone editor cut it.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 a:mail.example.org\" \"mx -all\"\nmail.example.org. 3600 IN A 192.0.2.2\nexample.org. 3600 IN MX 10 mail.example.org."},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net\" \"-all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 a:mail.exam\" \"ple.org ~al\" \"l\"\nmail.example.org. 3600 IN A 192.0.2.2"},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 a:mail.example.org \" \"mx -all\"\nmail.example.org. 3600 IN A 192.0.2.2\nexample.org. 3600 IN MX 10 mail.example.org."},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		for _, j := range spfJoints(c.Facts) {
			x := root.Terms[j.term]
			if x.State == resolve.Unavailable {
				c.Unknown("whether %s is a name: %v", x.Target, x.Err)
				continue
			}
			c.Report(audit.TXT(root.Domain).WithTerm(spfText(root.Record.Terms[j.term].Text)), "two strings of the record meet within %s, which leads to nothing; probably meant as \"%s\"",
				spfText(root.Record.Terms[j.term].Text), spfText(j.meant)).About(c.Facts, x.Target, resolve.TypeA).About(c.Facts, x.Target, resolve.TypeTXT).
				Advise("Put a space between the two strings: \"%s\".", spfText(j.meant))
		}
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		for _, j := range spfJoints(s) {
			if text := s.SPF.Root.Record.Terms[j.term].Text; spfText(text) == f.Subject.Term && s.SPF.Root.Terms[j.term].State == resolve.Absent {
				return []fix.Edit{spfEdit(s, fix.SPFReplaceTerm, text, j.meant, fmt.Sprintf("two strings meet in term %d without a space", j.term+1))}
			}
		}
		return nil
	},
}

// spfJoint is a term over the end of a string, of which both parts are terms.
type spfJoint struct {
	term  int
	meant string
}

// spfJoints finds the terms that lead to nothing and that a space at the end of
// a string would make two good ones. Where the joined text is no term at all, it
// is a syntax error (SPF003).
func spfJoints(s *facts.Snapshot) (out []spfJoint) {
	root := s.SPF.Root
	for _, at := range spfSeams(s.SPF.Answer, root.Text) {
		for i := range root.Terms {
			t, x := root.Record.Terms[i], &root.Terms[i]
			if t.Offset >= at || at >= t.End || t.Kind == spf.Invalid || x.State == resolve.Present || x.Unevaluated || x.Ignored {
				continue
			}
			left, right := root.Text[t.Offset:at], root.Text[at:t.End]
			if r, err := spf.Parse("v=spf1 " + left + " " + right); err == nil && len(r.Terms) == 2 && r.Terms[0].Kind != spf.Unknown && r.Terms[1].Kind != spf.Unknown {
				out = append(out, spfJoint{term: i, meant: left + " " + right})
			}
		}
	}
	return out
}
