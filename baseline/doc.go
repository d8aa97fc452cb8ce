// Package baseline remembers what a domain publishes for mail and tells what has
// changed since, in the words of RFC 7208, RFC 6376 and RFC 9989 rather than as a
// diff of texts.
//
// Mail breaks on the day of a move: the zone is copied by hand and a DKIM
// selector is forgotten, the new address has no reverse name, the policy comes
// back weaker. A plain diff drowns that in order, TTL and white space. Here
// records are compared by what they mean, and what could not be read is unknown,
// never "deleted".
//
// Call Take for a Baseline, which is data to be saved, and Compare for two of
// them: of yesterday and today, or of an old and a new name server.
package baseline
