package rules

import (
	"errors"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/bimi"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var bimiInvalid = audit.Rule{
	ID: "BIMI001", Slug: "bimi-record-invalid", Severity: audit.Notice, Needs: facts.Logo, Since: "0.1",
	Title: "The BIMI record cannot be used",
	Refs:  []audit.Ref{bimiDraft},
	Doc: audit.Doc{
		Impact: noLogoShown,
		Remedy: "Publish one record v=BIMI1; l=https://…; a=https://… at default._bimi, or remove it.",
		Bad:    []audit.Scenario{{Zone: oneHost + "default._bimi.example.org. 3600 IN TXT \"v=BIMI1; l=http://www.example.org/logo.svg\"\n", Hosts: []string{"192.0.2.25 good"}, Policy: enforce}},
		Good:   []audit.Scenario{{Zone: oneHost, Hosts: []string{"192.0.2.25 good"}, Policy: enforce}, {Zone: oneHost + "default._bimi.example.org. 3600 IN TXT \"v=BIMI1; l=; a=;\"\n", Hosts: []string{"192.0.2.25 good"}, Policy: enforce}},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		b := &c.Facts.Brand
		if !b.Asked {
			c.NotApplicable("BIMI was not asked for")
			return
		}
		if e, ok := errors.AsType[*bimi.ParseError](b.Record.Err); ok && b.Record.State == resolve.Absent {
			c.Report(bimiSubject(c), "receivers cannot use the record: %v", e)
			return
		}
		if b.Record.State == resolve.Absent {
			c.NotApplicable("there is no BIMI record")
		}
	},
}
