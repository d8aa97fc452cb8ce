// Package sqlite keeps an archive of DMARC and TLS reports (RFC 9990, RFC 9991,
// RFC 8460) in one file, with no server to run.
//
// An owner of many domains gets millions of records a year and asks about all
// of them at once. SQLite finds the records of one domain in a millisecond, but
// adding up a year takes it seconds; so this engine keeps sums by day beside
// the records, changes both in one transaction, and answers from the sums.
//
// For most uses, call Open and treat what it gives as an archive.Store.
//
// # What is where
//
// A record is one row of the table fact; what it looks like (disposition,
// identifiers, signatures) is a row of look with child rows, shared by all
// records that look the same and never joined into a sum. The tables whose
// names end in _day and _month are sums. Reports that were replaced by a better
// one of the same key have facts, but are in no sum.
//
// # Safety
//
// The database is in WAL mode with full synchronization: what Commit has
// confirmed survives a crash and a power failure, and what it has not leaves no
// trace. Readers do not wait for the writer. There is one writer at a time, of
// all processes. A file that is not such an archive, or is damaged, is
// archive.ErrCorrupt; nothing is ever repaired by guessing.
//
// Counts above archive.MaxCount are taken as that, so that a hostile report cannot
// make a sum overflow.
package sqlite
