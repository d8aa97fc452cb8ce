package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dkim"
)

var dkimWeakKey = audit.Rule{
	ID: "DKIM006", Slug: "dkim-weak-key", Severity: audit.Warning, Since: "0.1",
	Title: "A DKIM key has a length that verifiers refuse or advise against",
	Refs:  []audit.Ref{{RFC: 8301, Section: "3.2", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Verifiers must not accept RSA keys under 1024 bits: the mail counts as unsigned. Keys of 1024 bits still work and are within reach of a well-funded forger. Over 4096 bits, verifiers need not support the key.",
		Remedy: "Make a new RSA key of 2048 bits, publish it under a new selector, switch the signer to it, and empty the old record after a week.",
		Bad: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key1024, Selectors: []string{"s1"}},
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key512, Selectors: []string{"s1"}},
		},
		Good: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + keyEd + "\ns2._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1", "s2"}},
		},
	},
	Check: func(c *audit.Case) {
		eachKey(c, func(k dkim.Result, r dkim.Record) {
			_, off := problem(r, dkim.KeySize)
			switch {
			case !off:
			case r.Key.Bits < 1024:
				c.Report(selectorSubject(k), "the RSA key of selector %s has %d bits, fewer than the 1024 that verifiers must ask for", k.Selector, r.Key.Bits).At(audit.Error)
			case r.Key.Bits < 2048:
				c.Report(selectorSubject(k), "the RSA key of selector %s has %d bits; 2048 are advised", k.Selector, r.Key.Bits)
			default:
				c.Report(selectorSubject(k), "the RSA key of selector %s has %d bits; verifiers must support 4096 at most", k.Selector, r.Key.Bits)
			}
		})
	},
}
