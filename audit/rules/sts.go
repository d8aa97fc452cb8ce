package rules

import "github.com/mailcheck-go/mailcheck/audit"

var stsRules = []*audit.Rule{&stsMultiple, &stsInvalid, &stsMissing, &stsPolicyMissing, &stsRedirect, &stsCertificate, &stsPolicyInvalid,
	&stsMXUncovered, &stsNotEnforced, &stsMaxAge, &stsContentType}
