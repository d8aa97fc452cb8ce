package rules

import (
	"slices"
	"sync"

	"github.com/mailcheck-go/mailcheck/audit"
)

// table is every rule in the order of the report. The rules of a family stand
// in the list of its own file: spf.go, dkim.go, dmarc.go, mx.go, sender.go.
var table = sync.OnceValue(func() []audit.Rule {
	var out []audit.Rule
	for _, family := range [][]*audit.Rule{domainRules, spfRules, dkimRules, dmarcRules, mxRules, senderRules, configRules} {
		for _, r := range family {
			out = append(out, *r)
		}
	}
	return out
})

// All returns the table of rules.
func All() []audit.Rule { return slices.Clone(table()) }
