package rules

import (
	"errors"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dmarcNotRecognized = audit.Rule{
	ID: "DMARC006", Slug: "dmarc-not-recognized", Severity: audit.Error, Since: "0.1",
	Title: "A text at the _dmarc name is meant for DMARC, but receivers ignore it",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.7", Level: audit.Must}, {RFC: 9989, Section: "4.8"}},
	Doc: audit.Doc{
		Impact: "A record counts only if it starts with v=DMARC1, in these capitals and with nothing in front, not even a quotation mark. Otherwise it is as if there were none: mail can be forged, no reports come, and Gmail and Outlook.com refuse bulk mail for want of a policy.",
		Remedy: "Publish the text so that it starts with v=DMARC1; and has no quotation marks or backslashes in it. Many web forms add the quotation marks of the master file form themselves.",
		Bad: []audit.Scenario{
			dmarcZone("v=dmarc1; p=none; rua=mailto:dmarc@example.org"),
			dmarcZone("\"v=DMARC1; p=none; rua=mailto:dmarc@example.org\""),
			dmarcZone(" v=DMARC1; p=none; rua=mailto:dmarc@example.org"),
			dmarcZone("p=none; rua=mailto:dmarc@example.org"),
			dmarcZone("p=none; v=DMARC1; rua=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1\\; p=none\\; rua=mailto:dmarc@example.org"),
			dmarcZone("_dmarc.example.org. text = v=DMARC1; p=none"),
			dmarcZone("v=DMARC2; p=none"),
			// Beside a record that counts, what it asks for is lost.
			{Zone: dmarcSends + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org") + dmarcAt("example.org", "rua=mailto:more@example.org")},
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=Dmarc1; p=none")},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org"),
			dmarcZone("V = DMARC1 ; p=none; rua=mailto:dmarc@example.org"),
			// Not meant for DMARC: DMARC022.
			dmarcZone("v=spf1 -all"),
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		d := c.Facts.DMARC
		steps := dmarcSteps(d)
		dmarcUnread(c, steps)
		for _, step := range steps {
			seen := map[string]bool{}
			for _, m := range step.Misses {
				term := strings.TrimSpace(short(m.Text))
				if !dmarcMeant(m) || seen[term] || len(seen) == maxPerCause {
					continue
				}
				seen[term] = true
				why := "it does not start with v=DMARC1"
				var perr *dmarc.ParseError
				if _, err := dmarc.Parse(m.Text); errors.As(err, &perr) {
					why = perr.Message
				}
				f := c.Report(audit.TXT(step.Name).WithTerm(term), "receivers ignore %q: %s", short(m.Text), why).At(dmarcLost(c.Facts))
				if text := dmarcRescue(m.Text); text != "" {
					f.Advise("Publish at %s: %s", step.Name, text)
				}
				if d.Policy.State == resolve.Present {
					f.At(audit.Warning) // another record is in force
				}
			}
		}
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		for _, step := range dmarcSteps(s.DMARC) {
			if step.Name != f.Subject.Name || step.Usable || step.Several != nil {
				continue
			}
			text, count := "", 0
			for _, m := range step.Misses {
				if dmarcMeant(m) {
					text, count = m.Text, count+1
				}
			}
			good := dmarcRescue(text)
			if rec, err := dmarc.Parse(good); count != 1 || err != nil || rec.Has(dmarc.PolicyMissing, dmarc.PolicyInvalid, dmarc.Junk,
				dmarc.BadCharacter, dmarc.URIInvalid, dmarc.UnknownTag, dmarc.DuplicateTag, dmarc.EmptyValue, dmarc.TagCase) {
				return nil // what is meant is not clear, or would not work either
			}
			return []fix.Edit{{Name: step.Name, Type: resolve.TypeTXT, Op: fix.ReplaceRecord, Record: text, Value: good, Why: "a DMARC record starts with v=DMARC1"}}
		}
		return nil
	},
}

// dmarcRescue is the record that a text was meant to be, empty if that is not
// clear.
func dmarcRescue(text string) string {
	var perr *dmarc.ParseError
	if _, err := dmarc.Parse(text); !errors.As(err, &perr) || len(text) > 2000 {
		return ""
	}
	good := perr.Suggestion
	head, rest, _ := strings.Cut(text, ";")
	switch perr.Kind {
	case dmarc.VersionCase:
		good = "v=DMARC1;" + rest
	case dmarc.VersionInvalid:
		switch {
		case strings.Contains(head, "DMARC1") && strings.HasSuffix(strings.TrimSpace(head), `\`):
		case strings.Contains(good, ";"): // "v=DMARC1 p=none": only the first segment was set right
			good += ";" + rest
		default:
			return "" // another version: it may be meant for something else
		}
	case dmarc.LeadingText:
		if strings.TrimSpace(text) != good {
			return "" // what stands in front, or behind, may belong to it
		}
	}
	if dmarc.Classify(good) != dmarc.ClassRecord {
		return ""
	}
	return good
}
