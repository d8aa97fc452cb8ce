package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
)

var tlsrptMultiple = audit.Rule{
	ID: "TLSRPT001", Slug: "tlsrpt-multiple-records", Severity: audit.Warning, Needs: facts.TLSRPT, Since: "0.1",
	Title: "There are several TLS-RPT records",
	Refs:  []audit.Ref{{RFC: 8460, Section: "3", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: noReports,
		Remedy: "Join them: one record whose rua lists all places, separated by commas.",
		Bad:    []audit.Scenario{{Zone: oneHost + reports + "_smtp._tls.example.org. 3600 IN TXT \"v=TLSRPTv1; rua=mailto:other@example.org\"\n"}},
		Good:   []audit.Scenario{{Zone: oneHost + reports}},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		switch n := len(tlsrptRecords(c.Facts)); n {
		case 0:
			c.NotApplicable("there is no TLS-RPT record")
		case 1:
		default:
			c.Report(tlsrptSubject(c.Facts), "there are %d records that start with v=TLSRPTv1, and reporters use none of them", n)
		}
	},
}
