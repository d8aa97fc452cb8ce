package rules

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dnsWildcard = audit.Rule{
	ID: "DNS005", Slug: "dns-wildcard", Severity: audit.Notice, Needs: facts.Existence, Since: "0.1",
	Title: "A wildcard gives mail records to names that nobody set up",
	Refs:  []audit.Ref{{RFC: 4592, Section: "2.2"}, {RFC: 9989, Section: "4.10"}},
	Doc: audit.Doc{
		Impact: "Every name below the domain exists: DMARC's np for names that do not exist never applies, such names can be used as senders, and the names of policies (_mta-sts, _smtp._tls, selectors) answer with text that is none.",
		Remedy: "Replace the wildcard by records for the names in use.",
		Bad: []audit.Scenario{
			{Zone: oneHost + "*.example.org. 3600 IN MX 10 mail.example.org.\n"},
			{Zone: oneHost + "*.example.org. 3600 IN TXT \"v=spf1 include:spf.example.net -all\"\n"},
		},
		Good: []audit.Scenario{{Zone: oneHost}, {Zone: oneHost + "*.example.org. 3600 IN A 192.0.2.80\n"}},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		w := &c.Facts.Around
		if w.WildcardState == resolve.Unavailable {
			c.Unknown("whether names that nobody set up exist is unknown")
			return
		}
		var types []string
		for _, t := range []resolve.Type{resolve.TypeMX, resolve.TypeTXT} {
			if a, ok := w.Wildcard[t]; ok {
				text := t.String()
				if len(a.Records) > 0 {
					text += " " + fmt.Sprintf("%.100q", a.Records[0].Data.String())
				} else {
					text = "CNAME " + a.Chain[0].Target.String()
				}
				types = append(types, text)
			}
		}
		if len(types) == 0 {
			return
		}
		c.Report(audit.Subject{Name: w.WildcardName, Type: resolve.TypeMX}, "%s, which nobody set up, has %s", w.WildcardName, strings.Join(types, " and ")).
			About(c.Facts, w.WildcardName, resolve.TypeTXT)
	},
}
