package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/fix"
)

var dkimNotForMail = audit.Rule{
	ID: "DKIM010", Slug: "dkim-not-for-mail", Severity: audit.Error, Since: "0.1",
	Title: "A DKIM key excludes itself from use for mail",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.6.1", Level: audit.Must}, {RFC: 8301, Section: "3.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "s= without email or *, and h= without sha256, tell verifiers not to use the key: signatures fail as if the mail were unsigned.",
		Remedy: "Remove the s= and h= tags from the record.",
		Bad: []audit.Scenario{
			{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1; h=sha1; p=` + keyP2048[:100] + `" "` + keyP2048[100:] + `"`, Selectors: []string{"s1"}},
			{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1; s=other; p=` + keyP2048[:100] + `" "` + keyP2048[100:] + `"`, Selectors: []string{"s1"}},
		},
		Good: []audit.Scenario{{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1; h=sha1:sha256; s=email; p=` + keyP2048[:100] + `" "` + keyP2048[100:] + `"`, Selectors: []string{"s1"}}},
	},
	Check: func(c *audit.Case) {
		eachKey(c, func(k dkim.Result, r dkim.Record) {
			if p, ok := problem(r, dkim.NoSHA256, dkim.NotForEmail); ok {
				// A key for TLS reports alone is made to exclude mail (RFC 8460, Section 3).
				if p.Kind == dkim.NotForEmail && r.AllowsService("tlsrpt") && !k.Given {
					return
				}
				c.Report(selectorSubject(k).WithTerm(p.Tag), "%s", p.Detail)
			}
		})
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		return replaceKey(s, f, func(r dkim.Record) (dkim.Record, bool) {
			if _, ok := problem(r, dkim.NoSHA256); ok {
				r = r.Without("h")
			}
			if _, ok := problem(r, dkim.NotForEmail); ok {
				r = r.Without("s")
			}
			return r, true
		}, "the key is meant for mail")
	},
}
