// Package memory is an archive of reports (RFC 9990, RFC 8460) that is gone
// when the program ends.
//
// It answers questions about a handful of files at once, without leaving a
// database behind, and it is the plain engine that the others are compared
// with: no rollups and no indexes, each answer is a walk over all records.
// Call New, fill it with package reports/ingest, ask with archive.Reader.
package memory
