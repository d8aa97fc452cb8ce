// Package tlsrpt reads and writes SMTP TLS reports (RFC 8460).
//
// An operator with DANE or MTA-STS asks senders to tell how TLS went: how many
// sessions succeeded, which failed and why. A certificate that expired on one of
// four mail exchangers shows here first. Reporters bend the format: a string for
// a list, times without a zone, counts as strings, names of another draft. [Read]
// takes them all, keeps words it does not know as written, and lists every liberty
// in [Report.Diagnostics].
//
// For most uses, call [Read] with the JSON, which package reports/source takes out
// of the mail or the gzip file it came in. [Write] makes a valid report.
package tlsrpt
