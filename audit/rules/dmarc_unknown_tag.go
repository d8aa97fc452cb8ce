package rules

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
)

var dmarcUnknownTag = audit.Rule{
	ID: "DMARC017", Slug: "dmarc-unknown-tag", Severity: audit.Notice, Since: "0.1",
	Title: "The DMARC record has a tag that receivers do not know",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.7", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Receivers ignore it. If it is a misspelt tag, what it says is lost: the alignment mode that was meant, or the address for reports.",
		Remedy: "Correct the spelling, or take the tag out.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org; apsf=r"),
			dmarcZone("v=DMARC1; p=none; rua_=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; mailto:rua=dmarc@example.org"),
			// A line break in a web form becomes part of the tag.
			{Zone: dmarcSends + "_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=none;\\013\\010rua=mailto:dmarc@example.org\"\n"},
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org; owner=it"),
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; sp=none; np=reject; psd=n; t=n; adkim=r; aspf=r; rua=mailto:dmarc@example.org"),
			// Known once: DMARC008. In upper case: DMARC003.
			dmarcZone("v=DMARC1; p=none; pct=100; rua=mailto:dmarc@example.org; ASPF=r"),
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		seen := map[string]bool{}
		for _, p := range d.rec.Problems {
			if p.Kind != dmarc.UnknownTag || seen[p.Tag] || len(seen) == maxPerCause {
				continue
			}
			seen[p.Tag] = true
			f := d.report(short(p.Tag), "receivers ignore the tag %q", short(p.Tag))
			if p.Suggestion == "" {
				continue
			}
			f.Advise("Write %s, if that is meant.", short(p.Suggestion))
			switch meantTag(d.rec, p.Tag) {
			case "rua":
				if len(d.rec.RUA) == 0 {
					f.Message += "; rua is meant, it seems, so no aggregate reports come"
					f.At(audit.Warning)
				}
			case "p", "sp", "np", "adkim", "aspf", "t":
				f.Message += fmt.Sprintf("; %s is meant, it seems, and its default counts", meantTag(d.rec, p.Tag))
			}
		}
	},
	// Reports can be asked for without harm; any other tag could change what
	// happens to mail.
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		rec := s.DMARC.Policy.Record
		for _, p := range rec.Problems {
			if p.Kind != dmarc.UnknownTag || p.Tag != f.Subject.Term || rec.Has(dmarc.DuplicateTag) {
				continue
			}
			name, value, whole := strings.Cut(p.Suggestion, "=")
			if _, taken := rec.Tag(name); taken || name != "rua" && name != "ruf" {
				return nil
			}
			if t, _ := rec.Tag(p.Tag); !whole {
				value = t.Value
			}
			return dmarcEdits(s, fix.Edit{Op: fix.DMARCRemoveTag, Term: p.Tag, Why: "receivers do not know " + p.Tag},
				fix.Edit{Op: fix.DMARCSetTag, Term: name, Value: value, Why: "the tag is spelt " + name})
		}
		return nil
	},
}
