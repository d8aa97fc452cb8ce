package mailrules

import (
	"slices"
	"sync"

	"github.com/mailcheck-go/mailcheck/audit"
)

// table is every rule in the order of the report.
var table = sync.OnceValue(func() []audit.Rule {
	var out []audit.Rule
	for _, family := range [][]*audit.Rule{authRules, messageRules, unsubscribeRules} {
		for _, r := range family {
			out = append(out, *r)
		}
	}
	return out
})

// All returns the table of rules.
func All() []audit.Rule { return slices.Clone(table()) }

var authRules = []*audit.Rule{
	&spfFails, &spfNone, &dkimUnsigned, &dkimNoneVerifies, &dkimOneFails, &dkimWeakKey, &dkimLength, &dkimCoverage, &dkimClock,
	&dmarcFails, &dmarcNoPolicy, &notAligned, &oneLeg, &arcBroken, &forwardedUnsealed, &verdictDiffers, &verdictForged,
	&clientName, &clientGeneric, &clientHelo, &tlsOld, &domainNoMail, &fromFreemail, &forwardedNoARC,
}

var messageRules = []*audit.Rule{
	&fromInvalid, &headerRepeated, &dateWrong, &messageID, &headerMissing, &headerEightBit, &headerMalformed,
	&lineEnds, &longLines, &mimeBroken, &addressMalformed, &addressInName, &placeholder, &replyAlone, &noReply,
	&textPart, &htmlActive, &htmlLarge, &links, &attachments, &hiddenText, &images,
	&filedAsSpam, &verdictVoid, &delayed, &clockBackwards,
}

var unsubscribeRules = []*audit.Rule{
	&unsubMissing, &oneClickMissing, &oneClickForm, &oneClickUnsigned, &oneClickUnaligned, &unsubLink, &unsubToken,
}
