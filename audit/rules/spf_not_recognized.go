package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfNotRecognized = audit.Rule{
	ID: "SPF004", Slug: "spf-not-recognized", Severity: audit.Error, Needs: facts.SPF, Since: "0.1",
	Title: "A TXT record is meant as SPF but not read as such",
	Refs:  []audit.Ref{{RFC: 7208, Section: "4.5", Level: audit.Must}, {RFC: 7208, Section: "12", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Receivers take only a text that begins with exactly \"v=spf1\", followed by a space or nothing, as an SPF record. They see no record here: the result is none, as if SPF had never been set up, and Gmail refuses or junks the mail if DKIM does not authenticate it (550 5.7.26).",
		Remedy: "Publish the text so that it begins with \"v=spf1 \": nothing before the v, no quotation marks as part of the text, one space after the 1. Delete the old text.",
		Bad: []audit.Scenario{
			{Zone: spfInbound + "example.org. 3600 IN TXT \"v=spf1include:spf.example.net ~all\"\nspf.example.net. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\""},
			{Zone: spfInbound + "example.org. 3600 IN TXT \" v=spf1 ip4:192.0.2.1 -all\""},
			{Zone: spfInbound + "example.org. 3600 IN TXT \"v=spf1; ip4:192.0.2.1 -all\""},
			{Zone: spfInbound + "example.org. 3600 IN TXT \"\\\"v=spf1 ip4:192.0.2.1 -all\\\"\""},
			{Zone: spfInbound + "example.org. 3600 IN TXT \"\\239\\187\\191v=spf1 ip4:192.0.2.1 -all\""},
			{Zone: spfInbound + "example.org. 3600 IN TXT \"spf2.0/pra ip4:192.0.2.1 -all\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\nexample.org. 3600 IN TXT \"our v=spf1 record is in the wiki\""},
		},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		if gone(c) {
			return
		}
		number := spfNumber{}
		for _, m := range s.SPF.Near {
			f := c.Report(audit.TXT(s.Domain).WithTerm(number.term(m.Text)), "\"%s\" is no SPF record: %s", spfText(m.Text), m.Reason)
			switch {
			case len(s.SPF.Records) > 0:
				f.At(audit.Notice).Advise("There is an SPF record beside it, which is what counts. Delete this text, or repair it if it is the one that is meant.")
			case m.Suggestion != "":
				f.Advise("Replace it by the TXT record \"%s\"", m.Suggestion)
			}
		}
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		if len(s.SPF.Near) != 1 || len(s.SPF.Records) > 0 {
			return nil
		}
		m := s.SPF.Near[0]
		if _, err := spf.Parse(m.Suggestion); err != nil {
			return nil
		}
		return []fix.Edit{{Name: s.Domain, Type: resolve.TypeTXT, Op: fix.ReplaceRecord, Record: m.Text, Value: m.Suggestion, Why: m.Reason}}
	},
}
