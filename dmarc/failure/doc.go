// Package failure reads and writes DMARC failure reports: RFC 9991 and RFC 6591,
// in the abuse reporting format of RFC 5965, and complaints of feedback loops in
// the same format.
//
// An operator who publishes ruf= gets one such mail for a message that failed.
// It shows which message, from which host, and which mechanism failed: the
// shortest way from a number in an aggregate report to the misconfigured system.
// Reporters leave out required fields, put several values in one, send the text
// for people alone. [Parse] reads what is there and lists what is wrong in
// [Report.Diagnostics].
//
// For most uses, take the parts that package reports/source finds in a mail and
// call [Parse]. [Report.Feedback] writes the machine-readable part of a report.
//
// The reported message is foreign and may be personal data: only its header is
// kept, and nothing of it is to be trusted.
package failure
