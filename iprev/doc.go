// Package iprev checks the names of a sending address: reverse DNS, whether it
// leads back, whether it looks like a name given by the thousand, and the name of
// the greeting (RFC 8601, Section 3; RFC 1912, Section 2.1; RFC 5321, Section 4.1.4).
//
// An operator whose mail is refused with "no PTR", "generic reverse DNS" or "bad
// HELO" has three places to look at, two of which belong to somebody else: the
// owner of the address publishes the PTR record, the owner of the name publishes
// the address, and the mail server says who it is. This package tells which of the
// three is wrong, for IPv4 and IPv6 alike, and never takes a lookup that failed for
// a name that is missing.
//
// For most uses, call [Check] with an address and the name that the server says in
// EHLO. [LooksGeneric] judges a name alone.
//
// # Three states
//
// Present means that something is there, or true: the PTR record exists, the name
// leads back to the address. Absent means that it is proven not to be so, and
// Unavailable that it could not be found out.
package iprev
