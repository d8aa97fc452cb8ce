package rules

import "github.com/mailcheck-go/mailcheck/audit"

var dmarcRules = []*audit.Rule{
	&dmarcMissing, &dmarcMultiple, &dmarcSyntax, &dmarcPolicyMissing, &dmarcPolicyInvalid,
	&dmarcNotRecognized, &dmarcMisplaced, &dmarcRemovedTags, &dmarcTestMode, &dmarcNoRUA,
	&dmarcUnauthorized, &dmarcPolicyNone, &dmarcSubdomainsOpen, &dmarcURIInvalid, &dmarcUndeliverable,
	&dmarcDuplicateTag, &dmarcUnknownTag, &dmarcSubdomainTags, &dmarcGenerations, &dmarcPSD,
	&dmarcNearerIgnored, &dmarcUnrelated, &dmarcOptionInvalid, &dmarcRUF, &dmarcParked, &dmarcAlias,
}
