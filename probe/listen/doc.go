// Package listen takes probe mail: a receiver that gives out addresses and hands
// over what comes to them, with all that a receiving host knows of it (RFC 5321,
// RFC 3207).
//
// Who wants to know how his mail looks to a receiver can send it to a service on the
// web, which keeps it and gives a number. Here the receiver is a program of one's
// own. It is not a mail server: an address is good for one mail and for one hour,
// nothing is ever relayed, answered or bounced, and there is no queue and no disk.
//
// For most uses, make a [Listener] with [New], ask [Listener.Issue] for an address,
// and run [Listener.Serve]; Options.Deliver gets the [Mail]. The mail is not judged
// here.
//
// # Limits
//
// Strangers connect to it. Connections, their number by address, their time and
// octets, recipients, lines and mails are bounded, and text that two hosts could
// cut at different places (a CR or an LF alone, a NUL) is refused after it was
// read to its one true end. A sender that does that is told to Options.Event.
package listen
