package rules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dkim"
)

var dkimEd25519Only = audit.Rule{
	ID: "DKIM012", Slug: "dkim-ed25519-only", Severity: audit.Warning, Since: "0.1",
	Title: "The only DKIM keys known are Ed25519",
	Refs:  []audit.Ref{{RFC: 8463, Section: "6"}},
	Doc: audit.Doc{
		Impact: "Verifiers that do not know Ed25519, several large receivers among them, see unsigned mail.",
		Remedy: "Sign with an RSA key of 2048 bits as well, under a second selector: every message then has two signatures.",
		Bad:    []audit.Scenario{{Zone: signs + "ed._domainkey.example.org. 3600 IN TXT " + keyEd, Selectors: []string{"ed"}}},
		Good:   []audit.Scenario{{Zone: signs + "ed._domainkey.example.org. 3600 IN TXT " + keyEd + "\ns1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"ed", "s1"}}},
	},
	Check: func(c *audit.Case) {
		var ed []dkim.Result
		rsa := false
		eachKey(c, func(k dkim.Result, r dkim.Record) {
			if !r.Usable() {
				return
			}
			rsa = rsa || r.Key.Type == dkim.KeyRSA
			if r.Key.Type == dkim.KeyEd25519 {
				ed = append(ed, k)
			}
		})
		if rsa || len(ed) == 0 {
			return
		}
		var list []string
		for _, k := range ed {
			list = append(list, k.Selector)
		}
		f := c.Report(selectorSubject(ed[0]), "Ed25519 at %s, and no RSA key among the selectors known", strings.Join(list, ", "))
		if !givenSelector(c.Facts) {
			f.At(audit.Notice) // an RSA twin may stand under a selector that was not guessed
		}
	},
}
