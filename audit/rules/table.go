package rules

import (
	"slices"
	"sync"

	"github.com/mailcheck-go/mailcheck/audit"
)

// table is every rule in the order of the report. The rules of a family stand
// in the list of its own file: spf.go, dkim.go, dmarc.go, mx.go and so on.
var table = sync.OnceValue(func() []audit.Rule {
	var out []audit.Rule
	for _, family := range [][]*audit.Rule{domainRules, spfRules, dkimRules, dmarcRules, mxRules, senderRules,
		tlsRules, stsRules, tlsrptRules, daneRules, nsRules, dnssecRules,
		dnsblRules, bimiRules, configRules} {
		for _, r := range family {
			out = append(out, *r)
		}
	}
	return out
})

// All returns the table of rules.
func All() []audit.Rule { return slices.Clone(table()) }
