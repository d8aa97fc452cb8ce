// Package nameserver looks at the name servers of a zone one by one (RFC 1034,
// Section 4.2.2; RFC 1912, Section 2.8; RFC 6891; RFC 7766).
//
// One server of four that is lame, stale or deaf to TCP makes mail fail now and
// then, for some receivers, and never when the operator looks. A resolver's
// answer does not show it, because it asks another server the next time. This
// package asks all of them the same.
//
// Resolvers that do not know the zone yet begin at the zone above. What that says of
// the zone's servers, and of their addresses, is compared with what the zone says
// itself; where an old server is left over, mail fails now and then too.
//
// Call [Look] with a client and a domain. What comes back is what was seen; a
// server that could not be reached from here is unknown, not down.
package nameserver
