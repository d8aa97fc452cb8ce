package rules

import (
	"errors"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

var tlsrptInvalid = audit.Rule{
	ID: "TLSRPT002", Slug: "tlsrpt-record-invalid", Severity: audit.Warning, Needs: facts.TLSRPT, Since: "0.1",
	Title: "The TLS-RPT record cannot be used",
	Refs:  []audit.Ref{{RFC: 8460, Section: "3", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: noReports,
		Remedy: "Publish v=TLSRPTv1; rua=mailto:ADDRESS, or an https URI. Other domains need not consent, unlike those of DMARC reports.",
		Bad: []audit.Scenario{
			{Zone: oneHost + "_smtp._tls.example.org. 3600 IN TXT \"v=TLSRPTv1; rua=tls@example.org\"\n"},
			{Zone: oneHost + "_smtp._tls.example.org. 3600 IN TXT \"v=TLSRPTv1;\"\n"},
		},
		Good: []audit.Scenario{{Zone: oneHost + reports}, {Zone: oneHost}, {Zone: oneHost + "_smtp._tls.example.org. 3600 IN TXT \"v=TLSRPTv1; rua=mailto:tls@reports.example\"\n"}},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		if len(tlsrptRecords(c.Facts)) > 1 {
			c.NotApplicable("there are several TLS-RPT records")
			return
		}
		for _, f := range c.Facts.Transport.TLSRPT.Found {
			if f.Err == nil {
				return
			}
			if e, ok := errors.AsType[*tlsrpt.RecordError](f.Err); ok && (f.TLSRPT || meantTLSRPT(f)) {
				c.Report(tlsrptSubject(c.Facts), "reporters cannot use %.120q: %s", f.TXT.Joined(), e.Message)
				return
			}
		}
		c.NotApplicable("there is no TLS-RPT record")
	},
	// A mail address that only lacks mailto: leaves no doubt of what was meant.
	Repair: func(s *facts.Snapshot, _ audit.Finding) []fix.Edit {
		d := &s.Transport.TLSRPT
		for _, f := range d.Found {
			if f.Err == nil || !f.TLSRPT || len(f.Record.RUA) == 0 {
				continue
			}
			var places []string
			for _, u := range f.Record.RUA {
				if !u.Valid && (strings.Contains(u.Text, ":") || !strings.Contains(u.Text, "@")) {
					return nil
				}
				places = append(places, u.Text)
			}
			rec, err := tlsrpt.NewRecord(places...)
			if err != nil {
				return nil
			}
			return []fix.Edit{{Name: d.Name, Type: resolve.TypeTXT, Op: fix.ReplaceRecord, Record: f.TXT.Joined(), Value: rec.String(), Why: "reports go to a URI, not to a bare address"}}
		}
		return nil
	},
}
