package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dkim"
)

var dkimPrivateKey = audit.Rule{
	ID: "DKIM011", Slug: "dkim-private-key", Severity: audit.Error, Since: "0.1",
	Title: "A private key is published in DNS",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.6.1", Level: audit.Must}, {RFC: 6376, Section: "8.3"}},
	Doc: audit.Doc{
		Impact: "Everybody can read the key and sign mail as the domain. The key does not verify anything, so your own mail counts as unsigned.",
		Remedy: "Treat the key as lost: make a new pair under a new selector, publish its public half, switch the signer, and remove this record now.",
		Bad:    []audit.Scenario{{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1; k=rsa; p=-----BEGIN RSA PRIVATE KEY-----MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu-----END RSA PRIVATE KEY-----"`, Selectors: []string{"s1"}}},
		Good:   []audit.Scenario{{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}}},
	},
	Check: func(c *audit.Case) {
		eachKey(c, func(k dkim.Result, r dkim.Record) {
			if _, ok := problem(r, dkim.PrivateExposed); ok {
				c.Report(selectorSubject(k), "the record of selector %s holds a private key", k.Selector)
			}
		})
	},
}
