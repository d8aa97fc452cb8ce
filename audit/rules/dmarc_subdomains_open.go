package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dmarcSubdomainsOpen = audit.Rule{
	ID: "DMARC013", Slug: "dmarc-subdomains-open", Severity: audit.Warning, Since: "0.1",
	Title: "Subdomains have a weaker DMARC policy than the domain",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.7"}, {RFC: 9989, Section: "3.2.9"}},
	Doc: audit.Doc{
		Impact: "Forgers write from a subdomain, real or invented, and their mail is delivered though the domain itself is protected. BIMI does not count such a domain as protected either.",
		Remedy: "Take sp and np out once the mail of all subdomains passes, or set them to the policy of the domain. np=reject is safe early: names that do not exist send no mail.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=reject; np=none; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=reject; sp=quarantine; rua=mailto:dmarc@example.org"),
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@example.org")},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=reject; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=quarantine; sp=quarantine; np=reject; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; sp=none; rua=mailto:dmarc@example.org"),
			// Below the organizational domain sp has no effect: DMARC018.
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org") + dmarcAt("news.example.org", "v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@example.org")},
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		disc := c.Facts.DMARC
		switch {
		case disc.Policy.Effect.Off || !disc.Policy.Effect.Applies:
			c.NotApplicable("the policy is off: see DMARC004 and DMARC005")
			return
		case disc.Organizational.State == resolve.Present && disc.Policy.Domain == c.Facts.Domain && disc.Organizational.Domain != c.Facts.Domain:
			c.NotApplicable("the record is below the organizational domain, so its sp and np have no effect")
			return
		}
		sp, np := d.rec.SP, d.rec.NP
		if sp == "" {
			sp = d.rec.P
		}
		if np == "" {
			np = sp
		}
		if sp.Strength() < d.rec.P.Strength() {
			reportOpen(d, "sp", sp, "subdomains that exist")
		}
		if np.Strength() < min(sp.Strength(), d.rec.P.Strength()) || d.rec.NP != "" && d.rec.SP == "" && np.Strength() < d.rec.P.Strength() {
			reportOpen(d, "np", np, "subdomains that do not exist")
		}
	},
}

func reportOpen(d dmarcCase, tag string, has dmarc.Policy, what string) {
	text := fmt.Sprintf("%s=%s leaves %s weaker than the domain with p=%s", tag, has, what, d.rec.P)
	if tag == "sp" && d.rec.NP == "" {
		text += ", and those that do not exist too"
	}
	f := d.report(tag, "%s", text)
	if has != dmarc.None {
		f.At(audit.Notice)
	}
}
