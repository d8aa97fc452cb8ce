package rules

import (
	"errors"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var stsInvalid = audit.Rule{
	ID: "STS002", Slug: "sts-record-invalid", Severity: audit.Warning, Needs: facts.STS, Since: "0.1",
	Title: "The MTA-STS record cannot be read",
	Refs:  []audit.Ref{{RFC: 8461, Section: "3.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: stsIgnored,
		Remedy: "Publish v=STSv1; id=… with an id of 1 to 32 letters and digits: a date without hyphens will do.",
		Bad: []audit.Scenario{
			{Zone: oneHost + "_mta-sts.example.org. 3600 IN TXT \"v=STSv1; id=2026-11-01\"\n"},
			{Zone: oneHost + "_mta-sts.example.org. 3600 IN TXT \"v=STSv1;\"\n"},
			{Zone: oneHost + "_mta-sts.example.org. 3600 IN TXT \"v=stsv1; id=20261101\"\n"},
		},
		Good: []audit.Scenario{{Zone: oneHost + stsRecord}, {Zone: oneHost}, {Zone: oneHost + "*.example.org. 3600 IN TXT \"v=spf1 -all\"\n"}},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		d := &c.Facts.Transport.STS
		if len(stsRecords(c.Facts)) > 1 {
			c.NotApplicable("there are several MTA-STS records")
			return
		}
		found := false
		for _, f := range d.Found {
			if !f.STS && errors.Is(f.Err, mtasts.ErrNotSTS) && len(f.Record.Problems) == 0 {
				continue
			}
			if !f.STS && !meantSTS(f) {
				continue
			}
			found = true
			if e, ok := errors.AsType[*mtasts.ParseError](f.Err); ok {
				c.Report(stsSubject(c.Facts), "senders cannot use %.120q: %s", f.TXT.Joined(), e.Problem)
				return
			}
		}
		if !found {
			c.NotApplicable("there is no MTA-STS record")
		}
	},
	// Any new id says the same: "fetch the policy again".
	Repair: func(s *facts.Snapshot, _ audit.Finding) []fix.Edit {
		d := &s.Transport.STS
		for _, f := range d.Found {
			if f.Err != nil && (f.STS || meantSTS(f)) {
				return []fix.Edit{{Name: d.Name, Type: resolve.TypeTXT, Op: fix.ReplaceRecord, Record: f.TXT.Joined(), Value: mtasts.NewRecord(s.At).String(), Why: "an MTA-STS record that senders can read"}}
			}
		}
		return nil
	},
}

// meantSTS reports a text that was meant as a record and that senders discard.
func meantSTS(f mtasts.Found) bool {
	for _, p := range f.Record.Problems {
		switch p.Kind {
		case mtasts.Case, mtasts.NotFirst, mtasts.Quoted:
			return true
		}
	}
	return false
}
