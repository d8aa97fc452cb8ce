package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
)

// yahooProfile is what Yahoo demands for its own and all hosted brands, AOL among
// them. It does not give a number for bulk.
func yahooProfile() audit.Profile {
	const start, unsubscribe = "2024-02", "2024-06"
	return audit.Profile{
		ID: "yahoo", Title: "Yahoo and AOL", Reviewed: profilesReviewed,
		Sources: []string{yahooPractices, yahooFAQ, yahooReplies},
		Requirements: []audit.Requirement{
			eitherAuth(audit.Requirement{ID: "yahoo-auth", Scope: allSenders, Since: start, Source: yahooPractices,
				Text:   "SPF or DKIM passes.",
				Effect: "refused with 553 or 554, or delayed with 421 or 451"}),
			demand(audit.Requirement{ID: "yahoo-ptr", Scope: allSenders, Since: start, Source: yahooPractices,
				Text:   "Every sending address has a PTR whose name leads back to it and does not look generic.",
				Effect: "delayed or refused"}, ptrPartly, append([]audit.ID{"IP003"}, ptrDecides...)),
			{ID: "yahoo-domain", Scope: allSenders, Since: start, Source: yahooReplies,
				Text:   "The domains of From and MAIL FROM exist and have no null MX.",
				Effect: "refused with 553 or 554; delayed with 451 while DNS does not answer",
				Rules:  []audit.ID{"DNS001", "DNS004", "MX007"}, Unless: []facts.Kind{facts.Parked, facts.Receives},
				Partly: "the domain exists; for one deep below its zone Yahoo may still find no SOA record"},
			demand(audit.Requirement{ID: "yahoo-blocklist", Scope: allSenders, Source: yahooReplies,
				Text:   "No sending address is listed by Spamhaus.",
				Effect: "refused with 553 or 554, such as 553 5.7.1 [BL21]"}, listsPartly, listsDecide),
			unseen(audit.Requirement{ID: "yahoo-spam-rate", Scope: allSenders, Since: start, Source: yahooPractices,
				Text:   "Users report less than 0.3 % of the mail in the inbox as spam.",
				Effect: "filed as spam, delayed or refused"}),
			unseen(audit.Requirement{ID: "yahoo-format", Scope: allSenders, Since: start, Source: yahooPractices,
				Text:   "Mail follows RFC 5321 and RFC 5322.",
				Effect: "refused with 554"}),
			demand(audit.Requirement{ID: "yahoo-bulk-spf", Scope: bulkSenders, Since: start, Source: yahooPractices,
				Text:   "SPF passes.",
				Effect: "refused with 553 or 554, or delayed"}, spfPartly, spfDecides),
			demand(audit.Requirement{ID: "yahoo-bulk-dkim", Scope: bulkSenders, Since: start, Source: yahooPractices,
				Text:   "DKIM passes, with a key of at least 1024 bits.",
				Effect: "refused with 553 or 554, or delayed"}, dkimPartly, dkimDecides),
			demand(audit.Requirement{ID: "yahoo-bulk-dmarc", Scope: bulkSenders, Since: start, Source: yahooPractices,
				Text:   "A DMARC record with a policy applies to the From domain; p=none is enough.",
				Effect: "refused with 553 or 554, or delayed"}, dmarcPartly, dmarcDecides),
			unseen(audit.Requirement{ID: "yahoo-bulk-alignment", Scope: bulkSenders, Since: start, Source: yahooPractices,
				Text:   "DMARC passes: the From domain is aligned with that of SPF or of DKIM; relaxed is enough.",
				Effect: "refused with 553 or 554, or delayed"}),
			unseen(audit.Requirement{ID: "yahoo-bulk-unsubscribe", Scope: bulkSenders, Since: unsubscribe, Source: yahooFAQ,
				Text:   "Marketing and subscribed mail has List-Unsubscribe, best by RFC 8058, and a visible link; requests are honoured in 2 days.",
				Effect: "filed as spam, delayed or refused"}),
		},
	}
}

