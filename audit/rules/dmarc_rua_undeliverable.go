package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dmarcUndeliverable = audit.Rule{
	ID: "DMARC015", Slug: "dmarc-rua-undeliverable", Severity: audit.Warning, Since: "0.1",
	Title: "The domain that DMARC reports go to takes no mail",
	Refs:  []audit.Ref{{RFC: 5321, Section: "5.1"}, {RFC: 7505, Section: "3"}, {RFC: 9990, Section: "3"}},
	Doc: audit.Doc{
		Impact: "Every report bounces, so nobody learns what fails. Receivers stop trying after some bounces.",
		Remedy: "Use an address at a domain that takes mail, or give the domain an MX record.",
		Bad: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@reports.example.org"),
			{Zone: dmarcParks + dmarcAt("example.org", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org")},
			{Zone: dmarcSends + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@reports.example.org") + "reports.example.org. 3600 IN TXT \"v=spf1 -all\"\n"},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org"),
			// Without MX, mail goes to the address.
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@mail.example.org"),
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		why := map[string]string{"null-mx": "has a null MX", "none": "has no MX record and no address"}
		seen := map[string]bool{}
		if n := len(d.rec.RUA); n > dmarc.MaxDestinations {
			c.Unknown("only the first %d of %d destinations were looked at", dmarc.MaxDestinations, n)
		}
		for _, x := range c.Facts.Reports {
			if x.Tag != "rua" || !x.URI.Valid || x.URI.Scheme != "mailto" || x.Host.IsZero() || seen[x.URI.Text] {
				continue
			}
			seen[x.URI.Text] = true
			switch {
			case x.Authorized == resolve.Absent: // DMARC011: no report is sent in the first place
			case x.Receives == resolve.Absent && why[x.Mail] != "":
				d.report("rua "+short(x.URI.Text), "reports to %s bounce: %s %s", short(x.URI.Text), x.Host, why[x.Mail]).
					About(c.Facts, x.Host, resolve.TypeMX).About(c.Facts, x.Host, resolve.TypeA).About(c.Facts, x.Host, resolve.TypeAAAA)
			case x.Receives == resolve.Unavailable:
				c.Unknown("whether %s takes mail is unknown: %v", x.Host, x.Err)
			}
		}
	},
}
