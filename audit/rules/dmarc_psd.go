package rules

import (
	"golang.org/x/net/publicsuffix"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dmarcPSD = audit.Rule{
	ID: "DMARC020", Slug: "dmarc-psd", Severity: audit.Error, Since: "0.1",
	Title: "The DMARC record says that an ordinary domain is a public suffix",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.7"}, {RFC: 9989, Section: "4.10.2"}},
	Doc: audit.Doc{
		Impact: "psd=y makes every name one label below an organization of its own. Mail from example.org signed by mail.example.org, or sent with such a MAIL FROM, is then no longer aligned, fails DMARC and is treated by the policy.",
		Remedy: "Take psd=y out, unless the names below belong to other organizations. psd=n says that the domain is an organizational domain.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; p=reject; psd=y; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; psd=y; rua=mailto:dmarc@example.org"),
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=reject; psd=y; rua=mailto:dmarc@example.org") + dmarcAt("news.example.org", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org")},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=reject; psd=n; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=reject; psd=u; rua=mailto:dmarc@example.org"),
			// A public suffix.
			{Zone: dmarcSends + dmarcAt("example.org", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org") + dmarcAt("org", "v=DMARC1; p=none; psd=y")},
			{Domain: "example.co.uk", Zone: "example.co.uk. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\n" + dmarcAt("co.uk", "v=DMARC1; p=none; psd=y")},
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		for _, s := range c.Facts.DMARC.Steps {
			switch {
			case publicSuffix(s.Domain):
			case s.State == resolve.Unavailable:
				c.Unknown("the TXT records at %s could not be read: %v", s.Name, s.Err)
			case s.Usable && s.Record.PSD == "y":
				f := c.Report(audit.TXT(s.Name).WithTerm("psd"), "psd=y at %s: mail.%s and %s are two organizations for receivers, and not aligned with each other", s.Name, s.Domain, s.Domain)
				if c.Facts.DMARC.Policy.Effective.Strength() == 0 {
					f.At(audit.Warning)
				}
			}
		}
	},
}

// publicSuffix reports whether registrants have names below the name.
func publicSuffix(n resolve.Name) bool {
	suffix, _ := publicsuffix.PublicSuffix(n.String())
	return suffix == n.String()
}

// ordinaryPSD reports whether DMARC020 has something to say.
func ordinaryPSD(d dmarc.Discovery) bool {
	for _, s := range d.Steps {
		if s.Usable && s.Record.PSD == "y" && !publicSuffix(s.Domain) {
			return true
		}
	}
	return false
}
