package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var mxNull = audit.Rule{
	ID: "MX002", Slug: "mx-null-malformed", Severity: audit.Error, Needs: facts.MX, Since: "0.1",
	Title: "A null MX stands beside other MX records, or is not written as one",
	Refs:  []audit.Ref{{RFC: 7505, Section: "3", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "\"MX 0 .\" says that the domain takes no mail. Beside a real MX it contradicts it: some senders refuse to deliver at all, others try the root of the DNS as a host.",
		Remedy: "Keep either the null MX alone, with preference 0, or the real MX records alone.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN MX 0 .\nexample.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1"},
			{Zone: "example.org. 3600 IN MX 10 ."},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN MX 0 ."},
			{Zone: "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1"},
		},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		if noMX(c) {
			return
		}
		list := s.MX.Value.Exchanges
		for _, x := range list {
			if !x.Null {
				continue
			}
			if len(list) > 1 {
				c.Report(mxSubject(s, x), "a null MX stands beside %d other MX records", len(list)-1)
				return
			}
			if x.Preference != 0 {
				c.Report(mxSubject(s, x), "the null MX has preference %d; RFC 7505 writes it as 0", x.Preference).At(audit.Notice)
			}
		}
	},
	Repair: func(s *facts.Snapshot, _ audit.Finding) []fix.Edit {
		list := s.MX.Value.Exchanges
		if len(list) != 1 {
			return nil // which of the two is meant, the records do not tell
		}
		return []fix.Edit{{Name: s.Domain, Type: resolve.TypeMX, Op: fix.ReplaceRecord, Record: mxRecord(list[0]), Value: "0 .", Why: "a null MX has preference 0"}}
	},
}
