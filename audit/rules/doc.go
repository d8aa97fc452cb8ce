// Package rules holds the table of rules by which mailcheck judges a mail
// domain (RFC 7208, RFC 6376, RFC 9989, RFC 5321), and the published
// requirements of large receivers.
//
// Call [All] for the table to hand to audit.Run, and [Profiles] for the
// receivers. A rule is one file; adding one is writing that file and naming its
// variable in table.go. The tests run every rule's own zones: the bad ones must
// show the finding, the good ones must not, and a repair must remove it.
package rules
