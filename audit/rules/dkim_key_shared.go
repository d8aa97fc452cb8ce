package rules

import "github.com/mailcheck-go/mailcheck/audit"

// The run over several domains reports it: one domain alone cannot show it.
var dkimKeyShared = audit.Rule{
	ID: audit.KeyShared, Slug: "dkim-key-of-several-domains", Severity: audit.Notice, Since: "0.1",
	Title: "Several of the audited domains publish one DKIM key",
	Refs:  []audit.Ref{{RFC: 6376, Section: "8.3"}, {RFC: 6376, Section: "3.1"}},
	Doc: audit.Doc{
		Impact: "Whoever gets the private key of one domain can sign as all of them, and the key can only be changed for all at once.",
		Remedy: "Make a key of its own for each domain (mailcheck dkim keygen), or let the domains' selectors be aliases (CNAME) of one record, so that one change of the key reaches all.",
	},
}
