// Package authres reads Authentication-Results (RFC 8601) and the fields of ARC
// that carry the same (RFC 8617, Section 4.1.1), as receivers really write them.
//
// An operator reads there what a receiver thought of his mail. Two things make
// that hard. Receivers bend the grammar: the identity of the server is missing, a
// bare domain stands between the results, words have prefixes. And anybody can write
// such a field, or have his own words put into a comment of a true one. So fields
// are read with a tokenizer that knows comments and quotes, and each one says
// whether it can be believed, and why.
//
// For most uses, call [Read] with the header of a mail; the fields of
// [Report.Fields] with Trusted are the receiver's own. [Parse] reads one value.
//
// # Trust
//
// RFC 8601, Section 5: a field counts if it has the identity of the receiver and
// was put there by it. What a receiver adds stands above the Received field by
// which the mail came in, so fields above that are the receiver's. Some receivers
// add theirs directly below; of those, the topmost with the right identity counts,
// and only for an identity known to be stamped on all mail. All other fields are
// claims of somebody else, and can be forged.
package authres
