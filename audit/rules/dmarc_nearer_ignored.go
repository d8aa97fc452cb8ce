package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// dmarcBetween is a domain with a record between it and its organizational
// domain.
const dmarcBetween = dmarcSends + dmarcSub + dmarcSubSub

var dmarcNearerIgnored = audit.Rule{
	ID: "DMARC021", Slug: "dmarc-nearer-record-ignored", Severity: audit.Warning, Needs: facts.DMARC, Since: "0.1",
	Title: "A nearer DMARC record is not the one that applies",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.10.1"}, {RFC: 9989, Section: "4.10.2"}},
	Doc: audit.Doc{
		Impact: "A domain without a record of its own follows its organizational domain, not the next domain above that has one. The record in between governs its own name alone, so mail of the names below gets another policy than it seems to ask for, and its owner gets no reports about them.",
		Remedy: "Publish a record at the domain itself. If the domain in between is another organization, psd=n in its record makes it the organizational domain of the names below.",
		Bad: []audit.Scenario{
			{Domain: "a.news.example.org", Zone: dmarcBetween + dmarcAt("news.example.org", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org") + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org")},
			{Domain: "a.news.example.org", Zone: dmarcBetween + dmarcAt("news.example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org") + dmarcAt("example.org", "v=DMARC1; p=none; sp=reject; rua=mailto:dmarc@example.org")},
		},
		Good: []audit.Scenario{
			{Domain: "a.news.example.org", Zone: dmarcBetween + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org")},
			{Domain: "a.news.example.org", Zone: dmarcBetween + dmarcAt("news.example.org", "v=DMARC1; p=reject; psd=n; rua=mailto:dmarc@example.org") + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org")},
			{Domain: "news.example.org", Zone: dmarcBetween + dmarcAt("news.example.org", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org") + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org")},
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		d := c.Facts.DMARC
		p := d.Policy
		if p.State != resolve.Present || p.Domain == c.Facts.Domain {
			c.NotApplicable("the domain inherits no record")
			return
		}
		for _, s := range d.Steps {
			if !s.Usable || s.Chosen || s.Domain == p.Domain || p.Domain.Within(s.Domain) {
				continue
			}
			text := fmt.Sprintf("the record of %s (p=%s) governs that name alone: %s follows %s with %s=%s", s.Domain, s.Record.P, c.Facts.Domain, p.Domain, p.Source, p.Value)
			f := c.Report(audit.TXT(s.Name), "%s", text).About(c.Facts, dmarcOwner(p.Domain), resolve.TypeTXT)
			f.Advise("To have that policy, publish at %s: %s", dmarcOwner(c.Facts.Domain), s.Record)
			if e := s.Record.Effect(); e.SP == p.Effective {
				f.At(audit.Notice)
			}
		}
	},
}
