// Package receive finds a probe in a mailbox, and reads from it what the receiver
// made of it: where it landed, how long each step took, and what SPF, DKIM and
// DMARC came to there (RFC 8601, RFC 5321, Section 4.4; RFC 6154 for the folder of
// spam).
//
// "It was sent" is not "it arrived", and "it arrived" is not "somebody sees it". An
// operator who monitors mail needs the second and the third. For most uses, make a
// [Seed] of a mailbox with [NewMaildir] or [NewIMAP] and call [Find] with the token
// of a probe, or [Roundtrip] to send one and find it.
//
// # What counts
//
// The folder is a fact; a header field of a filter is what the filter says. A mail
// that a rule of the mailbox let through, or that was not filtered, proves nothing
// on the mail of others: Result.Void says so. Results of others than the receiver
// are claims, and not compared.
//
// A probe that is not there within the time is not "lost": it is [NotArrived], and
// may come later.
package receive
