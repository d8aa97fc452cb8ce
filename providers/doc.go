// Package providers is the catalogue of mail providers: by which DNS names each
// one gives itself away, and under which DKIM selectors its customers publish.
//
// DKIM selectors cannot be listed from DNS (RFC 6376, Section 3.1), so an audit
// that is not given one has to guess. A guess costs a query, and most guesses are
// wasted; the providers that a domain's MX and SPF records name leave a few that
// are worth asking. The same rows put a name to an include, an MX host, the
// target of a selector's CNAME or a sending host in a report.
//
// For most uses, call [Selectors] with the MX hosts and SPF includes of a domain,
// and [ByInclude], [ByMX] or [BySelectorTarget] to name what was found.
//
// # What a match means
//
// A match names a provider; it never proves that the provider may send for the
// domain, and no match proves nothing at all: live DNS decides. Many selector
// names (s1, s2, k1, mail, dkim, default) are used by several providers, so a
// selector is never attributed by its name, only by the target of its CNAME.
//
// # Provenance
//
// The rows of catalogue.json were collected from the providers' own setup pages,
// from public setup templates (Domain-Connect, dnsimple-services), from public
// zone files and, where nothing better was found, from tables of public tools.
// The source and the confidence stand in every row, the date of the review at the
// head. The reverse-DNS domains are facts from the map that comes with parsedmarc
// (Apache-2.0). A field that could not be verified is left out, so an empty list
// says "not known", not "none".
package providers
