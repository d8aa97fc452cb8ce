package rules

import (
	"slices"
	"sync"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
)

// profilesReviewed is the day on which the receivers' pages were last compared
// with the data.
const profilesReviewed = "2026-11-23"

const (
	allSenders  = "all senders"
	bulkSenders = "bulk senders"
)

// The pages of the receivers.
const (
	gmailGuidelines = "https://support.google.com/mail/answer/81126"
	gmailFAQ        = "https://support.google.com/a/answer/14229414"
	gmailReplies    = "https://support.google.com/a/answer/3726730"
	yahooPractices  = "https://senders.yahooinc.com/best-practices"
	yahooFAQ        = "https://senders.yahooinc.com/faqs"
	yahooReplies    = "https://senders.yahooinc.com/smtp-error-codes"
	outlookBlog     = "https://techcommunity.microsoft.com/blog/microsoftdefenderforoffice365blog/strengthening-email-ecosystem-outlook%E2%80%99s-new-requirements-for-high%E2%80%90volume-senders/4399730"
	// Microsoft's postmaster pages moved here from postmaster.live.com.
	outlookReplies = "https://substrate.office.com/ip-domain-management-snds/Postmaster/Troubleshooting"
	icloudPage     = "https://support.apple.com/en-us/102322"
)

// References of rules to the pages.
var (
	gmailSenders   = audit.Ref{Title: "Gmail email sender guidelines", URL: gmailGuidelines}
	gmailCodes     = audit.Ref{Title: "Gmail SMTP errors and codes", URL: gmailReplies}
	outlookSenders = audit.Ref{Title: "Outlook.com requirements for high-volume senders", URL: outlookBlog}
)

// The rules that decide what DNS can tell of a demand. Errors in them mean that
// the receiver cannot be content.
var (
	spfDecides   = []audit.ID{"SPF001", "SPF002", "SPF003", "SPF004", "SPF005", "SPF006", "SPF011", "SPF014", "SPF019", "SPF024"}
	dkimDecides  = []audit.ID{"DKIM001", "DKIM002", "DKIM003", "DKIM004", "DKIM006", "DKIM008"}
	dmarcDecides = []audit.ID{"DMARC001", "DMARC002", "DMARC004", "DMARC005", "DMARC006", "DMARC007"}
	ptrDecides   = []audit.ID{"IP001", "IP002"}
	listsDecide  = []audit.ID{"DNSBL001"}
)

const (
	spfPartly   = "the record is in order; whether the addresses that send are in it, only mail or a list of them can tell"
	dkimPartly  = "a key is published; whether mail is signed with it, only mail can tell"
	eitherPart  = "DNS is in order for one of the two; whether mail passes, only mail can tell"
	ptrPartly   = "the addresses given have confirmed names; others may be in use"
	listsPartly = "the addresses given are on no list that large receivers heed; others may be in use"
	dmarcPartly = "a policy applies; whether mail passes it, only mail can tell"
)

// silent are the kinds of domains that send nothing: demands on senders do not
// concern them.
var silent = []facts.Kind{facts.Parked, facts.Receives, facts.Nonexistent}

var profiles = sync.OnceValue(func() []audit.Profile {
	return []audit.Profile{gmailProfile(), yahooProfile(), outlookProfile(), icloudProfile()}
})

// Profiles returns what large receivers demand of senders. Parts of each cannot
// be known from DNS, so no domain is shown to fulfil one.
func Profiles() []audit.Profile { return slices.Clone(profiles()) }

// demand is a requirement that the rules decide as far as DNS can.
func demand(q audit.Requirement, partly string, rules []audit.ID) audit.Requirement {
	q.Rules, q.Partly, q.Unless = rules, partly, silent
	return q
}

// eitherAuth is the demand for one of SPF and DKIM.
func eitherAuth(q audit.Requirement) audit.Requirement {
	q.Any, q.Partly, q.Unless = [][]audit.ID{spfDecides, dkimDecides}, eitherPart, silent
	return q
}

// unseen is a requirement that DNS says nothing about.
func unseen(q audit.Requirement) audit.Requirement {
	q.Unless = silent
	return q
}
