package rules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
)

var dmarcPolicyMissing = audit.Rule{
	ID: "DMARC004", Slug: "dmarc-policy-missing", Severity: audit.Error, Since: "0.1",
	Title: "The DMARC record has no p tag",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.7", Level: audit.Should}, {RFC: 7489, Section: "6.3", Level: audit.Must}, gmailCodes},
	Doc: audit.Doc{
		Impact: "The record asks for nothing: RFC 9989 reads a missing p as none, and receivers that follow RFC 7489 drop the record. Gmail takes it for no policy and refuses bulk mail with 550 5.7.40. Policies in sp and np count for nothing either.",
		Remedy: "Write p behind v: \"v=DMARC1; p=none; …\", or the policy that is meant.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1"),
			dmarcZone("v=DMARC1; sp=reject; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; P=none; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p:none; rua=mailto:dmarc@example.org"),
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; rua=mailto:dmarc@example.org")},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org"),
			// Not valid is not missing: DMARC005.
			dmarcZone("v=DMARC1; p=nothing; rua=mailto:dmarc@example.org"),
			// Agreement to foreign reports is no policy record.
			{Zone: dmarcSends + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.net") + "example.org._report._dmarc.example.net. 3600 IN TXT \"v=DMARC1\"\nexample.net. 3600 IN MX 10 mail.example.org.\n"},
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		for _, p := range d.rec.Problems {
			if p.Kind != dmarc.PolicyMissing {
				continue
			}
			f := d.report("p", "no p tag in %q: %s", short(d.rec.String()), p.Message).At(dmarcLost(c.Facts))
			if p.Suggestion != "" {
				f.Advise("Write %s, in lower case and with \"=\", right behind v=DMARC1.", short(p.Suggestion))
			}
		}
	},
	// p=none is what receivers read already. It must not bring sp or np to life,
	// and must not stand in for another policy that is written there.
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		rec := s.DMARC.Policy.Record
		if rec.SP.Strength()+rec.NP.Strength() > 0 {
			return nil
		}
		edits := []fix.Edit{{Op: fix.DMARCSetTag, Term: "p", Value: "none", Why: "receivers want a policy; none is what they assume already"}}
		for _, p := range rec.Problems {
			if p.Kind == dmarc.PolicyMissing && p.Suggestion != "" && !strings.EqualFold(p.Suggestion, "p=none") {
				return nil
			}
			if t, found := rec.Tag("P"); found && strings.EqualFold(t.Value, "none") {
				edits = append(edits, fix.Edit{Op: fix.DMARCRemoveTag, Term: "P", Why: "tag names are written in lower case"})
			}
		}
		return dmarcEdits(s, edits...)
	},
}
