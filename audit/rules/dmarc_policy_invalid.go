package rules

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dmarcPolicyInvalid = audit.Rule{
	ID: "DMARC005", Slug: "dmarc-policy-invalid", Severity: audit.Error, Since: "0.1",
	Title: "A policy in the DMARC record is not valid, which switches all of it off",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.10.1", Level: audit.Must}, {RFC: 7489, Section: "6.6.3"}},
	Doc: audit.Doc{
		Impact: "One wrong word in p, sp or np makes receivers act as if the record said p=none, for the domain and all its subdomains. Without a usable rua they do no DMARC at all, and Gmail refuses bulk mail for want of a policy (550 5.7.40).",
		Remedy: "Write none, quarantine or reject in p, sp and np, and nothing else.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; p=rejekt; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=nonee"),
			// A typo in sp or np disarms p=reject.
			dmarcZone("v=DMARC1; p=reject; sp=quarentine; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=reject; np=rejected; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=; rua=mailto:dmarc@example.org"),
			// A comma in place of the semicolon makes it part of the policy.
			dmarcZone("v=DMARC1; p=none, sp=none; rua=mailto:dmarc@example.org"),
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=reject; sp=block; rua=mailto:dmarc@example.org")},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=REJECT; sp=Quarantine; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=reject; np=reject; rua=mailto:dmarc@example.org"),
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		seen := map[string]bool{}
		for _, p := range d.rec.Problems {
			if !isPolicyTag(p.Tag) || seen[p.Tag] || p.Kind != dmarc.PolicyInvalid && p.Kind != dmarc.EmptyValue {
				continue
			}
			seen[p.Tag] = true
			t, _ := d.rec.Tag(p.Tag)
			f := d.report(p.Tag, "%s=%q is no policy: %s", p.Tag, short(t.Value), invalidEffect(c.Facts, p.Tag))
			f.At(invalidSeverity(c.Facts, p))
			switch {
			case p.Suggestion == "":
			case strings.ContainsAny(t.Value, " \t,"):
				f.Advise("Write %s=%s there, if that is meant, and a semicolon behind it.", p.Tag, p.Suggestion)
			default:
				text := d.rec.String()
				f.Advise("If %s=%s is meant, publish at %s: %s", p.Tag, p.Suggestion, d.at.Name, text[:p.Offset]+p.Suggestion+text[p.Offset+len(t.Value):])
			}
		}
	},
	// Only what asks receivers for nothing is set right without a person.
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		rec := s.DMARC.Policy.Record
		for _, p := range rec.Problems {
			if p.Kind != dmarc.PolicyInvalid || p.Tag != f.Subject.Term || p.Suggestion != string(dmarc.None) {
				continue
			}
			if rec.P.Strength()+rec.SP.Strength()+rec.NP.Strength() > 0 {
				return nil
			}
			return dmarcEdits(s, fix.Edit{Op: fix.DMARCSetTag, Term: p.Tag, Value: p.Suggestion, Why: "none is meant, and is what receivers assume"})
		}
		return nil
	},
}

// invalidEffect says what receivers make of the record.
func invalidEffect(s *facts.Snapshot, tag string) string {
	p := s.DMARC.Policy
	if p.State == resolve.Absent {
		return "as there is no usable rua, receivers do no DMARC for the domain"
	}
	text := "receivers act as if the record said p=none and no more"
	if rec := p.Record; rec.P.Strength() > 0 {
		text += fmt.Sprintf(", so p=%s is off", rec.P)
	}
	if tag == "np" {
		text += "; those that follow RFC 7489 do not know np and go by the rest"
	}
	return text
}

// invalidSeverity is Error where a policy is disarmed or receivers find none.
func invalidSeverity(s *facts.Snapshot, p dmarc.Problem) audit.Severity {
	rec := s.DMARC.Policy.Record
	meant := dmarc.Policy(p.Suggestion)
	if p.Tag != "p" && s.DMARC.Policy.State != resolve.Absent &&
		rec.P.Strength()+rec.SP.Strength()+rec.NP.Strength()+meant.Strength() == 0 {
		return audit.Warning
	}
	return audit.Error
}
