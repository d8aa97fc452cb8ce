package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dkimDelegated = audit.Rule{
	ID: "DKIM018", Slug: "dkim-delegated", Severity: audit.Notice, Since: "0.1",
	Title: "The keys of the domain are kept outside of its zone",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.6.2.1"}, {RFC: 1034, Section: "3.6.2"}, {RFC: 1034, Section: "4.2"}},
	Doc: audit.Doc{
		Impact: "With _domainkey delegated to other name servers, whoever runs those can publish keys at any selector and sign as the domain; records added to the domain's own zone below _domainkey are never seen. A CNAME at _domainkey itself does nothing for selectors, as an alias covers its own name only.",
		Remedy: "If a provider was meant to manage the keys, nothing is wrong: change keys there. If not, remove the NS records of _domainkey and publish the selectors in the zone. Replace a CNAME at _domainkey by one CNAME for each selector.",
		Bad: []audit.Scenario{
			{Zone: signs + "_domainkey.example.org. 3600 IN SOA ns1.vendor.example. admin.vendor.example. 1 7200 3600 1209600 300\n_domainkey.example.org. 3600 IN NS ns1.vendor.example.\ns1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
			{Zone: signs + "_domainkey.example.org. 3600 IN CNAME keys.vendor.example.\nkeys.vendor.example. 3600 IN A 192.0.2.1\ns1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
		},
		Good: []audit.Scenario{
			{Zone: signs + "example.org. 3600 IN SOA ns1.example.org. admin.example.org. 1 7200 3600 1209600 300\ns1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
			// An alias for each selector is the usual way.
			{Zone: signs + "s1._domainkey.example.org. 3600 IN CNAME s1.vendor.example.\ns1.vendor.example. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		d := c.Facts.DKIM.Domainkey
		at := audit.TXT(d.Name)
		switch {
		case !d.Target.IsZero():
			f := c.Report(at.WithTerm("CNAME"), "%s is an alias of %s, which selectors below it do not follow", d.Name, d.Target)
			if c.Facts.DKIM.Conclusion != dkim.KeyFound {
				f.At(audit.Warning) // whoever wrote it meant selectors to be found there
			}
		case d.State == resolve.Unavailable:
			c.Unknown("whether _domainkey is delegated is unknown: %v", d.Err)
		case d.Answer.SOA != nil && d.Answer.SOA.Name.Within(d.Name):
			// The SOA record of a negative answer names the zone (RFC 2308, Section 3).
			server := "other name servers"
			if soa, ok := d.Answer.SOA.Data.(resolve.SOA); ok {
				server = soa.MName.String()
			}
			c.Report(at.WithTerm("NS"), "%s is a zone of its own, kept at %s", d.Answer.SOA.Name, server)
		}
	},
}
