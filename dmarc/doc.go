// Package dmarc reads, finds, judges and edits DMARC policy records (RFC 9989,
// with the view of receivers that still follow RFC 7489).
//
// An operator's mail is refused, or filed as spam, because a receiver applied a
// policy that the operator never meant: one inherited from a parent domain, one
// that a typo switched off, one of two records at the same name. Or forgeries
// get through because the record that everybody sees in DNS is ignored. This
// package answers which record applies to a domain, where it was found, what it
// means to receivers of either generation, and why.
//
// For most uses, call [Discover] with a domain, and [Parse] for the text of one
// record. [Evaluate] says what DMARC makes of one message, [CheckDestinations]
// whether the reports asked for can arrive. [Record.Set], [Record.Remove] and
// [Record.Repair] edit a record without touching the other bytes, and
// [Record.Advance] takes it one step from none towards reject.
//
// # What is strict and what is not
//
// A record is one when it starts with v=DMARC1; all else wrong with it is listed
// in [Record.Problems] and judged as a receiver has to judge it. Where RFC 9989
// leaves a question open (a tag given twice, for instance), [Effect.Disputed] is
// set, and the first copy is read.
//
// A lookup that failed is never an absent record: results have a [resolve.State]
// and are Unavailable when a failure could have changed them.
package dmarc
