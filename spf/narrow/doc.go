// Package narrow proposes the narrowest SPF record (RFC 7208) that still passes
// the mail that was seen.
//
// Records grow and are never cut back: providers that were left years ago, the
// /16 of a hosting company, includes that no mail ever passed by. Each of them
// lets strangers send in the domain's name, and each lookup counts against the
// limit of Section 4.6.4. Evidence of what sends, from DMARC aggregate reports or
// from a mail log, tells which terms are used.
//
// For most uses, read the [Evidence] with [Parse] and call [Propose]. A term goes
// when nothing legitimate passed by it; a wide range shrinks to what was seen; an
// include that is used stays whole, since its owner moves within it. What depends
// on the sender stays too.
//
// Absence of evidence is weak evidence: a yearly newsletter is not in the reports
// of a month. [Plan.Thin] lists why the evidence does not carry the proposal, and
// a caller has to show it.
package narrow
