// Package tlsrpt reads and writes SMTP TLS reports, and the record that asks for
// them (RFC 8460).
//
// An operator with DANE or MTA-STS asks senders to tell how TLS went: how many
// sessions succeeded, which failed and why. A certificate that expired on one of
// four mail exchangers shows here first. Reporters bend the format: a string for
// a list, times without a zone, counts as strings, names of another draft. [Read]
// takes them all, keeps words it does not know as written, and lists every liberty
// in [Report.Diagnostics]. And no report comes at all when the record has a mail
// address without mailto: or there are two of them.
//
// For most uses, call [Lookup] for the record of a domain, and [Read] with the JSON
// of a report, which package reports/source takes out of the mail or the gzip file
// it came in. [ParseRecord] and [NewRecord] read and make a record, [Write] makes a
// valid report.
package tlsrpt
