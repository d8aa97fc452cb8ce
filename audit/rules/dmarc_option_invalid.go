package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
)

var dmarcOptionInvalid = audit.Rule{
	ID: "DMARC023", Slug: "dmarc-option-invalid", Severity: audit.Warning, Since: "0.1",
	Title: "An option in the DMARC record is not valid, so the default counts",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.8", Level: audit.Must}, {RFC: 9989, Section: "4.7"}},
	Doc: audit.Doc{
		Impact: "Receivers take the default in place of what was meant: relaxed alignment for adkim=strict, the full policy at once for t=yes, failure reports as by fo=0.",
		Remedy: "adkim and aspf take r or s, t takes y or n, psd takes y, n or u, and fo takes 0 or 1, with d and s behind colons.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; adkim=strict; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; aspf=relaxed; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=reject; t=yes; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; psd=maybe; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; fo=1,d; rua=mailto:dmarc@example.org; ruf=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; fo=0:1; rua=mailto:dmarc@example.org"),
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; adkim=S; aspf=r; t=n; psd=n; fo=1:d:s; rua=mailto:dmarc@example.org"),
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		seen := map[string]bool{}
		for _, p := range d.rec.Problems {
			if p.Kind != dmarc.OptionInvalid || p.Tag == "pct" || seen[p.Tag] {
				continue // pct is gone anyway: DMARC008
			}
			seen[p.Tag] = true
			f := d.report(p.Tag, "%s=%s", p.Tag, p.Message)
			if p.Suggestion != "" {
				f.Advise("If %s=%s is meant, write that.", p.Tag, p.Suggestion)
			}
			t, _ := d.rec.Tag(p.Tag)
			f.Message = fmt.Sprintf("%s=%q is not valid: receivers read it as %s=%s%s", p.Tag, short(t.Value), p.Tag, optionDefaults[p.Tag], d.whose)
			if p.Tag == "fo" || p.Tag == "psd" || p.Suggestion == optionDefaults[p.Tag] {
				f.At(audit.Notice)
			}
		}
	},
	// What changes nothing for mail is set right; strict alignment or test mode a
	// person has to choose.
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		for _, p := range s.DMARC.Policy.Record.Problems {
			tag := f.Subject.Term
			if p.Kind != dmarc.OptionInvalid || p.Tag != tag || p.Suggestion == "" {
				continue
			}
			if tag != "fo" && p.Suggestion != optionDefaults[tag] {
				return nil
			}
			return dmarcEdits(s, fix.Edit{Op: fix.DMARCSetTag, Term: tag, Value: p.Suggestion, Why: "the value is not valid as it stands"})
		}
		return nil
	},
}

// optionDefaults are the defaults of RFC 9989, Section 4.7.
var optionDefaults = map[string]string{"adkim": "r", "aspf": "r", "t": "n", "psd": "u", "fo": "0"}
