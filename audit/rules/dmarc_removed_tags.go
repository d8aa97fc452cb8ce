package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
)

var dmarcRemovedTags = audit.Rule{
	ID: "DMARC008", Slug: "dmarc-removed-tags", Severity: audit.Notice, Since: "0.1",
	Title: "The DMARC record uses what RFC 9989 has removed",
	Refs:  []audit.Ref{{RFC: 9989, Section: "9.3"}, {RFC: 9989, Section: "4.8"}, {RFC: 7489, Section: "6.3"}},
	Doc: audit.Doc{
		Impact: "Receivers that follow RFC 9989 ignore pct, rf, ri and the size limit of a report address. That is harmless, but for pct below 100: they apply the policy to all mail that fails, while older receivers still apply it to a share.",
		Remedy: "Take the tags out. In place of pct for a careful start use t=y, which asks receivers of today for one level less.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; p=reject; pct=100; rf=afrf; ri=86400; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=quarantine; pct=20; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=reject; pct=0; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; pct=0; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; pct=half; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org!10m"),
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=reject; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=quarantine; t=y; rua=mailto:dmarc@example.org"),
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		var plain []string
		for _, p := range d.rec.Problems {
			switch {
			case p.Kind == dmarc.RemovedTag && (p.Tag != "pct" || samplesNothing(d.rec)):
				plain = append(plain, p.Tag)
			case p.Kind == dmarc.RemovedTag:
				reportSampling(d)
			case p.Kind == dmarc.URISize && !slices.Contains(plain, p.Tag+" size"):
				plain = append(plain, p.Tag+" size")
			}
		}
		if len(plain) > 0 {
			d.report(strings.Join(plain, " "), "receivers of today ignore %s", listed(plain))
		}
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		rec := s.DMARC.Policy.Record
		if f.Subject.Term == "pct" && f.Severity != audit.Notice {
			return nil // all of the mail, or one level less: a person has to say
		}
		var edits []fix.Edit
		for _, p := range rec.Problems {
			switch {
			case p.Kind == dmarc.RemovedTag && (p.Tag != "pct" || samplesNothing(rec)):
				edits = append(edits, fix.Edit{Op: fix.DMARCRemoveTag, Term: p.Tag, Why: p.Tag + " was removed by RFC 9989"})
			case p.Kind == dmarc.URISize && !rec.Has(dmarc.URIInvalid, dmarc.DuplicateTag):
				uris := rec.RUA
				if p.Tag == "ruf" {
					uris = rec.RUF
				}
				var list []string
				for _, u := range uris {
					list = append(list, u.Text)
				}
				edits = append(edits, fix.Edit{Op: fix.DMARCSetTag, Term: p.Tag, Value: strings.Join(list, ","), Why: "size limits are ignored"})
			}
		}
		return dmarcEdits(s, edits...)
	},
}

// samplesNothing reports whether pct changes nothing for receivers that know it.
func samplesNothing(rec dmarc.Record) bool {
	return rec.Percent == 100 || rec.Has(dmarc.PolicyMissing, dmarc.PolicyInvalid) || rec.P.Strength()+rec.SP.Strength() == 0
}

// reportSampling says what either generation of receivers makes of pct.
func reportSampling(d dmarcCase) {
	if d.rec.Testing && d.rec.Percent == 0 {
		// RFC 9989, Appendix A.6: t=y is what pct=0 was, so together they tell both
		// generations the same.
		d.report("pct", "pct=0 is for older receivers what t=y is for those of today; it can go once t=y goes").At(audit.Notice).
			Advise("Leave pct=0 as long as t=y stands, then take out both.")
		return
	}
	tag, policy, today := "p", d.rec.P, d.rec.Effect().P
	if policy.Strength() == 0 {
		tag, policy, today = "sp", d.rec.SP, d.rec.Effect().SP
	}
	old := fmt.Sprintf("%s to %d%% of it and one level less to the rest", policy, d.rec.Percent)
	if d.rec.Percent == 0 {
		old = "one level less than " + string(policy)
	}
	d.report("pct", "%s=%s with pct=%d: receivers of today apply %s to all mail that fails, those that still follow RFC 7489 apply %s", tag, policy, d.rec.Percent, today, old).
		At(audit.Warning).Advise("Take pct out if all mail of yours passes. For a careful start write t=y: receivers of today then act one level lower; pct=0 beside it tells older ones the same.")
}
