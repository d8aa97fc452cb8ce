// Package render prints audit reports: as text for the person who was woken up,
// and as JSON, SARIF (OASIS SARIF 2.1.0), JUnit XML, Markdown and CSV (RFC 4180)
// for programs.
//
// [New] makes the printer of a format; call its Begin, its Report for each
// report, and its End, even when the run was interrupted: the output is well
// formed in any case. Reports are written as they come, so ten thousand domains
// need the memory of one. Only SARIF keeps something for later, because the
// notifications of a run stand apart from its results; their number is bounded.
//
// # Foreign text
//
// Every string of a report goes through package safe before a printer sees it,
// in every format. What consumers of JSON get in "message", "records", "error"
// and the like is therefore text that is safe to show: TAB, LF and CR are
// written \t, \n and \r, other octets that are controls or not UTF-8 are written
// \x1b, invisible and bidi characters \u{202e}, each as these visible
// characters. Nothing that is foreign is interpreted, and no octet is lost to
// U+FFFD. Record data is in master file form, which is printable ASCII already,
// so "old" and "new" of a change are exactly what is to be published.
package render
