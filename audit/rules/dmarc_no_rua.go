package rules

import (
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
)

var dmarcNoRUA = audit.Rule{
	ID: "DMARC010", Slug: "dmarc-no-rua", Severity: audit.Warning, Since: "0.1",
	Title: "The DMARC record asks for no aggregate reports",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.7", Level: audit.Must}, {RFC: 9989, Section: "5.1.3"}},
	Doc: audit.Doc{
		Impact: "Without rua no receiver sends reports. You learn neither that your own mail fails, before it is refused, nor that others forge it, and p=none without reports serves nothing but receivers' formal demand for a record.",
		Remedy: "Add rua=mailto: with a mailbox made for it, or with the address that a reporting service gives you. Reports are XML files, some hundred a day for a busy domain.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none"),
			dmarcZone("v=DMARC1; p=reject; ruf=mailto:dmarc@example.org"),
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=reject")},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org"),
			// A domain that sends nothing has nothing to learn.
			{Zone: dmarcParks + dmarcAt("example.org", "v=DMARC1; p=reject; sp=reject; np=reject")},
			// Said by DMARC014 and DMARC017.
			dmarcZone("v=DMARC1; p=none; rua=dmarc@example.org"),
			dmarcZone("v=DMARC1; p=none; rua_=mailto:dmarc@example.org"),
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		if c.Facts.Kind == facts.Parked {
			c.NotApplicable("the domain sends no mail")
			return
		}
		if asksReports(d.rec) {
			return // whether they come, DMARC003, DMARC014 and DMARC017 say
		}
		d.report("rua", "no rua in %q", short(d.rec.String()))
	},
}

// asksReports reports whether the record has a rua tag, be it misspelt.
func asksReports(rec dmarc.Record) bool {
	return slices.ContainsFunc(rec.Tags, func(t dmarc.Tag) bool {
		return strings.EqualFold(t.Name, "rua") || t.Name != "" && meantTag(rec, t.Name) == "rua"
	})
}

// meantTag is the known tag that an unknown one seems to stand for, empty if
// there is no telling.
func meantTag(rec dmarc.Record, name string) string {
	for _, p := range rec.Problems {
		if p.Kind == dmarc.UnknownTag && p.Tag == name {
			tag, _, _ := strings.Cut(p.Suggestion, "=")
			return tag
		}
	}
	return ""
}
