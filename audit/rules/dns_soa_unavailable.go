package rules

import (
	"errors"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var soaUnavailable = audit.Rule{
	ID: "DNS004", Slug: "dns-soa-unavailable", Severity: audit.Warning, Needs: facts.Existence, Since: "0.1",
	Title: "The domain's SOA record cannot be read, though other records can",
	Refs:  []audit.Ref{{Title: "Yahoo SMTP error codes", URL: yahooReplies}, {RFC: 1035, Section: "3.3.13"}},
	Doc: audit.Doc{
		Impact: "Yahoo and AOL look for the SOA record of the domains in From and MAIL FROM, and delay mail with 451 while the lookup fails.",
		Remedy: "Let the name servers answer for every type: a DNS load balancer or an old server that answers only the types it knows is the usual cause.",
		Bad:    []audit.Scenario{{Zone: oneHost, Faults: []string{"example.org SOA servfail"}}},
		Good:   []audit.Scenario{{Zone: nsZone}, {Zone: oneHost}},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		switch f := c.Facts.Around.SOA; {
		case f.State != resolve.Unavailable:
		case errors.Is(f.Err, resolve.ErrServFail) || errors.Is(f.Err, resolve.ErrRefused):
			if c.Facts.MX.State != resolve.Unavailable && len(c.Facts.Loops) == 0 {
				c.Report(audit.Subject{Name: c.Facts.Domain, Type: resolve.TypeSOA}, "the lookup fails: %v", f.Err)
				return
			}
			c.Unknown("the SOA record is unknown: %v", f.Err)
		default:
			c.Unknown("the SOA record is unknown: %v", f.Err)
		}
	},
}
