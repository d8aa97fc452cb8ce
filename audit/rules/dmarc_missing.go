package rules

import (
	"slices"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dmarcMissing = audit.Rule{
	ID: "DMARC001", Slug: "dmarc-missing", Severity: audit.Error, Since: "0.1",
	Title: "No DMARC policy applies to the domain",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.10.1"}, gmailSenders, outlookSenders},
	Doc: audit.Doc{
		Impact: "Anybody can send mail in the domain's name and nobody reports it. Gmail refuses or delays bulk mail without a policy (550 5.7.40), Outlook.com refuses it (550 5.7.515), and Yahoo asks for one too.",
		Remedy: "Publish a TXT record at _dmarc below the domain: \"v=DMARC1; p=none; rua=mailto:\" with an address that you read. p=none changes nothing for your mail; tighten it once the reports show that all of it passes. A domain that sends no mail gets \"v=DMARC1; p=reject; sp=reject; np=reject\".",
		Bad: []audit.Scenario{
			{Zone: dmarcSends},
			{Zone: dmarcParks},
			// The parent has none either.
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub},
			// The alias leads to a name without a record.
			{Zone: dmarcSends + "_dmarc.example.org. 3600 IN CNAME example-org.reports.example.net.\n"},
			// A wildcard answers with an SPF record.
			{Zone: dmarcSends + "*.example.org. 3600 IN TXT \"v=spf1 -all\"\n"},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org"),
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org")},
			{Zone: dmarcSends + "_dmarc.example.org. 3600 IN CNAME example-org.reports.example.net.\nexample-org.reports.example.net. 3600 IN TXT \"v=DMARC1; p=none; rua=mailto:dmarc@example.org\"\n"},
			// Said by DMARC002, DMARC005, DMARC006 and DMARC007.
			{Zone: dmarcSends + dmarcAt("example.org", "v=DMARC1; p=none") + dmarcAt("example.org", "v=DMARC1; p=reject")},
			dmarcZone("v=DMARC1; p=rejekt"),
			dmarcZone("v=dmarc1; p=none"),
			{Zone: dmarcSends + "dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=none\"\n"},
		},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		d := s.DMARC
		if gone(c) || d.Policy.State == resolve.Present {
			return
		}
		if d.Policy.State == resolve.Unavailable && !dmarcNothingBelowSuffix(d) {
			c.Unknown("%s: %v", d.Policy.Why, d.Policy.Err)
			return
		}
		if !d.Policy.Domain.IsZero() {
			c.NotApplicable("a record is there, but its policy is not valid: see DMARC005")
			return
		}
		for _, step := range dmarcSteps(d) {
			if step.Several != nil {
				c.NotApplicable("there are several records: see DMARC002")
				return
			}
			if slices.ContainsFunc(step.Misses, dmarcMeant) {
				c.NotApplicable("a text is there that receivers do not recognize: see DMARC006")
				return
			}
		}
		if len(dmarcStray(s)) > 0 {
			c.NotApplicable("the record is at a name where nobody looks for it: see DMARC007")
			return
		}
		reportMissing(c, d)
	},
	// p=none asks receivers for nothing, so it cannot harm mail, and it is what
	// the large receivers demand. For a parked domain all mail is forged.
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		top := s.Domain == s.DMARC.LegacyDomain
		e := fix.Edit{Name: f.Subject.Name, Type: resolve.TypeTXT, Op: fix.AddRecord}
		switch {
		case s.Kind == facts.Parked && top:
			e.Value, e.Why = "v=DMARC1; p=reject; sp=reject; np=reject", "the domain sends no mail"
		case s.Kind == facts.Parked:
			e.Value, e.Why = "v=DMARC1; p=reject", "the domain sends no mail"
		case s.Kind != facts.Receives && top:
			e.Value, e.Why = "v=DMARC1; p=none", "receivers ask for a policy; none changes nothing for mail"
			if takesMail(s) {
				// RFC 5321, Section 4.5.1: a server that takes mail takes it for postmaster.
				e.Value += "; rua=mailto:postmaster@" + s.Domain.String()
			}
		default:
			return nil // for a subdomain, the record of the domain above is the better place
		}
		return []fix.Edit{e}
	},
}

// dmarcNothingBelowSuffix reports that neither the domain nor its organization
// has a record, though whether a public suffix above has one is unknown. RFC
// 9989, Section 10: such a record is a registry's, not the domain's own, and
// receivers that follow RFC 7489 never look at it.
func dmarcNothingBelowSuffix(d dmarc.Discovery) bool {
	for _, s := range d.Steps {
		if s.State == resolve.Unavailable && !publicSuffix(s.Domain) {
			return false
		}
	}
	return d.Legacy.State == resolve.Absent
}

// takesMail reports whether the domain is known to have MX hosts.
func takesMail(s *facts.Snapshot) bool {
	return s.MX.State == resolve.Present && !s.MX.Value.NullMX()
}

func reportMissing(c *audit.Case, d dmarc.Discovery) {
	s, own := c.Facts, d.Steps[0]
	at := audit.TXT(dmarcOwner(s.Domain))
	var f *audit.Finding
	switch {
	case len(own.Answer.Chain) > 0:
		f = c.Report(at, "%s is an alias of %s, where there is no DMARC record", own.Name, own.Answer.Owner())
		f.Advise("Have a DMARC record published at %s by whoever runs it, or replace the alias by a record of your own.", own.Answer.Owner())
	case s.Domain != d.LegacyDomain:
		f = c.Report(at, "no DMARC record at %s, nor at any name above it", at.Name)
		f.Advise("Publish a TXT record at %s: it covers %s and all other names below. \"v=DMARC1; p=none; rua=mailto:dmarc@%s\" changes nothing for mail and brings reports, if that address takes mail.",
			dmarcOwner(d.LegacyDomain), s.Domain, d.LegacyDomain)
		f.About(s, dmarcOwner(d.LegacyDomain), resolve.TypeTXT)
	case s.Kind == facts.Parked:
		f = c.Report(at, "no DMARC record at %s, so mail can be forged in the name of a domain that sends none", at.Name)
		f.Advise("Publish at %s: v=DMARC1; p=reject; sp=reject; np=reject", at.Name)
	case s.Kind == facts.Receives:
		f = c.Report(at, "no DMARC record at %s, though its SPF record says that it sends no mail", at.Name)
		f.Advise("Publish at %s, if the domain really sends no mail: v=DMARC1; p=reject; rua=mailto:dmarc@%s (with an address that you read).", at.Name, s.Domain)
	case !takesMail(s):
		f = c.Report(at, "no DMARC record at %s", at.Name)
		f.Advise("Publish at %s: v=DMARC1; p=none, and add \"; rua=mailto:\" with an address that you read, as nothing shows that %s itself takes mail: reports come daily and are large. Without rua the record is legal and satisfies receivers, but you learn nothing.%s", at.Name, s.Domain, parkInstead(s))
	default:
		f = c.Report(at, "no DMARC record at %s", at.Name)
		f.Advise("Publish at %s: v=DMARC1; p=none; rua=mailto:postmaster@%s, or another address that you read: reports come daily and are large. Without rua the record is legal and satisfies receivers, but you learn nothing.", at.Name, s.Domain)
	}
	f.At(dmarcLost(s))
}
