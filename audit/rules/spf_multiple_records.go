package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfMultiple = audit.Rule{
	ID: "SPF002", Slug: "spf-multiple-records", Severity: audit.Error, Needs: facts.SPF, Since: "0.1",
	Title: "There is more than one SPF record",
	Refs:  []audit.Ref{{RFC: 7208, Section: "4.5", Level: audit.Must}, {RFC: 7208, Section: "3.2", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Receivers use none of the records: the result is permerror for all mail, which DMARC counts as a failure and some receivers refuse (550 5.5.2 or 5.7.24).",
		Remedy: "Keep one record. Move the terms that are still needed from the others into it, before its \"all\", and delete the others.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\nexample.org. 3600 IN TXT \"v=spf1 ip4:198.51.100.1 ~all\"\nexample.org. 3600 IN TXT \"example-site-verification=0123456789\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\nexample.org. 3600 IN TXT \"V=SPF1  ip4:192.0.2.1 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.2 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\nexample.org. 3600 IN TXT \"example-site-verification=v=spf1\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\nexample.org. 3600 IN TXT \"v=spf10 -all\""},
		},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		if gone(c) {
			return
		}
		if s.SPF.State == resolve.Absent {
			c.NotApplicable("there is no SPF record")
			return
		}
		if n := len(s.SPF.Records); n > 1 {
			var list []string
			for _, r := range s.SPF.Records[:min(n, 3)] {
				list = append(list, "\""+spfText(r)+"\"")
			}
			f := c.Report(audit.TXT(s.Domain), "%s has %d SPF records: %s", s.Domain, n, strings.Join(list, ", "))
			if one := spfJoined(s.SPF.Records); one != "" {
				f.Advise("Replace the %d records by one. If all that they list is still in use: \"%s\"", n, one)
			}
			return
		}
		for _, p := range s.SPF.Problems {
			if errors.Is(p.Err, spf.ErrMultiple) {
				c.Report(audit.TXT(p.Domain), "%s%s has more than one SPF record, so evaluation ends there", p.Domain, spfReach(s.SPF.Root, p.Domain)).
					About(s, s.Domain, resolve.TypeTXT).
					Advise("Tell the operator of %s. Until it is repaired, list the addresses of that sender in your record instead of the include.", p.Domain)
			}
		}
		spfOpen(c, recordLookup)
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		if f.Subject.Name != s.Domain || len(s.SPF.Records) < 2 {
			return nil
		}
		var edits []fix.Edit
		first := strings.Fields(strings.ToLower(s.SPF.Records[0]))
		for i, r := range s.SPF.Records[1:] {
			if !slices.Equal(strings.Fields(strings.ToLower(r)), first) {
				return nil // which of them holds, only a person can tell
			}
			edits = append(edits, fix.Edit{Name: s.Domain, Type: resolve.TypeTXT, Op: fix.RemoveRecord, Record: r,
				Why: fmt.Sprintf("record %d says the same as the first", i+2)})
		}
		if strings.Contains(s.SPF.Records[0], "%") {
			return nil // letters of macros differ in case
		}
		return edits
	},
}

// spfJoined is one record with the terms of all, and the mildest of their ends;
// empty if they cannot be joined without thought.
func spfJoined(records []string) string {
	out := spf.Record{Terms: nil}
	end, rank := "", "-~?"
	for _, text := range records {
		r, err := spf.Parse(text)
		if err != nil {
			return ""
		}
		for _, t := range r.Terms {
			switch {
			case t.Kind == spf.All:
				if strings.IndexByte(rank, byte(t.Qualifier)) < 0 {
					return "" // +all is nothing to propose
				}
				if end == "" || strings.IndexByte(rank, byte(t.Qualifier)) > strings.IndexByte(rank, end[0]) {
					end = t.Qualifier.String() + "all"
				}
			case t.IsModifier() || t.Qualifier != '+':
				return ""
			default:
				out.Terms = append(out.Terms, t)
			}
			if t.Kind == spf.All {
				break
			}
		}
	}
	if end == "" || len(out.Terms) > 40 {
		return ""
	}
	one, err := spf.Parse(out.String() + " " + end)
	if err != nil {
		return ""
	}
	if one, err = one.Dedupe(); err != nil {
		return ""
	}
	return one.Text
}
