package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dmarcGenerations = audit.Rule{
	ID: "DMARC019", Slug: "dmarc-generations-differ", Severity: audit.Warning, Needs: facts.DMARC, Since: "0.1",
	Title: "Receivers of RFC 9989 and of RFC 7489 treat the domain differently",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.10"}, {RFC: 9989, Section: "11.8"}, {RFC: 7489, Section: "3.2"}},
	Doc: audit.Doc{
		Impact: "Receivers are moving from RFC 7489, which finds the organizational domain in a list of public suffixes, to RFC 9989, which finds it by walking up the DNS. Where the two find another record or another organization, the same mail passes at one receiver and is refused at the next.",
		Remedy: "Publish a DMARC record at the organizational domain and one at every domain that stands in a From field. psd=n in a record says that its domain is an organizational domain.",
		Bad: []audit.Scenario{
			// Without a record at example.org the subdomain is an organization of its
			// own under RFC 9989, so a signature of example.org is not aligned.
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("news.example.org", "v=DMARC1; p=reject; rua=mailto:dmarc@news.example.org")},
			// RFC 7489 goes straight to example.org, RFC 9989 stops at psd=n.
			{Domain: "a.news.example.org", Zone: dmarcSends + dmarcSub + dmarcSubSub + dmarcAt("news.example.org", "v=DMARC1; p=reject; psd=n; rua=mailto:dmarc@example.org") + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org")},
			// A record between the two is found by the walk only.
			{Domain: "a.news.example.org", Zone: dmarcSends + dmarcSub + dmarcSubSub + dmarcAt("news.example.org", "v=DMARC1; p=reject; rua=mailto:dmarc@news.example.org")},
			// A record at the public suffix itself, without psd=y.
			{Zone: dmarcSends + dmarcAt("example.org", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org") + dmarcAt("org", "v=DMARC1; p=none")},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=reject; sp=none; np=reject; rua=mailto:dmarc@example.org"),
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org") + dmarcAt("news.example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org")},
			// Said by DMARC002, DMARC008, DMARC009 and DMARC005.
			{Zone: dmarcSends + dmarcAt("example.org", "v=DMARC1; p=none") + dmarcAt("example.org", "v=DMARC1; p=reject")},
			dmarcZone("v=DMARC1; p=reject; pct=20; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=reject; pct=0; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=reject; t=y; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=reject; np=rejct; rua=mailto:dmarc@example.org"),
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		d := c.Facts.DMARC
		at := audit.TXT(dmarcOwner(c.Facts.Domain))
		if !d.Policy.Domain.IsZero() {
			at = audit.TXT(dmarcOwner(d.Policy.Domain))
		}
		if d.Policy.State == resolve.Absent && d.Legacy.State == resolve.Absent {
			c.NotApplicable("neither finds a policy")
			return
		}
		policy := d.Legacy.State != resolve.Unavailable && !saidElsewhere(d)
		if d.Legacy.State == resolve.Unavailable {
			c.Unknown("what receivers that follow RFC 7489 find is unknown: %v", d.Legacy.Err)
		}
		if now, old := dmarcOutcome(d.Policy), dmarcOutcome(d.Legacy); policy && now != old {
			f := c.Report(at.WithTerm("policy"), "receivers that follow RFC 9989 find %s, those that follow RFC 7489 find %s", now, old)
			f.About(c.Facts, dmarcOwner(d.LegacyDomain), resolve.TypeTXT)
			if d.Policy.Effective == d.Legacy.Effective && d.Policy.State == d.Legacy.State {
				f.At(audit.Notice)
			}
			return // another organization is then the cause
		}
		if d.Organizational.State == resolve.Present && d.Organizational.Domain != d.LegacyDomain && !ordinaryPSD(d) {
			f := c.Report(at.WithTerm("organizational domain"),
				"%s belongs to %s under RFC 9989 and to %s under RFC 7489: signatures and MAIL FROM of other names of the organization are aligned under one and not under the other",
				c.Facts.Domain, d.Organizational.Domain, d.LegacyDomain)
			f.About(c.Facts, dmarcOwner(d.LegacyDomain), resolve.TypeTXT)
			if d.Policy.Effective.Strength() == 0 {
				f.At(audit.Notice)
			}
		}
	},
}

// dmarcOutcome says which record a generation of receivers finds and what it asks for.
func dmarcOutcome(a dmarc.Applied) string {
	if a.State != resolve.Present {
		return "no policy"
	}
	return fmt.Sprintf("%s from the record of %s", a.Effective, a.Domain)
}

// saidElsewhere reports whether another rule names the cause already: several
// records, no valid policy, test mode, pct or np.
func saidElsewhere(d dmarc.Discovery) bool {
	for _, s := range dmarcSteps(d) {
		if s.Several != nil {
			return true
		}
	}
	if d.Policy.Domain != d.Legacy.Domain {
		return false
	}
	rec := d.Policy.Record
	return rec.Testing || rec.Percent < 100 || rec.Has(dmarc.PolicyMissing, dmarc.PolicyInvalid) || d.Policy.Tag == "np"
}
