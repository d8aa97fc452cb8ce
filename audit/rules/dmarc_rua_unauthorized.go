package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// dmarcElsewhere is a sending domain whose reports go to example.net.
const dmarcElsewhere = dmarcSends + "_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=none; rua=mailto:reports@example.net\"\nexample.net. 3600 IN MX 10 mail.example.org.\n"

var dmarcUnauthorized = audit.Rule{
	ID: "DMARC011", Slug: "dmarc-rua-unauthorized", Severity: audit.Warning, Since: "0.1",
	Title: "The domain that DMARC reports go to has not agreed to take them",
	Refs:  []audit.Ref{{RFC: 9990, Section: "4", Level: audit.Must}, {RFC: 7489, Section: "7.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Receivers send reports to another organization only if it says in its DNS that it wants them. Without that they drop the address in silence, and no report arrives.",
		Remedy: "Ask whoever runs the destination to publish its agreement: a TXT record \"v=DMARC1\" at <your domain>._report._dmarc.<destination>. Or use an address in your own domain that forwards.",
		Bad: []audit.Scenario{
			{Zone: dmarcElsewhere},
			// A wildcard with something else does not agree.
			{Zone: dmarcElsewhere + "*.example.net. 3600 IN TXT \"v=spf1 -all\"\n"},
			// Agreement for a subdomain is none for the domain that holds the record.
			{Domain: "news.example.org", Zone: dmarcElsewhere + dmarcSub + "news.example.org._report._dmarc.example.net. 3600 IN TXT \"v=DMARC1\"\n"},
			// It redirects reports to a third host.
			{Zone: dmarcElsewhere + "example.org._report._dmarc.example.net. 3600 IN TXT \"v=DMARC1; rua=mailto:a@example.com\"\n"},
		},
		Good: []audit.Scenario{
			{Zone: dmarcElsewhere + "example.org._report._dmarc.example.net. 3600 IN TXT \"v=DMARC1\"\n"},
			{Zone: dmarcElsewhere + "example.org._report._dmarc.example.net. 3600 IN TXT \"v=DMARC1;\"\n"},
			{Zone: dmarcElsewhere + "*._report._dmarc.example.net. 3600 IN TXT \"v=DMARC1\"\n"},
			{Domain: "news.example.org", Zone: dmarcElsewhere + dmarcSub + "example.org._report._dmarc.example.net. 3600 IN TXT \"v=DMARC1\"\n"},
			// The same organization needs no agreement.
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@mail.example.org"),
		},
	},
	Check: func(c *audit.Case) {
		d, ok := dmarcRecord(c)
		if !ok {
			return
		}
		seen := map[string]bool{}
		if n := len(d.rec.RUA); n > dmarc.MaxDestinations {
			c.Unknown("only the first %d of %d destinations were looked at", dmarc.MaxDestinations, n)
		}
		for _, x := range c.Facts.Reports {
			if x.Tag != "rua" || !x.URI.Valid || x.Host.IsZero() || x.URI.Scheme != "mailto" || seen[x.URI.Text] {
				continue
			}
			seen[x.URI.Text] = true
			switch x.Authorized {
			case resolve.Absent:
				reportUnauthorized(d, c.Facts, x)
			case resolve.Unavailable:
				c.Unknown("whether %s takes reports about %s is unknown: %v", x.Host, c.Facts.DMARC.Policy.Domain, x.Err)
			}
		}
	},
}

func reportUnauthorized(d dmarcCase, s *facts.Snapshot, x dmarc.Destination) {
	term := "rua " + short(x.URI.Text)
	switch {
	case x.Query.IsZero():
		d.report(term, "reports to %s are not sent: the name at which %s would agree is too long for DNS", short(x.URI.Text), x.Host).
			Advise("Use an address in %s that forwards to %s.", s.DMARC.Policy.Domain, x.Host)
	case len(x.Override) > 0:
		d.report(term, "reports to %s are not sent: %s redirects them to another host, which is not allowed", short(x.URI.Text), x.Host).
			About(s, x.Query, resolve.TypeTXT).
			Advise("Ask whoever runs %s to take the rua with another host out of the record at %s.", x.Host, x.Query)
	default:
		f := d.report(term, "reports to %s are not sent: there is no agreement at %s", short(x.URI.Text), x.Query)
		if len(x.Misses) > 0 {
			f.Message += ", only other text"
		}
		f.About(s, x.Query, resolve.TypeTXT).
			Advise("Have whoever runs %s publish: %s IN TXT \"v=DMARC1\". Or use an address in %s that forwards there.", x.Host, x.Query.FQDN(), s.DMARC.Policy.Domain)
	}
}
