package rules

import (
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
)

var dmarcDuplicateTag = audit.Rule{
	ID: "DMARC016", Slug: "dmarc-duplicate-tag", Severity: audit.Warning, Since: "0.1",
	Title: "A tag stands in the DMARC record more than once",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.2", Level: audit.Must}, {RFC: 9989, Section: "4.7"}},
	Doc: audit.Doc{
		Impact: "A tag list in which a tag stands twice is not valid. Some receivers drop the whole record, others take the first copy, others the last: which policy applies and who gets reports differs between them.",
		Remedy: "Leave one copy. Several report addresses go into one rua, separated by commas.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org; rua=mailto:dmarc2@example.org"),
			dmarcZone("v=DMARC1; p=none; p=reject; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=reject; aspf=r; rua=mailto:dmarc@example.org; aspf=r"),
			dmarcZone("v=DMARC1; p=none; v=DMARC1; rua=mailto:dmarc@example.org"),
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org,mailto:dmarc2@example.org"),
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		seen := map[string]bool{}
		for _, p := range d.rec.Problems {
			if p.Kind != dmarc.DuplicateTag || seen[p.Tag] || len(seen) == maxPerCause {
				continue
			}
			seen[p.Tag] = true
			values := tagValues(d.rec, p.Tag)
			f := d.report(short(p.Tag), "%s stands %d times: %s", short(p.Tag), len(values), short(strings.Join(values, " | ")))
			if isPolicyTag(p.Tag) && len(distinct(values)) > 1 {
				f.At(audit.Error)
			}
		}
	},
	// Equal copies can go, and several lists of addresses make one list.
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		rec, tag := s.DMARC.Policy.Record, f.Subject.Term
		values := tagValues(rec, tag)
		if len(values) < 2 || tag == "v" {
			return nil
		}
		value := values[0]
		if one := distinct(values); len(one) > 1 {
			if tag != "rua" && tag != "ruf" || slices.Contains(one, "") {
				return nil
			}
			value = strings.Join(one, ",")
		}
		return dmarcEdits(s, fix.Edit{Op: fix.DMARCSetTag, Term: tag, Value: value, Why: "a tag may stand in a record once"})
	},
}

// tagValues lists the values of all tags of the name.
func tagValues(rec dmarc.Record, name string) []string {
	var out []string
	for _, t := range rec.Tags {
		if t.Name == name {
			out = append(out, t.Value)
		}
	}
	return out
}

// distinct drops what stands in the list already.
func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
