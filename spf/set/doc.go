// Package set computes what SPF records (RFC 7208) decide for every address at
// once: the whole address space of both families, divided by result.
//
// Before a record is published, the question is not "does this host pass" but
// "whose mail changes its result". Sampling addresses cannot answer that. Here
// check_host() runs on ranges in place of a single address: a term cuts off the
// part it matches, an include is entered with the part that is left, and each
// part carries its own count of lookups, since a limit may be passed for some
// addresses only. What remains is exact, and two records can be compared to the
// last address.
//
// For most uses, call [Resolve] for the [Map] of a domain, and [Diff] for two of
// them. [WithRecords] answers for records that are not published yet.
//
// # What depends on the sender
//
// A term with macros of the sender, and ptr, cannot be known. It divides the
// [Verdict] in two cases, one for each way it may come out. Two verdicts are
// equal if they agree in all cases, so a record that keeps such a term as it is
// compares equal. In the cases, exists that does not match is a void lookup, as
// it is for a receiver; for other such terms no void lookup is counted, and an
// include with macros either passes or does not match.
//
// A lookup that failed makes a verdict temperror, as it would be for a receiver,
// and [Map.Unknown] lists it: nothing is proven there.
package set
