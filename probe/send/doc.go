// Package send sends one probe mail to one recipient and keeps all that was said
// (RFC 5321, RFC 6409; RFC 3461, RFC 6531, RFC 8689 for what can be asked for).
//
// An operator has changed a record and wants to know whether mail arrives now.
// A mail from a mail program proves little: nobody sees what the two hosts said to
// each other, and it cannot be told from others afterwards. A probe carries a
// token (package probe/token), is signed with the key under test, and leaves a
// transcript with the time of every step.
//
// For most uses, call [Send] with a [Message]. With Options.Submission it goes to
// a server that takes mail of the sender; without, to the MX hosts of the
// recipient's domain, the next one if a host cannot take it now. Options.DryRun
// makes the mail and the plan, and opens no socket.
//
// # What it refuses to be
//
// A tool that sends mail can be used for spam, for guessing addresses and for
// forging. So one call sends one mail to one recipient, a domain gets no second
// one within [Pace], the text is fixed and says who sent it, why, and how to stop
// it, and the domain of the sender has to be proven: by its DKIM key, by a
// record of [Proof], or by logging in at a server of the sender's. There is no
// option against these limits.
//
// # What is unknown
//
// A host that breaks off after the last dot may have the mail or not: that is
// [Unknown], and no other host is tried, since the mail could arrive twice.
//
// The hosts are not trusted: replies have budgets of octets, lines and time, and
// addresses that are not public are not dialed. Their words are kept as they came
// (smtp.Text); escape them before showing. Passwords and tokens are in no
// transcript, not even if the host repeats them.
package send
