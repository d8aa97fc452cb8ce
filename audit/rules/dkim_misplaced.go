package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
)

var dkimMisplaced = audit.Rule{
	ID: "DKIM014", Slug: "dkim-misplaced", Severity: audit.Error, Since: "0.1",
	Title: "A DKIM key stands where no verifier looks for it",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.6.2.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Verifiers ask for SELECTOR._domainkey.DOMAIN and find nothing there, so signatures fail.",
		Remedy: "Move the record to the name that verifiers ask for. In most zone editors the name is entered without the domain at its end: SELECTOR._domainkey.",
		Bad: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
			{Zone: signs + "s1.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
		},
		Good: []audit.Scenario{{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}}},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		for _, m := range c.Facts.Misplaced {
			if m.Kind == "dkim" {
				c.Report(audit.TXT(m.Name), "the key stands at %s; verifiers look at %s", m.Name, m.Right).
					Advise("Publish this record at %s, and remove it here.", m.Right)
			}
		}
	},
}
