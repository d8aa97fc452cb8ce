package rules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
)

var dmarcSyntax = audit.Rule{
	ID: "DMARC003", Slug: "dmarc-syntax", Severity: audit.Warning, Since: "0.1",
	Title: "The DMARC record has a part that is not well-formed",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.8", Level: audit.Must}, {RFC: 6376, Section: "3.2"}},
	Doc: audit.Doc{
		Impact: "Most receivers skip the broken part, so what it was meant to say is lost. Strict parsers skip the whole record, and with it the policy.",
		Remedy: "Write the record as tags with \"=\", separated by single semicolons, in lower case and printable ASCII, p right behind v.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; p=reject; rua=mailto:dmarc@example.org; hostmaster@example.org"),
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org; all is well"),
			dmarcZone("v=DMARC1;; p=none; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org; ADKIM=s"),
			dmarcZone("v=DMARC1; rua=mailto:dmarc@example.org; p=none"),
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org; aspf="),
			{Zone: dmarcSends + "_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=none; rua=mailto:dmarc@example.org; adkim=\\226\\128\\156r\"\n"},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org"),
			// Case of values, white space and a final semicolon are free.
			dmarcZone("v=DMARC1 ;p = NONE ; rua=mailto:dmarc@example.org;"),
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		seen := map[string]bool{}
		for _, p := range d.rec.Problems {
			term, sev := syntaxTerm(d.rec, p)
			if sev == 0 || seen[term] || len(seen) == maxPerCause {
				continue
			}
			seen[term] = true
			f := d.report(term, "at octet %d: %s", p.Offset+1, p.Message).At(sev)
			if p.Suggestion != "" {
				f.Advise("Write %s there, if that is what was meant.", short(p.Suggestion))
			}
		}
	},
	Repair: repairSyntax,
}

// syntaxTerm is the term and severity of a problem, 0 if another rule tells it.
func syntaxTerm(rec dmarc.Record, p dmarc.Problem) (string, audit.Severity) {
	asP := rec.Has(dmarc.PolicyMissing) && (strings.EqualFold(p.Tag, "p") || strings.HasPrefix(p.Suggestion, "p="))
	switch p.Kind {
	case dmarc.Junk:
		switch {
		case asP: // DMARC004
		case junkAt(rec, p) == "":
			return ";;", audit.Notice
		default:
			return short(junkAt(rec, p)), audit.Warning
		}
	case dmarc.BadCharacter:
		switch {
		case isPolicyTag(p.Tag) && rec.Has(dmarc.PolicyInvalid): // DMARC005
		case p.Tag == "rua" || p.Tag == "ruf": // DMARC014
		case meantTag(rec, p.Tag) != "": // DMARC017
		default:
			return p.Tag + " character", audit.Warning
		}
	case dmarc.TagCase:
		if !asP {
			return p.Tag, audit.Warning
		}
	case dmarc.EmptyValue:
		if !isPolicyTag(p.Tag) && p.Tag != "rua" && p.Tag != "ruf" { // DMARC005, DMARC014
			return p.Tag, audit.Warning
		}
	case dmarc.TooLong:
		return "length", audit.Warning
	case dmarc.PolicyNotSecond:
		return "p order", audit.Notice
	}
	return "", 0
}

// junkAt is the segment without "=" that the problem is about, empty for a
// blank one.
func junkAt(rec dmarc.Record, p dmarc.Problem) string {
	for _, t := range rec.Tags {
		if t.Name == "" && t.Offset == p.Offset {
			return t.Value
		}
	}
	return ""
}

// repairSyntax takes out what no receiver reads, and joins an address that a
// semicolon cut off its list.
func repairSyntax(s *facts.Snapshot, f audit.Finding) []fix.Edit {
	rec := s.DMARC.Policy.Record
	p, _ := rec.Tag("p")
	switch f.Subject.Term {
	case ";;":
		return dmarcEdits(s, fix.Edit{Op: fix.ReplaceRecord, Value: withoutBlanks(rec.String()), Why: "two semicolons without a tag between them"})
	case "p order":
		if rec.Has(dmarc.DuplicateTag) {
			return nil
		}
		return dmarcEdits(s, fix.Edit{Op: fix.DMARCRemoveTag, Term: "p", Why: "p belongs behind v"},
			fix.Edit{Op: fix.DMARCSetTag, Term: "p", Value: p.Value, Why: "some receivers need p behind v"})
	}
	junk := dmarcProblems(rec, func(p dmarc.Problem) bool { return p.Kind == dmarc.Junk && junkAt(rec, p) != "" })
	if len(junk) != 1 || short(junkAt(rec, junk[0])) != f.Subject.Term {
		return nil
	}
	drop := fix.Edit{Op: fix.DMARCRemoveTag, Term: "", Why: "text that is no tag"}
	tag, value, found := strings.Cut(junk[0].Suggestion, "=")
	switch {
	case junk[0].Suggestion == "":
		return dmarcEdits(s, drop)
	case found && (tag == "rua" || tag == "ruf") && !rec.Has(dmarc.DuplicateTag) && strings.Contains(junkAt(rec, junk[0]), "@"):
		return dmarcEdits(s, drop, fix.Edit{Op: fix.DMARCSetTag, Term: tag, Value: value, Why: "addresses are separated by commas"})
	}
	return nil
}

// withoutBlanks takes out blank segments but for the end of the text.
func withoutBlanks(text string) string {
	var out []string
	segments := strings.Split(text, ";")
	for i, seg := range segments {
		if strings.Trim(seg, " \t") != "" || i == len(segments)-1 {
			out = append(out, seg)
		}
	}
	return strings.Join(out, ";")
}
