// Package facts gathers what is to be known of a mail domain, once and
// concurrently, for rules to judge (RFC 5321, RFC 7208, RFC 6376, RFC 9989).
//
// An operator must be able to tell "the record is missing" from "it could not
// be read". So every fact is a [Fact]: Present, Absent or Unavailable, with the
// answers that show it. Nothing here judges.
//
// Call [Gather] with a resolver and a domain; look at the [Snapshot]'s fields,
// or ask [Snapshot.Seen] for the answer to any one question.
package facts
