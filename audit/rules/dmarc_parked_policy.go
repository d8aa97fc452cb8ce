package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dmarcParked = audit.Rule{
	ID: "DMARC025", Slug: "dmarc-parked-policy", Severity: audit.Warning, Needs: facts.DMARC, Since: "0.1",
	Title: "A domain that sends no mail does not have its mail rejected",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.7"}, {RFC: 7208, Section: "10.1.2"}},
	Doc: audit.Doc{
		Impact: "The domain says in its SPF record that it sends nothing, so all mail in its name is forged. Without p=reject receivers deliver it, or file it as spam at most, as SPF says nothing about the From field.",
		Remedy: "Publish v=DMARC1; p=reject; sp=reject; np=reject. There is no mail of your own that this could harm.",
		Bad: []audit.Scenario{
			{Zone: dmarcParks + dmarcAt("example.org", "v=DMARC1; p=none")},
			{Zone: dmarcParks + dmarcAt("example.org", "v=DMARC1; p=quarantine")},
			// It takes mail, but sends none.
			{Zone: "example.org. 3600 IN TXT \"v=spf1 -all\"\nexample.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\n" + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org")},
			{Domain: "old.example.org", Zone: dmarcSends + "old.example.org. 3600 IN TXT \"v=spf1 -all\"\nold.example.org. 3600 IN MX 0 .\n" + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org")},
		},
		Good: []audit.Scenario{
			{Zone: dmarcParks + dmarcAt("example.org", "v=DMARC1; p=reject; sp=reject; np=reject")},
			{Domain: "old.example.org", Zone: dmarcSends + "old.example.org. 3600 IN TXT \"v=spf1 -all\"\nold.example.org. 3600 IN MX 0 .\n" + dmarcAt("example.org", "v=DMARC1; p=none; sp=reject; rua=mailto:dmarc@example.org")},
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org"),
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		p := c.Facts.DMARC.Policy
		switch {
		case !sendsNothing(c.Facts):
			c.NotApplicable("the domain is not known to send no mail")
		case p.State != resolve.Present || p.Effect.Off || p.Testing:
			c.NotApplicable("the record has no valid policy, or is in test mode: see DMARC004, DMARC005 and DMARC009")
		case p.Effective == dmarc.Reject:
		default:
			f := d.report(p.Source, "%s=%s, though the domain's SPF record lets nobody send", p.Source, p.Value)
			if p.Effective == dmarc.Quarantine || c.Facts.Kind == facts.Receives {
				f.At(audit.Notice)
			}
		}
	},
	// A domain that neither sends nor receives has no mail that could be lost.
	Repair: func(s *facts.Snapshot, _ audit.Finding) []fix.Edit {
		switch {
		case s.Kind != facts.Parked:
			return nil
		case s.DMARC.Policy.Domain == s.Domain:
			return dmarcEdits(s, fix.Edit{Op: fix.DMARCSetTag, Term: "p", Value: "reject", Why: "the domain sends no mail"})
		}
		return []fix.Edit{{Name: dmarcOwner(s.Domain), Type: resolve.TypeTXT, Op: fix.AddRecord, Value: "v=DMARC1; p=reject", Why: "the domain sends no mail"}}
	},
}
