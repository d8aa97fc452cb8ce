// Package trace reads the Received fields of a mail (RFC 5321, Section 4.4): the
// way it came, how long each step took, how it was protected, and which host handed
// it to the receiver.
//
// An operator asks a mail where it was late, which of his servers sent it and by
// what name, and whether a forwarder stood between. The fields tell, in as many
// dialects as there are mail systems, and only those that the receiver wrote are
// facts: all below can be invented. So the host of the border, which took the mail
// from outside, is looked for first.
//
// For most uses, call [Read] with the header of a mail: [Path.Client] is the host
// that SPF is about, and [Path.Hops] are the steps. [Parse] reads one field.
//
// # What is concluded, and what not
//
// The address of a peer is taken from where the receiving host writes what it saw,
// which is in parentheses behind the name that the peer gave itself: that name may
// look like an address. A field that says nothing of TLS proves nothing: it is
// unknown, never "not encrypted". A negative delay of up to five minutes is two
// clocks that differ.
package trace
