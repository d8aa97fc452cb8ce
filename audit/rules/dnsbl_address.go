package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
)

var dnsblAddress = audit.Rule{
	ID: "DNSBL001", Slug: "dnsbl-address-listed", Severity: audit.Error, Needs: facts.BlockLists, Since: "0.1",
	Title: "A sending address is on a block list",
	Refs:  []audit.Ref{{RFC: 5782, Section: "2.1"}},
	Doc: audit.Doc{
		Impact: "Receivers that use the list refuse the mail, mostly with 550 or 554 and the name of the list, or file it as spam.",
		Remedy: listedRemedy,
		Bad:    []audit.Scenario{{Zone: oneHost, Addresses: []string{"192.0.2.25"}, Lists: []string{"list 192.0.2.25 listed"}}},
		Good:   []audit.Scenario{{Zone: oneHost, Addresses: []string{"192.0.2.25"}, Lists: []string{}}},
	},
	Check: func(c *audit.Case) { checkListed(c, true) },
}
