package rules

import (
	"errors"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var domainNonexistent = audit.Rule{
	ID: "DNS001", Slug: "dns-domain-nonexistent", Severity: audit.Error, Needs: facts.Existence, Since: "0.1",
	Title: "The domain does not exist",
	Refs: []audit.Ref{
		{RFC: 8020, Section: "2", Level: audit.Must},
		{RFC: 5321, Section: "2.3.5", Level: audit.Must},
	},
	Doc: audit.Doc{
		Impact: "Mail to the domain bounces at once. Receivers refuse mail from it, because no reply could ever be delivered: \"550 Sender address rejected: Domain not found\".",
		Remedy: "Check the spelling. If the name is right, look whether its registration has expired or its delegation was removed; if it is a subdomain, add a record for it in the zone.",
		Bad:    []audit.Scenario{{Domain: "gone.example", Zone: `example.org. 3600 IN A 192.0.2.1`}},
		Good: []audit.Scenario{
			{Zone: `example.org. 3600 IN A 192.0.2.1`},
			// A name with nothing but names below it exists too (RFC 8020, Section 2).
			{Zone: `www.example.org. 3600 IN A 192.0.2.1`},
		},
	},
	Check: func(c *audit.Case) {
		s := c.Facts
		if s.Exists != resolve.Absent {
			return
		}
		t := resolve.TypeTXT
		if !errors.Is(s.SPF.Err, resolve.ErrNXDomain) {
			t = resolve.TypeMX
		}
		c.Report(audit.Subject{Name: s.Domain, Type: t}, "DNS answers NXDOMAIN for %s: neither it nor any name below it exists", s.Domain)
	},
}
