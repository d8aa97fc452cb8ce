package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfNeutralAll = audit.Rule{
	ID: "SPF009", Slug: "spf-neutral-all", Severity: audit.Warning, Needs: facts.SPF, Since: "0.1",
	Title: "The SPF record says nothing about hosts it does not list",
	Refs:  []audit.Ref{{RFC: 7208, Section: "8.2", Level: audit.Must}, {RFC: 7208, Section: "5.1"}},
	Doc: audit.Doc{
		Impact: "A receiver must treat neutral like no SPF at all, so mail that strangers send as this domain is not told apart by SPF. Mail from the listed hosts passes as usual.",
		Remedy: "Once all senders are listed, end the record with \"~all\". Together with DKIM and a DMARC policy that is as strong as \"-all\" and does not break forwarded mail.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ?all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 redirect=spf.example.net\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ?all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ~all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net ~all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ?all\""},
		},
	},
	Check: func(c *audit.Case) {
		if spfRecord(c) == nil {
			return
		}
		n, open := spfEnd(c)
		if n == nil || open {
			return
		}
		i := n.Record.AllIndex()
		if i < 0 || n.Record.Terms[i].Qualifier != '?' {
			return
		}
		text := n.Record.Terms[i].Text
		f := c.Report(audit.TXT(n.Domain).WithTerm(text), "the record of %s%s ends with %s: a host that it does not list gets neutral",
			n.Domain, spfReach(c.Facts.SPF.Root, n.Domain), text)
		if r, err := n.Record.SetAll('~'); n == c.Facts.SPF.Root && err == nil {
			f.Advise("If the record lists all senders, publish it as \"%s\"", r.Text)
		}
	},
}

// spfEnd is the record whose end decides about hosts that nothing lists: the
// domain's own, or the one it redirects to. It is nil where a redirect leads to
// no record, and open, which it notes, where that is not known.
func spfEnd(c *audit.Case) (n *spf.Node, open bool) {
	for n = c.Facts.SPF.Root; n != nil; {
		i := n.Record.RedirectIndex()
		if n.Record.AllIndex() >= 0 || i < 0 {
			return n, false
		}
		if i >= len(n.Terms) || n.Terms[i].Unevaluated || n.Terms[i].Skipped {
			c.Unknown("where %s leads depends on the sender, or was not looked up", spfText(n.Record.Terms[i].Text))
			return nil, true
		}
		x := &n.Terms[i]
		if x.Child == nil || x.Child.Text == "" || x.Child.Loop {
			if x.Child != nil && x.Err != nil && len(c.Facts.SPF.Unknown) > 0 {
				spfOpen(c, recordLookup)
			}
			return nil, false
		}
		n = x.Child
	}
	return nil, false
}
