// Package archive says what an archive of DMARC and TLS reports keeps and what
// it can be asked (RFC 9990, RFC 9991, RFC 8460), whatever engine is below.
//
// A report that is counted twice, or lost in a crash, makes every later answer
// wrong, and nobody sees it. So the archive has one writer, reports come in
// batches that are there as a whole or not at all, and each input leaves a line
// in the ledger that says what became of it.
//
// For most uses, open an engine, package reports/archive/sqlite, and read with
// Reader.Totals and Reader.Rows. Package reports/ingest fills an archive.
//
// # What one report is
//
// Two reports are the same if reporter, report id, policy domain, begin and end
// are the same, and what they say. One id with another range is another report.
// If all of the key is equal and the content is not, both are kept and one of
// them is counted; which one does not depend on which came first (see Better).
//
// # Days
//
// All times are UTC. The messages of a report count for the day it begins in,
// as long as it spans at most 26 hours; those of a longer one are spread over
// its days in proportion, in whole messages whose sum is kept (see Spread).
// The original is kept too.
package archive
