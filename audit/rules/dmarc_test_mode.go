package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
)

var dmarcTestMode = audit.Rule{
	ID: "DMARC009", Slug: "dmarc-test-mode", Severity: audit.Warning, Needs: facts.DMARC, Since: "0.1",
	Title: "The DMARC record is in test mode",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.7"}, {RFC: 9989, Section: "A.6"}},
	Doc: audit.Doc{
		Impact: "With t=y receivers of today treat failing mail one level more mildly than the record says: reject counts as quarantine, and quarantine protects nothing. Older receivers do not know t and apply the policy as written.",
		Remedy: "Leave t=y only while you watch the reports for the next step, then take it out.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; p=quarantine; t=y; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=reject; t=y; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; sp=reject; t=y; rua=mailto:dmarc@example.org"),
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=reject; sp=quarantine; t=y; rua=mailto:dmarc@example.org")},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=quarantine; t=n; rua=mailto:dmarc@example.org"),
			// It lowers nothing.
			dmarcZone("v=DMARC1; p=none; t=y; rua=mailto:dmarc@example.org"),
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok || !d.rec.Testing {
			return
		}
		p := c.Facts.DMARC.Policy
		if p.Effect.Off || !p.Effect.Applies {
			c.NotApplicable("the policy is off")
			return
		}
		switch p.Value.Strength() {
		case 2:
			d.report("t", "%s=reject with t=y counts as quarantine for %s", p.Source, c.Facts.Domain).At(audit.Notice)
		case 1:
			d.report("t", "%s=quarantine with t=y protects nothing: failing mail of %s is delivered as if the policy were none", p.Source, c.Facts.Domain)
		default:
			if e := d.rec; e.P.Strength()+e.SP.Strength()+e.NP.Strength() > 0 {
				d.report("t", "t=y lowers the policy of subdomains: %s for those that exist, %s for others", lowered(p.Effect.SP), lowered(p.Effect.NP)).At(audit.Notice)
			}
		}
	},
}

// lowered is a policy after t=y in words.
func lowered(p dmarc.Policy) string {
	if p.Strength() == 0 {
		return "no protection"
	}
	return "counts as " + string(p)
}
