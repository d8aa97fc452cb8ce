// Package dnssectest makes trees of signed zones in memory (RFC 4034, RFC 5155),
// for tests of what depends on DNSSEC: DANE, and the reports about it.
//
// A test needs zones that are broken in one known way at a known time, which no
// public zone is for long. [New] signs the zones with new keys; [World.Exchange]
// answers as a resolver does, for dnssec.Options, and [Serve] does so on a
// loopback port.
package dnssectest
