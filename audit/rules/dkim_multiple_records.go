package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dkimMultiple = audit.Rule{
	ID: "DKIM003", Slug: "dkim-multiple-records", Severity: audit.Error, Since: "0.1",
	Title: "Several TXT records stand at one selector",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.6.2.2"}, {RFC: 6376, Section: "6.1.2"}},
	Doc: audit.Doc{
		Impact: "Which of them a verifier takes is undefined: signatures pass at one receiver and fail at the next, or change with the order of the answer.",
		Remedy: "Leave one record at the selector, the one whose private key signs. A new key belongs under a new selector.",
		Bad: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048 + "\ns1._domainkey.example.org. 3600 IN TXT " + other2048, Selectors: []string{"s1"}},
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048 + "\ns1._domainkey.example.org. 3600 IN TXT \"v=spf1 -all\"", Selectors: []string{"s1"}},
		},
		Good: []audit.Scenario{{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}}},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		for _, k := range c.Facts.DKIM.Results {
			if !k.Several() || k.Wildcard && !k.Given {
				continue
			}
			f := c.Report(selectorSubject(k), "%d TXT records, %d of them key records", len(k.Texts), len(k.Records))
			if len(k.Records) < 2 {
				f.At(audit.Warning) // many verifiers pass over what is no key
			}
		}
	},
	// Text that is no key is of no use at a selector. Which of two keys signs, only
	// the signer knows.
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		var out []fix.Edit
		for _, k := range s.DKIM.Results {
			if k.Name != f.Subject.Name || len(k.Records) != 1 || !k.Target.IsZero() || k.Wildcard {
				continue
			}
			for _, t := range k.Texts {
				if t != k.Records[0].Text {
					out = append(out, fix.Edit{Name: k.Name, Type: resolve.TypeTXT, Op: fix.RemoveRecord, Record: t, Why: "it is no key, and confuses verifiers"})
				}
			}
		}
		return out
	},
}
