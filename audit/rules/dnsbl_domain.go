package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
)

var dnsblDomain = audit.Rule{
	ID: "DNSBL002", Slug: "dnsbl-domain-listed", Severity: audit.Error, Needs: facts.BlockLists, Since: "0.1",
	Title: "The domain is on a block list",
	Refs:  []audit.Ref{{RFC: 5782, Section: "3"}},
	Doc: audit.Doc{
		Impact: "Receivers that use the list refuse mail that names the domain in From, in the envelope or in a link, from whatever address it comes.",
		Remedy: listedRemedy,
		Bad:    []audit.Scenario{{Zone: oneHost, Lists: []string{"list example.org listed"}}},
		Good:   []audit.Scenario{{Zone: oneHost, Lists: []string{}}},
	},
	Check: func(c *audit.Case) { checkListed(c, false) },
}
