package rules

import (
	"errors"
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfVoidTerm = audit.Rule{
	ID: "SPF026", Slug: "spf-void-term", Severity: audit.Notice, Needs: facts.SPF, Since: "0.1",
	Title: "A term of the SPF record names a host without an address",
	Refs:  []audit.Ref{{RFC: 7208, Section: "5"}, {RFC: 7208, Section: "4.6.4"}},
	Doc: audit.Doc{
		Impact: "The term matches nobody. If its name is mistyped, the host that is meant is not listed. It costs one of ten lookups and one of the two that may go without an answer.",
		Remedy: "Correct the name, or remove the term.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 a:old.example.org ip4:192.0.2.1 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 mx ip4:192.0.2.1 -all\"\nexample.org. 3600 IN A 192.0.2.1"},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 mx:example.net -all\"\nexample.net. 3600 IN MX 10 mail.example.net.\nexample.net. 3600 IN MX 20 old.example.net.\nmail.example.net. 3600 IN A 192.0.2.1"},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 a:six.example.org a:four.example.org -all a:old.example.org\"\nsix.example.org. 3600 IN AAAA 2001:db8::1\nfour.example.org. 3600 IN A 192.0.2.1"},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 exists:%{i}.allow.example.org ip4:192.0.2.1 -all\""},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		if _, n, _ := spfVoids(root); n > spf.MaxVoids {
			c.NotApplicable("more lookups than allowed have no answer: see SPF007")
			return
		}
		number := spfNumber{}
		joint := map[int]bool{}
		for _, j := range spfJoints(c.Facts) {
			joint[j.term] = true
		}
		for i := range root.Terms {
			t, x := root.Record.Terms[i], &root.Terms[i]
			if t.Kind != spf.A && t.Kind != spf.MX && t.Kind != spf.Exists || x.Ignored || joint[i] {
				continue
			}
			why := ""
			switch {
			case x.Target.IsZero() && !x.Unevaluated:
				why = "its target is no name that can be looked up"
			case x.Voids == 0 || len(x.Hosts) > 0 && x.Target == root.Domain:
				continue // what is wrong with the domain's own MX hosts, the MX rules say
			case len(x.Hosts) > 0:
				why = spfDeadHosts(x)
			case t.Kind == spf.MX:
				why = fmt.Sprintf("%s has no MX record", x.Target)
			case errors.Is(x.Err, resolve.ErrNXDomain):
				why = fmt.Sprintf("%s does not exist (NXDOMAIN)", x.Target)
			default:
				why = fmt.Sprintf("%s has no address", x.Target)
			}
			f := c.Report(audit.TXT(root.Domain).WithTerm(number.term(t.Text)), "%s: %s", spfText(t.Text), why)
			for _, a := range x.Answers {
				f.About(c.Facts, a.Question.Name, a.Question.Type)
			}
		}
		spfOpen(c, func(c *audit.Case, q resolve.Question) bool { return q.Type != resolve.TypeTXT && voidLookup(c, q) })
	},
}

// spfDeadHosts names the MX hosts of a term that have no address.
func spfDeadHosts(x *spf.TermInfo) string {
	alive := map[resolve.Name]bool{}
	for _, a := range x.Answers {
		if len(a.Records) > 0 {
			alive[a.Question.Name] = true
		}
	}
	for _, h := range x.Hosts {
		if !alive[h] {
			return fmt.Sprintf("the MX host %s has no address", h)
		}
	}
	return "an MX host has no address"
}
