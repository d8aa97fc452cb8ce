package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var danePartial = audit.Rule{
	ID: "DANE005", Slug: "dane-partial", Severity: audit.Notice, Needs: facts.MX | facts.TLSA | facts.DNSSEC, Since: "0.1",
	Title: "Some MX hosts have TLSA records and others have none",
	Refs:  []audit.Ref{{RFC: 7672, Section: "2.2.1"}},
	Doc: audit.Doc{
		Impact: "An attacker who makes the protected hosts unreachable gets the mail through the one without records, in clear text if he likes.",
		Remedy: "Publish TLSA records for every MX host, or drop the hosts that cannot have them.",
		Bad: []audit.Scenario{{Zone: tlsaZone + "example.org. 3600 IN MX 20 mx2.example.org.\nmx2.example.org. 3600 IN A 192.0.2.26\n",
			Hosts: []string{"192.0.2.25 good", "192.0.2.26 good"}, Security: append([]string{"mx2.example.org A secure", "mx2.example.org AAAA secure", "_25._tcp.mx2.example.org TLSA secure"}, proven...)}},
		Good: []audit.Scenario{{Zone: tlsaZone, Hosts: []string{"192.0.2.25 good"}, Security: proven}},
	},
	Check: func(c *audit.Case) {
		if noTLSA(c) {
			return
		}
		any := false
		for _, s := range c.Facts.Transport.DANE {
			any = any || s.State == resolve.Present && s.Security == dane.Secure
		}
		if !any {
			c.NotApplicable("no MX host has TLSA records that DNSSEC proves")
			return
		}
		for _, s := range c.Facts.Transport.DANE {
			switch s.State {
			case resolve.Absent:
				c.Report(tlsaSubject(s), "%s has no TLSA record, and other MX hosts have", s.Host)
			case resolve.Unavailable:
				c.Unknown("the TLSA records of %s are unknown: %v", s.Host, s.Err)
			}
		}
	},
}
