// Package dnssec validates DNS answers from the root's trust anchors down (RFC
// 4033, RFC 4034, RFC 4035, RFC 5155, RFC 6840) and says what a validating
// receiver makes of them.
//
// DANE works only for names whose records are proven, and a zone whose
// signatures have expired loses mail: validating receivers cannot resolve it at
// all. An operator has to know which of the four it is: secure, insecure, bogus
// or indeterminate, and at which name and why. The AD bit of a resolver does not
// tell: it is a claim that anybody on the way can set, and a resolver that does
// not validate never sets it.
//
// For most uses, call [New] with the Exchange method of a client and
// [Validator.Validate]. [Validator.Status] takes the word of a validating
// resolver on this machine if [TrustedAD] says so, and validates otherwise.
//
// # Decisions
//
//   - Algorithms 8, 10, 13, 14 and 15 are supported. A zone with other algorithms
//     only is insecure (RFC 4035, Section 5.2). That includes 5 and 7, which RFC
//     9905, Section 2, tells operators to treat as unsupported, and 16 (Ed448).
//   - RSA keys below 1024 bits and with exponents above 31 bits cannot be checked
//     here. Others do, so the verdict is indeterminate, not bogus.
//   - NSEC3 with more than 50 iterations is insecure (RFC 9276, Section 3.2); BIND,
//     Knot Resolver and PowerDNS have the same limit, Unbound has 150.
//   - A resolver that returns no signature even for the root is no evidence against
//     a zone: everything is indeterminate with [ReasonStripped].
//   - Signatures are held against the clock without any leeway.
//   - Type ANY and RRSIG are not validated: no signature covers such an answer.
package dnssec
