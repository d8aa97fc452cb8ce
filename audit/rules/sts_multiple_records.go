package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
)

var stsMultiple = audit.Rule{
	ID: "STS001", Slug: "sts-multiple-records", Severity: audit.Warning, Needs: facts.STS, Since: "0.1",
	Title: "There are several MTA-STS records",
	Refs:  []audit.Ref{{RFC: 8461, Section: "3.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: stsIgnored,
		Remedy: "Keep one record, the one whose id was changed last.",
		Bad:    []audit.Scenario{{Zone: oneHost + stsRecord + "_mta-sts.example.org. 3600 IN TXT \"v=STSv1; id=2\"\n"}},
		Good:   []audit.Scenario{{Zone: oneHost + stsRecord + "_mta-sts.example.org. 3600 IN TXT \"something else\"\n"}},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		switch n := len(stsRecords(c.Facts)); n {
		case 0:
			c.NotApplicable("there is no MTA-STS record")
		case 1:
		default:
			c.Report(stsSubject(c.Facts), "there are %d records that start with v=STSv1, and senders use none of them", n)
		}
	},
}
