// Package dkim reads DKIM public keys (RFC 6376, with RFC 8301, RFC 8463 and
// RFC 8616) and finds them in DNS.
//
// Mail that is signed and still fails DKIM mostly fails at the key: the selector
// is not there, the record was mangled on its way through a zone editor, or the
// key is of a kind or size that receivers refuse. Verifiers answer "permerror"
// to all of it. This package tells which it is, at which octet, and what the
// record should have been.
//
// For most uses, call [Lookup] with a selector, or [Discover] when selectors have
// to be found; [ParseRecord] reads the text of a record alone.
//
// # Verdicts
//
// A record that verifiers do not use is never "missing". [Result.State] says
// whether TXT records are present, absent or unavailable, and the [Problem] list
// of each [Record] says what is wrong with it. Every problem has an [Effect]:
// what verifiers that follow the RFCs make of it.
//
// # Where it diverges from the RFCs
//
// Keys are read more liberally than a verifier would, as the purpose is to
// explain: missing padding, the bare RSAPublicKey form and keys of refused sizes
// are decoded and reported. Selectors may hold underscores, which RFC 6376 does
// not foresee and which some senders use.
//
// # Selectors cannot be listed
//
// DNS has no way to list the names below _domainkey (RFC 6376, Section 3.1), so
// not finding a key proves nothing, with one exception that [Discover] uses: when
// _domainkey itself does not exist, nothing is below it (RFC 8020).
package dkim
