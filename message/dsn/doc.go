// Package dsn reads what mail systems send back: delivery status notifications
// (RFC 3464, RFC 6522, RFC 6533) and the many bounces that are none.
//
// An operator wants to know from such a mail who did not get what, and what the
// other side said. The standard answers that, but qmail, Exim, old Exchange, Yahoo
// and others send a text for people, and some who follow the standard leave out half.
// And not everything that comes back is a failure: a report may say that mail is
// late, that it was delivered, or that its reader is on holiday.
//
// For most uses, call [Read] with a mail: [Report.Kind] is what happened, and
// [Report.Recipients] say to whom, with status and reply. [ParseReply] reads one
// reply of a server.
//
// # What a verdict rests on
//
// Confidence says where the verdict comes from: the machine-readable part, a form
// that one mail system writes, or words in a text. A delivered mail is never called
// failed on words alone, and where the fields of a report contradict each other the
// kind is Unclear.
//
// All of it is the word of whoever sent the mail: bounces are easy to forge.
package dsn
