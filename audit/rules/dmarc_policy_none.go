package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dmarcPolicyNone = audit.Rule{
	ID: "DMARC012", Slug: "dmarc-policy-none", Severity: audit.Notice, Needs: facts.DMARC, Since: "0.1",
	Title: "The DMARC policy is none, so forged mail is delivered",
	Refs:  []audit.Ref{{RFC: 9989, Section: "5.4", Level: audit.Must}, {RFC: 9989, Section: "3.2.12"}},
	Doc: audit.Doc{
		Impact: "Receivers treat mail that fails as if there were no DMARC. That is the right first step while reports are read, and enough for what Gmail, Yahoo and Outlook.com demand; it protects nobody from forgeries.",
		Remedy: "Read the reports until all of your own mail passes, then publish p=quarantine, and later p=reject if your users do not write to mailing lists.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none"),
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org")},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=reject; rua=mailto:dmarc@example.org"),
			// Said by DMARC025, DMARC013 and DMARC009.
			{Zone: dmarcParks + dmarcAt("example.org", "v=DMARC1; p=none")},
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@example.org")},
			dmarcZone("v=DMARC1; p=quarantine; t=y; rua=mailto:dmarc@example.org"),
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		p := c.Facts.DMARC.Policy
		switch {
		case sendsNothing(c.Facts):
			c.NotApplicable("the domain sends no mail: see DMARC025")
		case p.State != resolve.Present || p.Effect.Off:
			c.NotApplicable("the record has no valid policy: see DMARC004 and DMARC005")
		case p.Value != dmarc.None:
		case p.Source != "p" && d.rec.P != dmarc.None:
			c.NotApplicable("the policy of the domain above is stronger than %s: see DMARC013", p.Source)
		case asksReports(d.rec): // or tries to: DMARC014 and DMARC017
			d.report(p.Source, "%s=none: failing mail is delivered, reports are asked for", p.Source)
		default:
			d.report(p.Source, "%s=none without rua: failing mail is delivered, and nobody learns of it", p.Source).At(audit.Warning).
				Advise("Add rua=mailto: with an address that you read, and act on the reports. A record that neither protects nor reports only meets the letter of what receivers demand.")
		}
	},
}
