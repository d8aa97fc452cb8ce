package rules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfMisplaced = audit.Rule{
	ID: "SPF005", Slug: "spf-misplaced", Severity: audit.Error, Needs: facts.SPF, Since: "0.1",
	Title: "An SPF record stands at a name where no receiver looks",
	Refs:  []audit.Ref{{RFC: 7208, Section: "3", Level: audit.Must}, {RFC: 7208, Section: "4.4", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Receivers ask for the TXT records of the domain itself, without any prefix. They find no SPF record, so mail gets the result none, as if SPF had never been set up.",
		Remedy: "Publish the record at the domain itself. In many zone editors that is the name \"@\" or an empty name; a name written out in full needs a dot at its end, or the zone is appended once more.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1\n_spf.example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\""},
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1\nexample.org.example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\""},
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1\n*.example.org. 3600 IN TXT \"v=spf1 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 redirect=_spf.example.org\"\n_spf.example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\""},
			{Zone: "example.org. 3600 IN MX 0 .\n_spf.example.org. 3600 IN TXT \"no record\""},
		},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		if gone(c) {
			return
		}
		if s.SPF.State == resolve.Present {
			c.NotApplicable("there is an SPF record at the domain itself")
			return
		}
		found := spfElsewhere(s)
		if len(found) == 0 {
			return
		}
		m := found[0]
		if len(found) > 1 && found[0].Text == found[1].Text {
			c.Report(audit.TXT(m.Name), "%s, %s and other names below %s have the record \"%s\", as a wildcard gives it, but %s itself has none",
				m.Name, found[1].Name, s.Domain, spfText(m.Text), s.Domain).About(s, s.Domain, resolve.TypeTXT).
				Advise("A wildcard record answers for the names below %s and not for it. Publish a record at %s itself too.", s.Domain, s.Domain)
			return
		}
		for _, m := range found {
			c.Report(audit.TXT(m.Name), "%s has the record \"%s\"; receivers ask only for %s, which has none", m.Name, spfText(m.Text), m.Right).
				About(s, s.Domain, resolve.TypeTXT).
				Advise("Publish \"%s\" at %s, if that is what its mail leaves from.", m.Text, m.Right)
		}
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		found := spfElsewhere(s)
		// At _spf it may be there for others to include. A doubled zone is a slip.
		if len(found) != 1 || len(s.SPF.Near) > 0 || f.Subject.Name.String() != s.Domain.String()+"."+s.Domain.String() {
			return nil
		}
		if _, err := spf.Parse(found[0].Text); err != nil || strings.Contains(found[0].Text, "%") {
			return nil
		}
		return []fix.Edit{{Name: s.Domain, Type: resolve.TypeTXT, Op: fix.AddRecord, Value: found[0].Text,
			Why: "it stands at " + f.Subject.Name.String() + ", the zone appended twice"}}
	},
}

// spfElsewhere lists the SPF records at names below the domain.
func spfElsewhere(s *facts.Snapshot) (out []facts.Misplaced) {
	for _, m := range s.Misplaced {
		if m.Kind == "spf" {
			out = append(out, m)
		}
	}
	return out
}
