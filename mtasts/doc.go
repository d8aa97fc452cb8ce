// Package mtasts reads, finds, fetches, judges and writes MTA-STS policies (RFC
// 8461).
//
// An operator publishes a policy so that senders refuse to hand mail to an
// impostor. The same policy makes them refuse the operator's own mail servers when
// a new MX host is not listed, and it protects nothing when the web server
// redirects, its certificate has expired or the record has a date with hyphens for
// an id. None of this shows in the mail log of the receiving side. This package
// reads the record and the policy as a sender has to, and says what follows.
//
// For most uses, call [Lookup] for the record of a domain and [Fetch] for its
// policy; [Check] holds the policy against the MX hosts. [Parse] and [ParsePolicy]
// read text. [NewRecord], [NewPolicy] and [ServerConfig] make what has to be
// published; [Record.Set], [Policy.Set], [Policy.AddMX] and [Policy.RemoveMX]
// change it without touching other bytes.
//
// # What is strict and what is not
//
// All that is wrong with a text is in its Problems, each with what it does to
// senders: with [Ignored] the record or policy is as good as not there, with
// [AtRisk] only senders that take the grammar at its word ignore it, and with
// [Harmless] nothing is lost. Unknown fields, either line ending and repeated mx
// lines are no problem, as the RFC demands.
//
// # Three states
//
// Present means that a sender gets a record or policy it can use, Absent that it is
// proven to get none, and Unavailable that this could not be found out: the lookup
// failed, the host could not be reached from here, the server had an error of its
// own. A redirect or an expired certificate is proof, a timeout is not.
package mtasts
