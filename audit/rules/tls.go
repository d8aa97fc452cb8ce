package rules

import "github.com/mailcheck-go/mailcheck/audit"

var tlsRules = []*audit.Rule{&tlsMissing, &tlsFails, &tlsUntrusted, &tlsName, &tlsExpired, &tlsExpiring, &tlsWeakKey, &tlsOld, &tlsInjection}
