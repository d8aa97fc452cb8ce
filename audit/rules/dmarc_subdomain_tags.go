package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dmarcSubdomainTags = audit.Rule{
	ID: "DMARC018", Slug: "dmarc-subdomain-tags-ignored", Severity: audit.Notice, Since: "0.1",
	Title: "sp or np stand in a DMARC record where receivers ignore them",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.7"}, {RFC: 9989, Section: "4.10.1"}},
	Doc: audit.Doc{
		Impact: "sp and np count only in the record of the organizational domain. In a record below it they say nothing, and the names further down follow the organizational domain's record.",
		Remedy: "Take sp and np out of this record. Give the names below records of their own, or set sp in the organizational domain's record. If this part of the tree belongs to another organization, psd=n makes it an organizational domain.",
		Bad: []audit.Scenario{
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org") + dmarcAt("news.example.org", "v=DMARC1; p=reject; sp=reject; rua=mailto:dmarc@example.org")},
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org") + dmarcAt("news.example.org", "v=DMARC1; p=none; np=reject; rua=mailto:dmarc@example.org")},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=reject; sp=reject; rua=mailto:dmarc@example.org"),
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=none; sp=reject; rua=mailto:dmarc@example.org") + dmarcAt("news.example.org", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org")},
			// An organizational domain of its own.
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org") + dmarcAt("news.example.org", "v=DMARC1; p=reject; sp=reject; psd=n; rua=mailto:dmarc@example.org")},
			// sp of an inherited record counts.
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=none; sp=reject; rua=mailto:dmarc@example.org")},
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		disc := c.Facts.DMARC
		_, hasSP := d.rec.Tag("sp")
		_, hasNP := d.rec.Tag("np")
		switch org := disc.Organizational; {
		case !hasSP && !hasNP:
		case disc.Policy.Domain != c.Facts.Domain:
			c.NotApplicable("the record is that of the domain above, where sp and np count")
		case org.State != resolve.Present && disc.LegacyDomain == c.Facts.Domain:
			// Only names from the public suffix up are unknown. RFC 9989, Section 5.2: a
			// record there must say psd=y, and then this domain is organizational too.
		case org.State != resolve.Present:
			c.Unknown("whether %s is an organizational domain is unknown: %v", c.Facts.Domain, org.Err)
		case org.Domain != c.Facts.Domain:
			reportIgnored(d, disc, hasSP, hasNP)
		}
	},
	Repair: func(s *facts.Snapshot, _ audit.Finding) []fix.Edit {
		if s.Domain == s.DMARC.LegacyDomain {
			return nil // older receivers do use them here
		}
		return dmarcEdits(s, fix.Edit{Op: fix.DMARCRemoveTag, Term: "sp", Why: "sp has no effect below the organizational domain"},
			fix.Edit{Op: fix.DMARCRemoveTag, Term: "np", Why: "np has no effect below the organizational domain"})
	},
}

// reportIgnored warns if the names below have less protection than the tags
// make believe.
func reportIgnored(d dmarcCase, disc dmarc.Discovery, hasSP, hasNP bool) {
	terms := []string{}
	if hasSP {
		terms = append(terms, "sp")
	}
	if hasNP {
		terms = append(terms, "np")
	}
	org := disc.Organizational.Domain
	text := fmt.Sprintf("%s in the record of %s have no effect: names below follow %s", listed(terms), disc.Domain, org)
	weaker := false
	for _, s := range disc.Steps {
		if e := s.Record.Effect(); s.Usable && s.Domain == org && e.Applies {
			text += fmt.Sprintf(", which says %s for them", e.SP)
			weaker = e.SP.Strength() < d.rec.SP.Strength() || e.NP.Strength() < d.rec.NP.Strength()
		}
	}
	f := d.report("sp np", "%s", text)
	if weaker {
		f.At(audit.Warning)
	}
}
