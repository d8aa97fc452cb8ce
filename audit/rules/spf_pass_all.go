package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfPassAll = audit.Rule{
	ID: "SPF008", Slug: "spf-pass-all", Severity: audit.Error, Needs: facts.SPF, Since: "0.1",
	Title: "The SPF record lets every host on the Internet pass",
	Refs:  []audit.Ref{{RFC: 7208, Section: "5.1"}, {RFC: 7208, Section: "11.4"}},
	Doc: audit.Doc{
		Impact: "Anybody can send mail as this domain from anywhere with the result pass, which is also enough for a DMARC pass. Spammers look for such records; large receivers hold the mail that follows against the domain, and some treat the record as a sign of spam.",
		Remedy: "List the hosts that send, then end the record with \"~all\". An \"all\" without a sign means \"+all\". If the \"+all\" stands in an included record, remove that include.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 +all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 all\"\n_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=reject\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 +all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 redirect=spf.example.net\"\nspf.example.net. 3600 IN TXT \"v=spf1 all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 exists:example.net -all\"\nexample.net. 3600 IN A 192.0.2.1"},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ~all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ?all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 -include:spf.example.net ~all\"\nspf.example.net. 3600 IN TXT \"v=spf1 +all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all +all\""},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		for _, o := range spfOpenDoors(root) {
			f := c.Report(audit.TXT(o.node.Domain).WithTerm(spfText(o.text)), "%s in the record of %s%s matches every host, and the result is pass",
				spfText(o.text), o.node.Domain, spfReach(root, o.node.Domain)).About(c.Facts, root.Domain, resolve.TypeTXT)
			switch {
			case o.exists:
				f.Advise("Remove %s: the name it asks for does not depend on the sender, so it matches whoever sends.", spfText(o.text))
			case o.node == root:
				f.Advise("Make sure that the terms before it list every host that sends, then replace \"%s\" by \"~all\".", spfText(o.text))
			default:
				f.Advise("Remove %s, and list the addresses of that sender instead, if it is one.", spfText(o.way.Root.Text))
			}
		}
		spfOpen(c, recordLookup)
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		// Under an enforced DMARC policy, "+all" may be all that lets a sender's mail
		// through that nobody has listed. Without one, ~all refuses nothing.
		if !spfOwn(s, f) || len(s.SPF.Root.Syntax) > 0 || enforced(s) {
			return nil
		}
		r := s.SPF.Root.Record
		i := r.AllIndex()
		if i <= 0 || r.Terms[i].Qualifier != '+' || spfText(r.Terms[i].Text) != f.Subject.Term {
			return nil // nothing before it: then nobody would be listed
		}
		return []fix.Edit{spfEdit(s, fix.SPFSetAll, "", "~all", fmt.Sprintf("%s lets everybody pass", r.Terms[i].Text))}
	},
}

// enforced reports whether DMARC makes receivers act on mail that fails, or
// whether that is not known.
func enforced(s *facts.Snapshot) bool {
	p := s.DMARC.Policy
	return p.State == resolve.Unavailable || p.State == resolve.Present && p.Effective != dmarc.None
}

// spfDoor is a term that passes everybody.
type spfDoor struct {
	node   *spf.Node
	way    spfWay
	text   string
	exists bool
}

// spfOpenDoors finds the terms that pass everybody, one for each record.
func spfOpenDoors(root *spf.Node) (out []spfDoor) {
	seen := map[resolve.Name]bool{}
	spfWalk(root, func(n *spf.Node, w spfWay) {
		if !w.Pass || seen[n.Domain] {
			return
		}
		for i := range n.Terms {
			t, x := n.Record.Terms[i], &n.Terms[i]
			// RFC 7208, Section 5.7: exists matches when its name has any address.
			fixed := t.Kind == spf.Exists && x.State == resolve.Present && !x.Unevaluated
			if t.Qualifier == '+' && !x.Ignored && (t.Kind == spf.All && i == n.Record.AllIndex() || fixed) {
				seen[n.Domain] = true
				out = append(out, spfDoor{node: n, way: w, text: t.Text, exists: fixed})
				return
			}
		}
	})
	return out
}
