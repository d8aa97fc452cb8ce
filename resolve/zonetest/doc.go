// Package zonetest answers DNS questions from master file text (RFC 1035,
// Section 5) the way an authoritative server does (RFC 1034, RFC 2308, RFC 4592),
// without a network.
//
// An operator wants to know what a change does before it is published, and
// everybody who writes a test against DNS wants timeouts, SERVFAIL and truncation
// on demand. A zone in a string gives both.
//
// For tests, use [MustParse] and call [Zone.Resolve]; make names misbehave with
// [Zone.Inject], and use [Serve] to test something that speaks DNS over UDP and
// TCP. For files, use [Load] or [Parse], and [resolve.Overlay] to put the records
// in front of the real DNS.
//
// # What a zone speaks for
//
// A zone answers for the names at and below its origins and for no others, so
// that a file never claims the absence of something it knows nothing about. The
// origins of a text are
//
//   - the owners of its SOA records, if there are any;
//   - else the first $ORIGIN (or Options.Origin), unless it is the root or a
//     public suffix such as com;
//   - and for records outside of those: their owners. A text with a key and a
//     record at _dmarc.example.com speaks for those two names and what is below
//     them, and not for the MX of example.com.
//     A wildcard alone speaks for the names below its parent.
//
// NS records below an origin delegate: the names there are [resolve.ErrReferral].
// With Options.World the zone speaks for every name and delegates none.
//
// # Where it differs from a server
//
// A CNAME beside other data is kept, and is the answer. Of two SOA or CNAME
// records at a name the first counts. Equal records are kept once. A string of
// more than 255 octets is split. All of these are told by [Zone.Warnings]. A DNAME
// (RFC 6672) redirects the names below it that do not exist. Questions for ANY
// are not supported.
package zonetest
