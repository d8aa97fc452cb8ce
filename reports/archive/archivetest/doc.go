// Package archivetest checks that an engine is an archive of DMARC and TLS
// reports (RFC 9990, RFC 9991, RFC 8460) as package archive says.
//
// An engine answers from indexes and sums that it keeps beside the records, and
// a mistake in them looks like any other number. So the suite makes a corpus
// with all that is odd in the field (reports over month ends, of one key and
// different content, without addresses, with ten signatures), asks an engine
// everything, and compares with answers that are found by walking over lists.
//
// Call Run in a test of the engine. Corpus and Model are for tests of the
// engine's own that need reports or right answers.
package archivetest
