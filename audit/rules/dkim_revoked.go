package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dkim"
)

var dkimRevoked = audit.Rule{
	ID: "DKIM005", Slug: "dkim-revoked", Severity: audit.Error, Since: "0.1",
	Title: "The key of a selector in use is revoked",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.6.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "An empty p= says that the key is no longer valid: every signature made with this selector fails, old mail included.",
		Remedy: "Switch the signer to a selector whose key is published. If the key was emptied by mistake, make a new key under a new selector rather than bringing the old one back.",
		Bad:    []audit.Scenario{{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1; p="`, Selectors: []string{"s1"}}},
		Good: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
			// A retired key that nobody was said to use is as it should be.
			{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1; p="` + "\ns2._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s2"}},
			// So is the wildcard by which a parked domain revokes every key.
			{Zone: "example.org. 3600 IN TXT \"v=spf1 -all\"\nexample.org. 3600 IN MX 0 .\n*._domainkey.example.org. 3600 IN TXT \"v=DKIM1; p=\""},
		},
	},
	Check: func(c *audit.Case) {
		eachKey(c, func(k dkim.Result, r dkim.Record) {
			if k.Given && r.Key.Revoked {
				c.Report(selectorSubject(k), "p= is empty at selector %s", k.Selector)
			}
		})
	},
}
