package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfHELO = audit.Rule{
	ID: "SPF028", Slug: "spf-helo-name", Severity: audit.Notice, Needs: facts.MX | facts.SPF, Since: "0.1",
	Title: "A mail host of the domain has no SPF record for its own name",
	Refs:  []audit.Ref{{RFC: 7208, Section: "2.3", Level: audit.Should}, {RFC: 7208, Section: "10.1.3", Level: audit.Should}},
	Doc: audit.Doc{
		Impact: "A host names itself in HELO, and bounces have no other sender: receivers check SPF for that name and get none. SPF is never inherited from the domain above, so the name can be used by forgers too.",
		Remedy: "Publish \"v=spf1 a -all\" at the host's own name, if the host sends mail. A host that only receives does not need it.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 mx -all\"\nexample.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1"},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 mx -all\"\nexample.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1\nmail.example.org. 3600 IN TXT \"v=spf1 a -all\""},
			// The MX of a provider is the provider's business, and one that the SPF record
			// does not let send has no need of a record.
			{Zone: "example.org. 3600 IN TXT \"v=spf1 mx -all\"\nexample.org. 3600 IN MX 10 mx.example.net.\nmx.example.net. 3600 IN A 192.0.2.1"},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:198.51.100.1 -all\"\nexample.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1"},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		if !namesMX(root.Record) {
			c.NotApplicable("nothing says that the MX hosts send mail")
			return
		}
		for _, x := range facts.OwnHosts(c.Facts.Domain, c.Facts.MX.Value) {
			o, ok := c.Facts.Seen(resolve.Question{Name: x, Type: resolve.TypeTXT})
			switch {
			case !ok:
			case resolve.StateOf(o.Err) == resolve.Unavailable:
				c.Unknown("the SPF record of the host %s is unknown: %v", x, o.Err)
			case !hasSPF(o.Answer):
				c.Report(audit.TXT(x), "%s sends for %s by the term mx and has no SPF record of its own", x, c.Facts.Domain)
			}
		}
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		return []fix.Edit{{Name: f.Subject.Name, Type: resolve.TypeTXT, Op: fix.AddRecord, Value: "v=spf1 a -all", Why: "the host names itself so in HELO"}}
	},
}

// namesMX reports whether the record lets the domain's own MX hosts send.
func namesMX(r spf.Record) bool {
	for _, t := range r.Terms {
		if t.Kind == spf.All {
			return false
		}
		if t.Kind == spf.MX && t.Qualifier == '+' && t.Domain == "" {
			return true
		}
	}
	return false
}

func hasSPF(a resolve.Answer) bool {
	for _, t := range a.TXT() {
		if len(spf.Select([]string{t.Joined()}).Records) > 0 {
			return true
		}
	}
	return false
}
