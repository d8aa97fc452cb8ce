package rules

import (
	"slices"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/fix"
)

var dkimTestFlag = audit.Rule{
	ID: "DKIM007", Slug: "dkim-test-flag", Severity: audit.Warning, Since: "0.1",
	Title: "A DKIM key says that the domain is only testing",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.6.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "With t=y some receivers treat signed mail like unsigned mail, so the signature is worth nothing there.",
		Remedy: "Remove t=y from the record once mail verifies.",
		Bad:    []audit.Scenario{{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1; t=y; p=` + keyP2048[:100] + `" "` + keyP2048[100:] + `"`, Selectors: []string{"s1"}}},
		Good:   []audit.Scenario{{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1; t=s; p=` + keyP2048[:100] + `" "` + keyP2048[100:] + `"`, Selectors: []string{"s1"}}},
	},
	Check: func(c *audit.Case) {
		eachKey(c, func(k dkim.Result, r dkim.Record) {
			if r.HasFlag("y") && !r.Key.Revoked {
				c.Report(selectorSubject(k).WithTerm("t"), "t=y at selector %s", k.Selector)
			}
		})
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		return replaceKey(s, f, func(r dkim.Record) (dkim.Record, bool) {
			if slices.Contains(r.Flags, "s") {
				return r.With("t", "s"), true
			}
			return r.Without("t"), true
		}, "the key is in production")
	},
}
