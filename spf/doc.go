// Package spf reads, evaluates and dissects Sender Policy Framework records
// (RFC 7208, updated by RFC 7372, RFC 8553 and RFC 8616).
//
// A domain says in one TXT record which hosts may use its name in MAIL FROM and
// HELO. Mail is refused when that record has a typing error, needs more than ten
// lookups, includes a name that no longer exists, or simply does not list the
// host that sends. Receivers say little more than "SPF failed"; this package
// says which term of which record is to blame.
//
// For most uses, call [Analyze], which walks everything a record leads to
// without any particular sender in mind, and [Check], which does what a receiver
// does for one address and one sender. [Parse] and [Record.Lint] need no DNS.
//
// Nothing here is a guess: a lookup that failed makes a result temperror and a
// fact unavailable, never "no record".
package spf
