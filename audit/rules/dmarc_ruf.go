package rules

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dmarcRUF = audit.Rule{
	ID: "DMARC024", Slug: "dmarc-ruf", Severity: audit.Notice, Since: "0.1",
	Title: "The DMARC record asks for failure reports",
	Refs:  []audit.Ref{{RFC: 9991, Section: "5"}, {RFC: 9989, Section: "4.7"}},
	Doc: audit.Doc{
		Impact: "Failure reports can hold addresses, subjects and text of single mails, also of your own users' private ones. Few receivers send any, and large ones do not plan to.",
		Remedy: "Take ruf and fo out, unless you have a use for the reports and a lawful ground to keep them. Aggregate reports (rua) have what is needed to find failing mail.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; p=reject; rua=mailto:dmarc@example.org; ruf=mailto:dmarc@example.org"),
			dmarcZone("v=DMARC1; p=reject; rua=mailto:dmarc@example.org; ruf=https://example.org/dmarc"),
			dmarcZone("v=DMARC1; p=reject; rua=mailto:dmarc@example.org; ruf=mailto:dmarc@example.net"),
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=reject; rua=mailto:dmarc@example.org"),
			// Not usable, so none come: DMARC014.
			dmarcZone("v=DMARC1; p=reject; rua=mailto:dmarc@example.org; ruf=dmarc@example.org"),
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		var to, odd []string
		for _, u := range d.rec.RUF {
			switch {
			case !u.Valid:
			case u.Scheme != "mailto":
				odd = append(odd, u.Text)
			default:
				to = append(to, u.Text)
			}
		}
		if len(to)+len(odd) == 0 {
			return
		}
		text := fmt.Sprintf("failure reports are asked for at %s", short(strings.Join(append(to, odd...), ", ")))
		if len(odd) > 0 {
			text += "; receivers need not support anything but mailto"
		}
		f := d.report("ruf", "%s", text)
		seen := map[resolve.Name]bool{}
		for _, x := range c.Facts.Reports {
			if x.Tag == "ruf" && x.URI.Valid && x.Authorized == resolve.Absent && !x.Query.IsZero() && !seen[x.Query] {
				seen[x.Query] = true
				f.Message += fmt.Sprintf("; %s has not agreed to take them (no v=DMARC1 at %s)", x.Host, x.Query)
				f.About(c.Facts, x.Query, resolve.TypeTXT)
			}
		}
	},
}
