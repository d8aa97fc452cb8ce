// Package dkim verifies and makes DKIM signatures (RFC 6376, with RFC 8301,
// RFC 8463 and RFC 8616), reads the public keys and finds them in DNS.
//
// Mail that is signed and still fails DKIM mostly fails at the key: the selector
// is not there, the record was mangled on its way through a zone editor, or the
// key is of a kind or size that receivers refuse. Or somebody changed the mail on
// its way: a list put a tag before the subject, a gateway a footer below the text.
// Verifiers answer "permerror" and "fail" to all of it. This package tells which
// it is, at which octet, and what the record or the mail should have been.
//
// For a message, call [Verify], with Explain to learn why a signature fails, or
// [Sign]. For a key, call [Lookup] with a selector, or [Discover] when selectors
// have to be found; [ParseRecord] reads the text of a record alone.
//
// # Verdicts
//
// A record that verifiers do not use is never "missing". [Result.State] says
// whether TXT records are present, absent or unavailable, and the [Problem] list
// of each [Record] says what is wrong with it. Every problem has an [Effect]:
// what verifiers that follow the RFCs make of it.
//
// A signature has one [Status] of RFC 8601 and one [Reason]. Trouble with DNS is
// temperror and never "no key". A limit that was reached is neutral and told in
// [Verification.Limits]: nothing is passed over in silence.
//
// # Where it diverges from the RFCs
//
// Lines that end in LF alone are read as if they ended in CRLF, so that files
// verify like the mail they came from. A signature that has expired is permerror,
// which RFC 6376 leaves open. With several key records at a selector each is tried,
// up to four.
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
