// Package cert judges the certificate chain of a mail host piece by piece
// (RFC 5280, RFC 9525, RFC 8461, Section 4.2).
//
// "Certificate verify failed" does not help an operator: the name may be wrong,
// the certificate expired, an intermediate not sent or the authority unknown, and
// each has another repair. A usual verification stops at the first of them. Here
// every question has an answer of its own, and one wrong thing hides no other: an
// expired certificate still has a chain and names.
//
// Call [Judge] with what the host presented. A chain that cannot be judged
// because this machine has no trusted roots is [Unknown], never [Bad].
package cert
