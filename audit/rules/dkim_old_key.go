package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// maxKeyYears is the age from which a key is called old. Senders' associations
// advise to rotate every six to twelve months.
const maxKeyYears = 2

var dkimOldKey = audit.Rule{
	ID: "DKIM016", Slug: "dkim-old-key", Severity: audit.Notice, Since: "0.1",
	Title: "By the date in its selector, a DKIM key is more than two years old",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.1"}, {RFC: 6376, Section: "8.3"}},
	Doc: audit.Doc{
		Impact: "Mail is delivered. The longer a key signs, the more machines and backups have held a copy of it, and whoever has one signs as the domain until the record goes.",
		Remedy: "Rotate the key: \"mailcheck dkim rotate start\" leads through publishing a new one, switching the signer and retiring the old one without losing a signature.",
		Bad: []audit.Scenario{
			{Zone: signs + "mc202310._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"mc202310"}},
			{Zone: signs + "s2019-06._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s2019-06"}},
		},
		Good: []audit.Scenario{
			{Zone: signs + "mc202611._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"mc202611"}},
			// A year may mean its last day.
			{Zone: signs + "2024._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"2024"}},
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
			// What is retired has no age.
			{Zone: signs + "mc201906._domainkey.example.org. 3600 IN TXT \"v=DKIM1; p=\"\ns1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"mc201906", "s1"}},
			// Behind an alias the provider rotates.
			{Zone: signs + "mc201906._domainkey.example.org. 3600 IN CNAME k.vendor.example.\nk.vendor.example. 3600 IN TXT " + key2048, Selectors: []string{"mc201906"}},
		},
	},
	Check: func(c *audit.Case) {
		eachKey(c, func(k dkim.Result, r dkim.Record) {
			if !r.Usable() || k.Target != (resolve.Name{}) {
				return
			}
			if made, ok := dkim.SelectorDate(k.Selector, c.Facts.At); ok && c.Facts.At.After(made.AddDate(maxKeyYears, 0, 0)) {
				c.Report(selectorSubject(k), "selector %s is dated %s", k.Selector, made.Format("January 2006"))
			}
		})
	},
}
