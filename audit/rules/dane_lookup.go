package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var daneLookup = audit.Rule{
	ID: "DANE002", Slug: "dane-lookup-fails", Severity: audit.Error, Needs: facts.MX | facts.TLSA | facts.DNSSEC, Since: "0.1",
	Title: "The TLSA lookup of a mail host fails in a signed zone",
	Refs:  []audit.Ref{{RFC: 7672, Section: "2.1.2", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Senders that follow DANE cannot tell whether there are records, so they skip the host and keep the mail.",
		Remedy: "Find out why the zone's name servers give no proper answer for _25._tcp of the host: broken denial of existence, a server that does not know the type, or a load balancer that answers A and AAAA only.",
		Bad: []audit.Scenario{
			{Zone: oneHost, Security: []string{"mail.example.org A secure", "mail.example.org AAAA secure", "_25._tcp.mail.example.org TLSA bogus missing-denial"}, Faults: []string{"_25._tcp.mail.example.org TLSA servfail"}},
		},
		Good: []audit.Scenario{
			{Zone: tlsaZone, Hosts: []string{"192.0.2.25 good"}, Security: proven},
			// RFC 7672, Section 2.2.2: without secure addresses nobody asks.
			{Zone: oneHost, Security: []string{}, Faults: []string{"_25._tcp.mail.example.org TLSA servfail"}},
		},
	},
	Check: func(c *audit.Case) {
		if noMX(c) {
			return
		}
		if !c.Facts.Transport.SecurityAsked {
			c.NotApplicable("DNSSEC was not validated")
			return
		}
		for _, s := range c.Facts.Transport.DANE {
			switch {
			case s.Security == dane.Bogus && s.Addresses != dane.Bogus:
				c.Report(tlsaSubject(s), "the TLSA lookup of %s does not validate: %s", s.Host, reason(c.Facts, s.Owner, resolve.TypeTLSA))
			case s.State == resolve.Unavailable && s.Security != dane.Insecure:
				c.Unknown("the TLSA records of %s are unknown: %v", s.Host, s.Err)
			}
		}
	},
}

// reason tells what validation found wrong.
func reason(s *facts.Snapshot, name resolve.Name, t resolve.Type) string {
	r := s.Transport.Security[resolve.Question{Name: name, Type: t}]
	text := string(r.Reason)
	if r.Detail != "" {
		text += ": " + r.Detail
	}
	if text == "" {
		return "no reason is known"
	}
	return text
}