// outlookProfile is what Microsoft demands for mail to its consumer domains. Bulk
// is more than 5000 messages a day by the domain of the From field.
func outlookProfile() audit.Profile {
	const start = "2025-05-05"
	const refused = "refused with 550 5.7.515, or filed as junk at first"
	return audit.Profile{
		ID: "outlook", Title: "Outlook.com, Hotmail and Live", Reviewed: profilesReviewed,
		Sources: []string{outlookBlog, outlookReplies},
		Requirements: []audit.Requirement{
			demand(audit.Requirement{ID: "outlook-ptr", Scope: allSenders, Source: outlookBlog,
				Text:   "Sending addresses have reverse DNS; dynamic addresses may be refused.",
				Effect: "refused or filed as junk"}, ptrPartly, ptrDecides),
			demand(audit.Requirement{ID: "outlook-blocklist", Scope: allSenders, Source: outlookReplies,
				Text:   "No sending address is listed by Spamhaus.",
				Effect: "refused with 550 OU-001, or DY-001 for a dynamic address"}, listsPartly, listsDecide),
			demand(audit.Requirement{ID: "outlook-bulk-spf", Scope: bulkSenders, Since: start, Source: outlookBlog,
				Text: "SPF passes, even where DMARC passes by DKIM alone.", Effect: refused}, spfPartly, spfDecides),
			demand(audit.Requirement{ID: "outlook-bulk-dkim", Scope: bulkSenders, Since: start, Source: outlookBlog,
				Text: "DKIM passes, even where DMARC passes by SPF alone.", Effect: refused}, dkimPartly, dkimDecides),
			demand(audit.Requirement{ID: "outlook-bulk-dmarc", Scope: bulkSenders, Since: start, Source: outlookBlog,
				Text: "A DMARC record with a policy applies to the From domain; p=none is enough.", Effect: refused}, dmarcPartly, dmarcDecides),
			unseen(audit.Requirement{ID: "outlook-bulk-alignment", Scope: bulkSenders, Since: start, Source: outlookBlog,
				Text: "The From domain is aligned with that of SPF or of DKIM, better with both.", Effect: refused}),
			demand(audit.Requirement{ID: "outlook-bulk-reply", Scope: bulkSenders, Since: start, Source: outlookBlog,
				Text:   "From and Reply-To are true addresses that can take replies.",
				Effect: "may be filtered or refused"}, "the domain takes mail; whether the address does, only mail can tell", []audit.ID{"MX001", "MX006", "MX007"}),
			unseen(audit.Requirement{ID: "outlook-bulk-unsubscribe", Scope: bulkSenders, Since: start, Source: outlookBlog,
				Text:   "Marketing mail has a working, visible link to unsubscribe.",
				Effect: "may be filtered or refused"}),
		},
	}
}

// icloudProfile is what Apple asks of those who send bulk mail.
func icloudProfile() audit.Profile {
	const effect = "may be filed as junk or refused"
	return audit.Profile{
		ID: "icloud", Title: "iCloud Mail", Reviewed: profilesReviewed,
		Sources: []string{icloudPage},
		Requirements: []audit.Requirement{
			demand(audit.Requirement{ID: "icloud-bulk-spf", Scope: bulkSenders, Source: icloudPage,
				Text: "SPF passes.", Effect: effect}, spfPartly, spfDecides),
			demand(audit.Requirement{ID: "icloud-bulk-dkim", Scope: bulkSenders, Source: icloudPage,
				Text: "DKIM passes.", Effect: effect}, dkimPartly, dkimDecides),
			demand(audit.Requirement{ID: "icloud-bulk-dmarc", Scope: bulkSenders, Source: icloudPage,
				Text: "The From domain has a DMARC policy.", Effect: effect}, dmarcPartly, dmarcDecides),
			demand(audit.Requirement{ID: "icloud-bulk-ptr", Scope: bulkSenders, Source: icloudPage,
				Text: "Sending addresses have reverse DNS that names your domain.", Effect: effect},
				"the addresses given have confirmed names; whether a name is of your domain is not judged", ptrDecides),
			// Gmail took ARC out of its pages between October 2025 and March 2026; Yahoo and
			// Microsoft recommend it.
			unseen(audit.Requirement{ID: "icloud-bulk-arc", Scope: bulkSenders, Source: icloudPage,
				Text: "Forwarded mail has ARC headers.", Effect: effect}),
			unseen(audit.Requirement{ID: "icloud-bulk-unsubscribe", Scope: bulkSenders, Source: icloudPage,
				Text: "Mail has a link to unsubscribe that works at once.", Effect: effect}),
		},
	}
}
