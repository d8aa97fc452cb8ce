package rules

import (
	"fmt"
	"slices"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfDuplicate = audit.Rule{
	ID: "SPF023", Slug: "spf-duplicate", Severity: audit.Notice, Needs: facts.SPF, Since: "0.1",
	Title: "A term of the SPF record matches only what another one matches",
	Refs:  []audit.Ref{{RFC: 7208, Section: "4.6.2"}, {RFC: 7208, Section: "4.6.4"}},
	Doc: audit.Doc{
		Impact: "The first match decides, so of two terms for the same hosts one has no effect. A repeated include costs its lookups again, of which ten are allowed. Where the two terms have different signs, the later one is not what receivers go by.",
		Remedy: "Delete the term that the finding names. Where the signs differ, keep the one that is meant.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 include:spf.example.net ip4:192.0.2.1 include:SPF.example.net. -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.2 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.7 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 -ip4:192.0.2.0/24 ip4:192.0.2.7 ip4:198.51.100.1 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 a mx a mx a -all\"\nexample.org. 3600 IN A 192.0.2.1\nexample.org. 3600 IN MX 10 example.org."},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:a.example.net include:b.example.net -all\"\na.example.net. 3600 IN TXT \"v=spf1 include:b.example.net -all\"\nb.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 a mx a:example.org -all\"\nexample.org. 3600 IN A 192.0.2.1\nexample.org. 3600 IN MX 10 example.org."},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 exists:%{i}.example.org exists:%{I}.example.org -all\""},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		number := spfNumber{}
		at := func(text string) audit.Subject { return audit.TXT(root.Domain).WithTerm(number.term(text)) }
		terms := root.Record.Terms
		for _, o := range spfRedundant(root.Record) {
			cost := ""
			if o.Term < len(root.Terms) && root.Terms[o.Term].Lookups > 0 {
				cost = " and costs " + counted(root.Terms[o.Term].Lookups, "lookup") + " more"
			}
			how := "matches what %s, term %d, has matched"
			if o.Kind == spf.Covered {
				how = "lies within %s, term %d"
			}
			f := c.Report(at(o.Text), "%s, term %d, "+how+"%s", spfText(o.Text), o.Term+1, spfText(terms[o.Other].Text), o.Other+1, cost)
			if terms[o.Term].Qualifier != terms[o.Other].Qualifier {
				f.At(audit.Warning)
			}
		}
		for _, d := range spfReachedTwice(root) {
			c.Report(at(d.text), "%s is also reached through %s, so it costs its %s twice", spfText(d.text), spfText(d.through), counted(d.lookups, "lookup")).
				About(c.Facts, d.target, resolve.TypeTXT).
				Advise("Delete %s from your record if you are sure that the other include keeps it.", spfText(d.text))
		}
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		root := s.SPF.Root
		if len(root.Syntax) > 0 {
			return nil
		}
		var edits []fix.Edit
		number := spfNumber{}
		for _, o := range spfRedundant(root.Record) {
			if number.term(o.Text) == f.Subject.Term && spfRemovable(root.Record, o) {
				edits = append(edits, spfRepeated(s, o))
			}
		}
		return edits
	},
}

// spfRemovable reports whether the result for every sender stays the same without
// the term. If the wider network comes later, no term with another sign may
// stand between the two, and none that needs a lookup, which can fail.
func spfRemovable(r spf.Record, o spf.Observation) bool {
	for i := o.Term; i <= o.Other; i++ {
		if t := r.Terms[i]; t.Looks() || !t.IsModifier() && t.Qualifier != r.Terms[o.Term].Qualifier {
			return false
		}
	}
	return r.Terms[o.Other].Qualifier == r.Terms[o.Term].Qualifier
}

// spfRepeated is the edit that removes a repeated term. Two rules propose it, so
// it is the same for both.
func spfRepeated(s *facts.Snapshot, o spf.Observation) fix.Edit {
	return spfEdit(s, fix.SPFRemoveTerm, o.Text, "", fmt.Sprintf("term %d matches only what term %d matches", o.Term+1, o.Other+1))
}

// spfRedundant lists the terms that match only what another one matches: an
// earlier one, or a wider network with the same sign.
func spfRedundant(r spf.Record) (out []spf.Observation) {
	const most = 1000 // networks compared with each other
	listed := map[int]bool{}
	for _, o := range spfSeen(r, spf.Duplicate) {
		listed[o.Term] = true
		out = append(out, o)
	}
	var nets []int
	for i, t := range r.Terms {
		if t.Kind == spf.All || len(nets) == most {
			break
		}
		if t.Kind == spf.IP4 || t.Kind == spf.IP6 {
			nets = append(nets, i)
		}
	}
	for _, i := range nets {
		for _, j := range nets {
			t, e := r.Terms[i], r.Terms[j]
			if listed[i] || listed[j] || e.Prefix.Bits() >= t.Prefix.Bits() || !e.Prefix.Masked().Contains(t.Prefix.Addr()) || j > i && e.Qualifier != t.Qualifier {
				continue
			}
			listed[i] = true
			out = append(out, spf.Observation{Kind: spf.Covered, Term: i, Other: j, Text: t.Text})
		}
	}
	slices.SortFunc(out, func(a, b spf.Observation) int { return a.Term - b.Term })
	return out
}

// spfTwice is an include of the record that another of its includes contains.
type spfTwice struct {
	text, through string
	target        resolve.Name
	lookups       int
}

func spfReachedTwice(root *spf.Node) (out []spfTwice) {
	below := map[resolve.Name]string{} // name to the term of the record that leads there
	spfWalk(root, func(n *spf.Node, w spfWay) {
		if len(w.Via) > 2 && w.Pass && below[n.Domain] == "" {
			below[n.Domain] = w.Root.Text
		}
	})
	for i := range root.Terms {
		t, x := root.Record.Terms[i], &root.Terms[i]
		if t.Kind != spf.Include || t.Qualifier != '+' || x.Ignored || x.Child == nil || x.Child.Text == "" {
			continue
		}
		if through := below[x.Target]; through != "" && through != t.Text {
			out = append(out, spfTwice{text: t.Text, through: through, target: x.Target, lookups: x.Lookups})
		}
	}
	return out
}
