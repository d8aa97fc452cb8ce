package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dkimWildcard = audit.Rule{
	ID: "DKIM009", Slug: "dkim-wildcard", Severity: audit.Notice, Since: "0.1",
	Title: "A wildcard answers for every selector",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.6.2.1"}, {RFC: 4592, Section: "4.1"}},
	Doc: audit.Doc{
		Impact: "Verifiers find a text at selectors that nobody set up. If it is a key, its owner can sign as the domain under any selector; if it is other text, a forgotten selector fails with a syntax error instead of \"no key\", which is harder to notice.",
		Remedy: "Restrict the wildcard so that it does not cover _domainkey, or leave it if it revokes every key of a domain that sends no mail (v=DKIM1; p=).",
		Bad: []audit.Scenario{
			{Zone: signs + "*.example.org. 3600 IN TXT \"v=spf1 -all\"\nx._domainkey.example.org. 3600 IN A 192.0.2.1\n*._domainkey.example.org. 3600 IN TXT \"v=spf1 -all\""},
			{Zone: signs + "*._domainkey.example.org. 3600 IN TXT " + key2048},
		},
		Good: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 -all\"\nexample.org. 3600 IN MX 0 .\n*._domainkey.example.org. 3600 IN TXT \"v=DKIM1; p=\""},
		},
	},
	Check: func(c *audit.Case) {
		d := c.Facts.DKIM
		switch {
		case gone(c):
		case d.Random.Name.IsZero():
			c.NotApplicable("no selector was guessed, so no wildcard could mislead")
		case d.Random.State == resolve.Unavailable:
			c.Unknown("whether a wildcard answers is unknown: %v", d.Random.Err)
		case d.Wildcard() && !revoked(d.Random):
			text := ""
			if len(d.Random.Texts) > 0 {
				text = " with " + quoteShort(d.Random.Texts[0])
			}
			at := audit.TXT(d.Domainkey.Name).WithTerm("*")
			f := c.Report(at, "a selector made up at random answers%s", text).About(c.Facts, d.Random.Name, resolve.TypeTXT)
			if d.Random.Usable() {
				f.At(audit.Warning)
			}
		}
	},
}

func revoked(k dkim.Result) bool { return len(k.Records) == 1 && k.Records[0].Key.Revoked }
