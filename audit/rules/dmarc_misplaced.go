package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dmarcMisplaced = audit.Rule{
	ID: "DMARC007", Slug: "dmarc-misplaced", Severity: audit.Error, Since: "0.1",
	Title: "The DMARC record is at a name where receivers do not look",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.5"}, gmailSenders, outlookSenders},
	Doc: audit.Doc{
		Impact: "Receivers ask for TXT records at _dmarc below the domain and nowhere else, so the domain has no policy: mail can be forged, no reports come, and Gmail and Outlook.com refuse bulk mail.",
		Remedy: "Publish the record at _dmarc below the domain. In many web forms the name to enter is just _dmarc, as the form appends the domain.",
		Bad: []audit.Scenario{
			{Zone: dmarcSends + "example.org. 3600 IN TXT \"v=DMARC1; p=none; rua=mailto:dmarc@example.org\"\n"},
			{Zone: dmarcSends + "dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=none; rua=mailto:dmarc@example.org\"\n"},
			{Zone: dmarcSends + "_dmarc.example.org.example.org. 3600 IN TXT \"v=DMARC1; p=none; rua=mailto:dmarc@example.org\"\n"},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org"),
			{Zone: dmarcSends + "example.org. 3600 IN TXT \"v=DMARC1; p=none\"\n" + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org")},
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		if d := c.Facts.DMARC; d.Policy.State == resolve.Unavailable && !dmarcNothingBelowSuffix(d) {
			c.Unknown("%s: %v", d.Policy.Why, d.Policy.Err)
			return
		}
		for _, m := range dmarcStray(c.Facts) {
			f := c.Report(audit.TXT(m.Name), "the record is at %s, receivers look for it at %s: %q", m.Name, m.Right, short(m.Text)).At(dmarcLost(c.Facts))
			f.Advise("Publish at %s, and delete it at %s: %s", m.Right, m.Name, m.Text)
			f.About(c.Facts, m.Right, resolve.TypeTXT)
		}
	},
	Repair: func(s *facts.Snapshot, _ audit.Finding) []fix.Edit {
		stray := dmarcStray(s)
		for _, m := range stray {
			rec, err := dmarc.Parse(m.Text)
			if err != nil || m.Text != stray[0].Text || rec.Has(dmarc.PolicyMissing, dmarc.PolicyInvalid, dmarc.DuplicateTag, dmarc.EmptyValue) {
				return nil
			}
		}
		return []fix.Edit{{Name: stray[0].Right, Type: resolve.TypeTXT, Op: fix.AddRecord, Value: stray[0].Text, Why: "receivers look for it here"}}
	},
}

// dmarcStray lists the DMARC records at names where nobody looks, one for each
// name.
func dmarcStray(s *facts.Snapshot) []facts.Misplaced {
	var out []facts.Misplaced
	seen := map[resolve.Name]bool{}
	for _, m := range s.Misplaced {
		if m.Kind == "dmarc" && !seen[m.Name] {
			seen[m.Name] = true
			out = append(out, m)
		}
	}
	return out
}
