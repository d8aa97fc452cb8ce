package rules

import "github.com/mailcheck-go/mailcheck/audit"

// gmailProfile is what Gmail demands for mail to personal accounts. Bulk is close
// to 5000 messages in 24 hours to such accounts, summed over a domain and its
// subdomains, and a domain that was bulk once stays so.
func gmailProfile() audit.Profile {
	const start, oneClick = "2024-02-01", "2024-06-01"
	return audit.Profile{
		ID: "gmail", Title: "Gmail (personal accounts)", Reviewed: profilesReviewed,
		Sources: []string{gmailGuidelines, gmailFAQ, gmailReplies},
		Requirements: []audit.Requirement{
			eitherAuth(audit.Requirement{ID: "gmail-auth", Scope: allSenders, Since: start, Source: gmailGuidelines,
				Text:   "SPF or DKIM passes.",
				Effect: "refused with 550 5.7.26, or delayed with 421 4.7.26"}),
			demand(audit.Requirement{ID: "gmail-ptr", Scope: allSenders, Since: start, Source: gmailGuidelines,
				Text:   "Every sending address, IPv4 and IPv6, has a PTR whose name leads back to it.",
				Effect: "refused with 550 5.7.25, or delayed with 421 4.7.0 or 451 4.7.23"}, ptrPartly, ptrDecides),
			unseen(audit.Requirement{ID: "gmail-tls", Scope: allSenders, Since: start, Source: gmailGuidelines,
				Text:   "Mail is sent over TLS.",
				Effect: "bulk mail is refused with 550 5.7.29, or delayed with 421 4.7.29"}),
			unseen(audit.Requirement{ID: "gmail-spam-rate", Scope: allSenders, Since: start, Source: gmailFAQ,
				Text:   "Users report less than 0.3 % of the mail as spam, better less than 0.1 %.",
				Effect: "filed as spam; no mitigation until 7 days in a row are below 0.3 %"}),
			unseen(audit.Requirement{ID: "gmail-format", Scope: allSenders, Since: start, Source: gmailGuidelines,
				Text:   "Messages have the form of RFC 5322: one From, a Message-ID, no header field twice that may stand once.",
				Effect: "refused with 550 5.7.1"}),
			unseen(audit.Requirement{ID: "gmail-from", Scope: allSenders, Since: start, Source: gmailGuidelines,
				Text:   "The From field does not name gmail.com for mail that Gmail does not send.",
				Effect: "filed as spam by Gmail's own DMARC policy"}),
			demand(audit.Requirement{ID: "gmail-bulk-spf", Scope: bulkSenders, Since: start, Source: gmailGuidelines,
				Text:   "SPF passes.",
				Effect: "refused with 550 5.7.27, or delayed with 421 4.7.27"}, spfPartly, spfDecides),
			demand(audit.Requirement{ID: "gmail-bulk-dkim", Scope: bulkSenders, Since: start, Source: gmailGuidelines,
				Text:   "DKIM passes, with a key of at least 1024 bits.",
				Effect: "refused with 550 5.7.30, or delayed with 421 4.7.30"}, dkimPartly, dkimDecides),
			demand(audit.Requirement{ID: "gmail-bulk-dmarc", Scope: bulkSenders, Since: start, Source: gmailReplies,
				Text:   "A DMARC record with a policy applies to the From domain; p=none is enough.",
				Effect: "refused with 550 5.7.40, or delayed with 421 4.7.40 (4.7.31 on another page of Google)"}, dmarcPartly, dmarcDecides),
			unseen(audit.Requirement{ID: "gmail-bulk-alignment", Scope: bulkSenders, Since: start, Source: gmailGuidelines,
				Text:   "The From domain shares its organizational domain with that of SPF or of DKIM.",
				Effect: "delayed or refused with 421 4.7.32 or 421 5.7.32"}),
			unseen(audit.Requirement{ID: "gmail-bulk-unsubscribe", Scope: bulkSenders, Since: oneClick, Source: gmailFAQ,
				Text:   "Marketing and subscribed mail has one-click unsubscribe (RFC 8058) and a visible link; requests are honoured in 48 hours.",
				Effect: "no mitigation; more of the mail is filed as spam"}),
		},
	}
}
