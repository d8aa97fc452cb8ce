package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var daneInsecure = audit.Rule{
	ID: "DANE004", Slug: "dane-insecure", Severity: audit.Notice, Needs: facts.MX | facts.TLSA | facts.DNSSEC, Since: "0.1",
	Title: "TLSA records are not protected by DNSSEC",
	Refs:  []audit.Ref{{RFC: 7672, Section: "2.1.1", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Senders ignore the records, so they protect nothing. Mail is delivered as if they were not there.",
		Remedy: "Sign the zone of the MX host, and that of the mail domain, and publish the DS records at the registries. Or remove the records.",
		Bad: []audit.Scenario{
			{Zone: tlsaZone, Hosts: []string{"192.0.2.25 good"}, Security: []string{}},
			{Zone: tlsaZone, Hosts: []string{"192.0.2.25 good"}, Security: append([]string{"example.org MX insecure no-ds"}, proven[1:]...)},
		},
		Good: []audit.Scenario{{Zone: tlsaZone, Hosts: []string{"192.0.2.25 good"}, Security: proven}},
	},
	Check: func(c *audit.Case) {
		if noTLSA(c) {
			return
		}
		if !c.Facts.Transport.SecurityAsked {
			c.NotApplicable("DNSSEC was not validated")
			return
		}
		mx := c.Facts.Transport.Security[resolve.Question{Name: c.Facts.Domain, Type: resolve.TypeMX}]
		for _, s := range c.Facts.Transport.DANE {
			switch {
			case s.State != resolve.Present:
			case s.Security == dane.Insecure:
				c.Report(tlsaSubject(s), "%s has %s that DNSSEC does not prove, so senders ignore them", s.Host, records(s))
			case s.Security == dane.Indeterminate:
				unproven(c, s)
			case mx.Status == "insecure":
				// RFC 7672, Section 2.2.1: an attacker can name another host.
				c.Report(tlsaSubject(s), "%s has %s that DNSSEC proves, and the MX records of %s are not signed, so an attacker can name another host", s.Host, records(s), c.Facts.Domain)
			}
		}
	},
}
