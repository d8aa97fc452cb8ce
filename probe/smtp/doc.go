// Package smtp is a small SMTP client for hosts that may be hostile (RFC 5321,
// RFC 3207, RFC 8314). It looks and does not send: it greets, reads what the
// host offers, turns on TLS, greets again and leaves. There is no command for an
// envelope in it, so no probe can be taken for an attempt to deliver or to guess
// addresses.
//
// A client that meets strangers' mail hosts must not trust them with its memory
// or its time: every reply has a budget of octets, lines and time, every
// connection one of octets, and everything said is kept in a [Transcript] with
// the moment it was said. What is odd but no failure (text injected after
// STARTTLS, bare line feeds, codes that change within a reply) becomes an
// [Observation].
//
// Make a [Client] of a connection with [NewClient] and call [Client.Banner],
// [Client.Hello], [Client.StartTLS], [Client.Hello] again and [Client.Quit].
// Errors are *[Error]; errors.Is matches them with a [Cause].
//
// Text from the host is kept as it came ([Text]): whoever prints it has to
// escape it.
package smtp
