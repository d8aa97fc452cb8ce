// Package message reads one mail as data (RFC 5322, RFC 2045 to 2047, RFC 2231,
// RFC 6532), whatever state the mail is in.
//
// An operator who asks why mail is lost has a file: a bounce, a mail that landed
// in the spam folder, something a broken program wrote. Libraries made for mail
// programs stop at the first fault of such a file. Here a fault is a [Problem]
// with an offset, and all the rest is still read: header fields with offsets, as
// written and decoded; the tree of MIME parts; addresses and dates.
//
// For most uses, call [Read] or [Parse]. What is inside the fields has packages of
// its own: message/facts for what the header lacks, message/authres for
// Authentication-Results, message/trace for Received, message/dsn for bounces,
// message/verdict for what receivers' filters wrote, message/content for texts and
// links.
//
// # Limits
//
// A mail is hostile input. Octets, fields, parts, depth and decoded octets have
// limits, which [Options] can change; what a limit cut is told by a Problem, and
// nothing is ever dropped in silence. Nothing in a mail is fetched or run.
//
// # Line ends
//
// A line ends with LF, with a CR before it or not. A CR alone is text, as it is
// for the systems that mail passes through, unless the whole mail has no LF at
// all. Otherwise two readers could see two different mails.
package message
