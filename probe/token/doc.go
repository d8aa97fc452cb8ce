// Package token makes and finds the words that tell one probe mail from every
// other mail (RFC 5233 for the part behind a plus, RFC 3461 for the envelope
// identifier).
//
// Who sends a mail to find out where it lands has to find it again: in a mailbox
// with thousands of others, in a bounce, in a log. Subjects are rewritten and
// Message-IDs are sometimes replaced, so the token stands in several places. It
// cannot be guessed, and with a key it cannot be made by anybody else.
//
// Use [New] for a token, and [InHeader] to find it in the header of a mail.
package token
