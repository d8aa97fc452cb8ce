package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
)

var domainRules = []*audit.Rule{&domainNonexistent, &domainAliasLoop, &domainTCPBlocked, &soaUnavailable, &dnsWildcard}
