// Package dane reads TLSA records and holds them against certificates as senders
// of mail do (RFC 7672, with RFC 6698 and RFC 7671).
//
// An operator who publishes TLSA records promises that the mail server shows a
// certificate they match. A renewal with another key breaks the promise, and every
// sender that follows DANE then keeps its mail until it bounces; those that do not
// deliver as ever, so nobody notices for days. This package says which record
// matches which certificate and why another does not, what has to be in DNS before
// a key is changed, and what to publish for a certificate or key.
//
// For most uses, call [Lookup] for the records of an MX host and [Verify] with the
// chain that the host presents. [Parse] reads a record as it stands in a zone file.
// [Generate] makes one from the file of a certificate or key, and [CheckRollover]
// says whether the key can be changed.
//
// # DNSSEC
//
// Without DNSSEC there is no DANE: a record that is not secure protects nothing,
// and one that fails validation stops the mail. This package does not validate. The
// caller says with a [Security], per answer, what validation gave; what is
// Indeterminate gets no verdict but what it would be. Nothing here takes the AD bit
// of a resolver for proof unless the caller asks for that with [TrustAD].
package dane
