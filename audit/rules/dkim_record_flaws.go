package rules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/fix"
)

var dkimFlaws = audit.Rule{
	ID: "DKIM013", Slug: "dkim-record-flaws", Severity: audit.Notice, Since: "0.1",
	Title: "A usable DKIM key record has flaws that some verifiers may refuse",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.2", Level: audit.Must}, {RFC: 6376, Section: "3.6.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Most verifiers read the record as it was meant; a strict one may not, and its receivers see unsigned mail.",
		Remedy: "Publish the record in its plain form: v=DKIM1; k=rsa; p=KEY.",
		Bad: []audit.Scenario{
			{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "k=rsa; v=DKIM1; p=` + keyP2048[:100] + `" "` + keyP2048[100:] + `"`, Selectors: []string{"s1"}},
			{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1;; k=rsa; p=` + keyP2048[:100] + `" "` + keyP2048[100:] + `"`, Selectors: []string{"s1"}},
		},
		Good: []audit.Scenario{{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}}},
	},
	Check: func(c *audit.Case) {
		eachKey(c, func(k dkim.Result, r dkim.Record) {
			if !r.Usable() {
				return
			}
			var list []string
			disputed := false
			for _, p := range r.Problems {
				switch p.Kind {
				case dkim.Testing, dkim.KeySize:
					continue // rules of their own
				}
				list = append(list, p.Detail)
				disputed = disputed || p.Effect == dkim.Disputed
			}
			if len(list) == 0 {
				return
			}
			f := c.Report(selectorSubject(k), "%s", strings.Join(list[:min(len(list), 4)], "; "))
			if disputed {
				f.At(audit.Warning)
			}
		})
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		return replaceKey(s, f, dkim.Record.Repaired, "the same key in its plain form")
	},
}
