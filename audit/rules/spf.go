package rules

import "github.com/mailcheck-go/mailcheck/audit"

var spfRules = []*audit.Rule{
	&spfMissing, &spfMultiple, &spfSyntax, &spfNotRecognized, &spfMisplaced, &spfLookupLimit, &spfVoidLimit,
	&spfPassAll, &spfNeutralAll, &spfNoAll, &spfIncludeWithoutRecord, &spfRedirectIgnored, &spfPTR, &spfLoop,
	&spfWideRange, &spfTermsAfterAll, &spfMultipleAll, &spfModifierMistaken, &spfMXNames, &spfLookupHeadroom,
	&spfSize, &spfReservedAddress, &spfDuplicate, &spfSenderNotAuthorized, &spfStringBoundary, &spfVoidTerm,
	&spfHostBits, &spfHELO, &spfUnaligned,
}
