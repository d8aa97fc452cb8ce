// Package wire is the conversation of one mail with a host that may be hostile
// (RFC 5321, RFC 3207): what package probe/smtp is for looking at a host, with
// commands for an envelope, a login and a mail.
//
// Every reply has a budget of octets, lines and time, and every connection one of
// octets. Everything said is kept, except secrets: those are blanked wherever they
// stand, in answers of the host too.
package wire
