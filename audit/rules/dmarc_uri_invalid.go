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

var dmarcURIInvalid = audit.Rule{
	ID: "DMARC014", Slug: "dmarc-uri-invalid", Severity: audit.Warning, Since: "0.1",
	Title: "An address for DMARC reports is not a usable URI",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.8"}, {RFC: 9989, Section: "4.7", Level: audit.Must}, {RFC: 6068, Section: "2"}},
	Doc: audit.Doc{
		Impact: "Receivers skip the entry, so its reports are lost. If rua has no usable entry left, no reports come at all, and a wrong policy then switches DMARC off altogether.",
		Remedy: "Write each address as mailto:name@domain and separate them by commas. Receivers need not support anything but mailto.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org mailto:dmarc2@example.org"),
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org,dmarc2@example.org"),
			dmarcZone("v=DMARC1; p=none; rua="),
			dmarcZone("v=DMARC1; p=none; rua=maito:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; rua=https://example.org/dmarc"),
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc"),
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org; ruf=dmarc@example.org"),
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org,mailto:dmarc2@example.org"),
			dmarcZone("v=DMARC1; p=none; rua=MAILTO:dmarc@example.org , mailto:dmarc2@example.org"),
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org!10m"),
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		for _, tag := range []string{"rua", "ruf"} {
			list := dmarcProblems(d.rec, func(p dmarc.Problem) bool {
				switch p.Kind {
				case dmarc.URIInvalid, dmarc.EmptyValue:
					return p.Tag == tag
				case dmarc.URIScheme: // a failure report to a web address is for DMARC024
					return p.Tag == tag && (tag == "rua" || p.Suggestion != "")
				}
				return false
			})
			if len(list) > 0 {
				reportURIs(d, tag, list)
			}
		}
	},
	Repair: repairURIs,
}

func reportURIs(d dmarcCase, tag string, list []dmarc.Problem) {
	text := list[0].Message
	if n := len(list); n > 1 {
		text += fmt.Sprintf("; %d more entries are not usable either", n-1)
	}
	alive := slices.ContainsFunc(d.rec.RUA, func(u dmarc.URI) bool { return u.Valid && u.Scheme == "mailto" })
	if tag == "rua" && !alive {
		text += "; so no aggregate reports come at all"
	}
	f := d.report(tag, "%s: %s", tag, text)
	if s := list[0].Suggestion; s != "" {
		f.Advise("Write %s there.", short(s))
	}
	broken := slices.ContainsFunc(list, func(p dmarc.Problem) bool { return p.Kind != dmarc.URIScheme || p.Suggestion != "" })
	if tag == "ruf" || alive && !broken {
		f.At(audit.Notice)
	}
}

// repairURIs writes the list anew if it is plain what each entry means.
func repairURIs(s *facts.Snapshot, f audit.Finding) []fix.Edit {
	rec := s.DMARC.Policy.Record
	tag := f.Subject.Term
	uris := rec.RUA
	if tag == "ruf" {
		uris = rec.RUF
	}
	if rec.Has(dmarc.DuplicateTag, dmarc.TooLong) || len(uris) == 0 {
		return nil
	}
	var list []string
	for _, u := range uris {
		p := uriProblem(rec, tag, u)
		switch {
		case p.Kind == "":
			list = append(list, u.Text)
		case u.Text == "": // a comma too many
		case p.Suggestion == "" && p.Kind == dmarc.URIScheme:
			list = append(list, u.Text) // a service of its own, perhaps
		case p.Suggestion == "" || !strings.HasPrefix(p.Suggestion, "mailto:"):
			return nil
		default:
			list = append(list, p.Suggestion)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return dmarcEdits(s, fix.Edit{Op: fix.DMARCSetTag, Term: tag, Value: strings.Join(list, ","), Why: "addresses are written as mailto: URIs, with commas between them"})
}

// uriProblem is what is wrong with one entry of the tag, zero if nothing is.
func uriProblem(rec dmarc.Record, tag string, u dmarc.URI) dmarc.Problem {
	for _, p := range rec.Problems {
		if p.Tag == tag && p.Offset == u.Offset && (p.Kind == dmarc.URIInvalid || p.Kind == dmarc.URIScheme) {
			return p
		}
	}
	return dmarc.Problem{}
}
