package rules

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfVoidLimit = audit.Rule{
	ID: "SPF007", Slug: "spf-void-limit", Severity: audit.Warning, Needs: facts.SPF, Since: "0.1",
	Title: "More than 2 DNS lookups of SPF evaluation have no answer",
	Refs:  []audit.Ref{{RFC: 7208, Section: "4.6.4", Level: audit.Should}},
	Doc: audit.Doc{
		Impact: "Receivers may stop at the third lookup without an answer, and many do: the result is permerror for every sender that no earlier term lists.",
		Remedy: "Remove the terms whose names no longer exist or have no addresses, or correct the names.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 a:old1.example.org a:old2.example.org mx:old3.example.org ip4:192.0.2.1 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 a mx include:spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 a:old.example.net ip4:192.0.2.1 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 a:old1.example.org a:old2.example.org ip4:192.0.2.1 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 a:h1.example.net a:h2.example.net a:h3.example.net a:h4.example.net -all\"\n" + spfHosts},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 exists:%{i}.a.example.org exists:%{i}.b.example.org exists:%{i}.c.example.org -all\""},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		list, n, own := spfVoids(root)
		if n <= spf.MaxVoids {
			spfOpen(c, voidLookup)
			return
		}
		f := c.Report(audit.TXT(c.Facts.Domain), "%d lookups have no answer, %d are allowed: %s", n, spf.MaxVoids, strings.Join(list, ", "))
		for _, q := range own {
			f.About(c.Facts, q.Name, q.Type)
		}
	},
}

// spfVoids lists the terms whose lookups have no answer, and counts those
// lookups. An include without a record is not among them: it is an error of its
// own (SPF011).
func spfVoids(root *spf.Node) (list []string, n int, asked []resolve.Question) {
	const most = 12
	spfWalk(root, func(node *spf.Node, _ spfWay) {
		for i := range node.Terms {
			t, x := node.Record.Terms[i], &node.Terms[i]
			if x.Voids == 0 || t.Kind == spf.Include || t.Kind == spf.Redirect {
				continue
			}
			n += x.Voids
			if len(list) > most {
				continue
			}
			text := fmt.Sprintf("%s of %s", spfText(t.Text), node.Domain)
			if x.Voids > 1 {
				text += fmt.Sprintf(" (%d)", x.Voids)
			}
			if len(list) == most {
				text = "..."
			}
			list = append(list, text)
			for _, a := range x.Answers {
				if len(a.Records) == 0 {
					asked = append(asked, a.Question)
				}
			}
		}
	})
	return list, n, asked
}
