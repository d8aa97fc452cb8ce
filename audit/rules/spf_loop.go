package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfLoop = audit.Rule{
	ID: "SPF014", Slug: "spf-loop", Severity: audit.Error, Needs: facts.SPF, Since: "0.1",
	Title: "An include or redirect of the SPF record leads back to itself",
	Refs:  []audit.Ref{{RFC: 7208, Section: "4.6.4", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Evaluation goes round until the limit of 10 lookups and ends with permerror for every sender that no term before it lists. DMARC counts permerror as a failure.",
		Remedy: "Remove the include that leads back: everything in that record has been looked at already, so it can add nothing.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 include:example.org ~all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 include:example.org -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 redirect=example.org\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:a.example.net include:b.example.net -all\"\na.example.net. 3600 IN TXT \"v=spf1 include:c.example.net -all\"\nb.example.net. 3600 IN TXT \"v=spf1 include:c.example.net -all\"\nc.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ~all include:example.org\""},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		for _, p := range c.Facts.SPF.Problems {
			if !errors.Is(p.Err, spf.ErrLoop) {
				continue
			}
			way := spfWay{}
			spfWalk(root, func(n *spf.Node, w spfWay) {
				if n.Loop && n.Domain == p.Target && len(way.Via) == 0 && len(w.Via) > 1 && w.Via[len(w.Via)-2] == p.Domain {
					way = w
				}
			})
			f := c.Report(audit.TXT(p.Domain).WithTerm(spfText(p.Text)), "%s in the record of %s leads back to %s: %s",
				spfText(p.Text), p.Domain, p.Target, way).About(c.Facts, root.Domain, resolve.TypeTXT)
			if p.Domain == root.Domain {
				f.Advise("Remove %s from the record.", spfText(p.Text))
			} else {
				f.Advise("Remove %s from your record, or have the operator of %s remove %s from theirs.", spfText(way.Root.Text), p.Domain, spfText(p.Text))
			}
		}
		spfOpen(c, recordLookup)
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		if !spfOwn(s, f) {
			return nil
		}
		var edits []fix.Edit
		for _, p := range s.SPF.Problems {
			// Only an include of the domain itself: it can match nothing that the
			// record does not match by itself.
			if errors.Is(p.Err, spf.ErrLoop) && p.Domain == s.Domain && p.Target == s.Domain && !strings.Contains(p.Text, "=") {
				edits = append(edits, spfEdit(s, fix.SPFRemoveTerm, p.Text, "", fmt.Sprintf("the record includes itself, term %d", p.Term+1)))
			}
		}
		return edits
	},
}
