// Package aggregate reads and writes DMARC aggregate reports: RFC 9990, RFC 7489
// Appendix C and the drafts before them, in one typed model.
//
// An operator who publishes rua= receives these reports every day from hundreds
// of senders, and a good part of them breaks the schema: bytes that are no UTF-8,
// stray tags, a raw "<", times with a fraction, words of no enumeration, missing
// elements, half of a document. A strict reader loses them, and with them the
// mail they tell of. Here a report is read as far as it can be understood, every
// liberty taken is listed in [Report.Diagnostics], and no row is dropped without
// an entry there.
//
// For most uses, call [Read] with a function that takes one record at a time;
// memory stays constant however large the report is. [ReadAll] collects the
// records of a small one. [Write] makes a report valid by RFC 9990.
//
// The input is the XML itself. What it came in (a mail, a gzip or zip file, a
// mailbox) is the business of package reports/source.
//
// # What is kept
//
// Words of an enumeration are a [Word]: the value as this package understands it
// and the text as written. Domains are lower case without the final dot. Times
// are UTC. Text is UTF-8, entities are resolved. An IPv4-mapped address is the
// IPv4 address.
//
// # What is refused
//
// A document without a feedback element, one with a DOCTYPE (entities are a way
// to exhaust memory, and no report needs them), one cut off before it says who
// reports, and one that exceeds the [Limits]. The error tells which.
package aggregate
