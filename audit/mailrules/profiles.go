package mailrules

import (
	"sync"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/rules"
)

// decision is how a demand is decided by a mail.
type decision struct {
	rules    []audit.ID
	any      [][]audit.ID
	partly   string
	optional bool // void for mail that is not of the kind
}

// The rules of a fact: each has a finding unless the fact holds.
var (
	spfPasses   = []audit.ID{"AUTH001", "AUTH002"}
	dkimPasses  = []audit.ID{"AUTH003", "AUTH004"}
	hasPolicy   = []audit.ID{"AUTH011"}
	aligned     = []audit.ID{"AUTH010", "AUTH012"}
	named       = []audit.ID{"AUTH018"}
	formed      = []audit.ID{"MSG001", "MSG002", "MSG004"}
	wellFormed  = []audit.ID{"MSG001", "MSG002", "MSG003", "MSG004", "MSG006", "MSG007", "MSG008", "MSG009"}
	oneClick    = []audit.ID{"UNS001", "UNS002", "UNS003", "UNS004"}
	visibleLink = []audit.ID{"UNS006"}
	takesMail   = []audit.ID{"AUTH022"}
	sealed      = []audit.ID{"AUTH014", "AUTH015", "AUTH024"}
)

// listsElsewhere is why a mail does not decide what block lists say: nobody asks them
// about hosts that a mail names.
const listsElsewhere = "block lists are asked by mailcheck audit domain --dnsbl --ip"

const thisMail = "true of this mail; others of the sender may differ"

// decisions say for each demand which rules decide it. Those left out only the
// receiver can tell: how many readers report the mail as spam.
var decisions = sync.OnceValue(func() map[string]decision {
	either := decision{any: [][]audit.ID{spfPasses, dkimPasses}, partly: thisMail}
	must := func(ids ...[]audit.ID) decision {
		d := decision{partly: thisMail}
		for _, l := range ids {
			d.rules = append(d.rules, l...)
		}
		return d
	}
	bulk := func(d decision) decision {
		d.optional = true
		return d
	}
	return map[string]decision{
		"gmail-auth": either, "gmail-ptr": must(named), "gmail-tls": must([]audit.ID{"AUTH021"}), "gmail-format": must(formed),
		"gmail-from": must([]audit.ID{"AUTH023"}), "gmail-bulk-spf": must(spfPasses), "gmail-bulk-dkim": must(dkimPasses),
		"gmail-bulk-dmarc": must(hasPolicy), "gmail-bulk-alignment": must(aligned), "gmail-bulk-unsubscribe": bulk(must(oneClick, visibleLink)),

		"yahoo-auth": either, "yahoo-ptr": must(named, []audit.ID{"AUTH019"}), "yahoo-domain": must(takesMail), "yahoo-format": must(wellFormed),
		"yahoo-bulk-spf": must(spfPasses), "yahoo-bulk-dkim": must(dkimPasses), "yahoo-bulk-dmarc": must(hasPolicy), "yahoo-bulk-alignment": must(aligned),
		"yahoo-bulk-unsubscribe": bulk(must([]audit.ID{"UNS001"}, visibleLink)),

		"outlook-ptr": must(named), "outlook-bulk-spf": must(spfPasses), "outlook-bulk-dkim": must(dkimPasses), "outlook-bulk-dmarc": must(hasPolicy),
		"outlook-bulk-alignment": must(aligned), "outlook-bulk-reply": must(takesMail, []audit.ID{"MSG015"}), "outlook-bulk-unsubscribe": bulk(must(visibleLink)),

		"icloud-bulk-spf": must(spfPasses), "icloud-bulk-dkim": must(dkimPasses), "icloud-bulk-dmarc": must(hasPolicy), "icloud-bulk-ptr": must(named),
		"yahoo-blocklist": {partly: listsElsewhere}, "outlook-blocklist": {partly: listsElsewhere},

		"icloud-bulk-arc": bulk(must(sealed)), "icloud-bulk-unsubscribe": bulk(must(visibleLink)),
	}
})

// Profiles returns what large receivers demand of senders, with the rules that decide
// it for one mail. The demands are those of package audit/rules.
func Profiles() []audit.Profile {
	list := rules.Profiles()
	for i := range list {
		p := &list[i]
		own := make([]audit.Requirement, 0, len(p.Requirements))
		for _, q := range p.Requirements {
			d := decisions()[q.ID]
			q.Rules, q.Any, q.Partly, q.Unless = d.rules, d.any, d.partly, nil
			q.Strict, q.Optional = true, d.optional
			own = append(own, q)
		}
		p.Requirements = own
	}
	return list
}
