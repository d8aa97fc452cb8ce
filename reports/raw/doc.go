// Package raw keeps reports as they came (RFC 9990, RFC 8460, RFC 9991), so that
// an archive can be made anew when a parser has learned something.
//
// A database of reports is only as good as the parser of the day that filled it.
// The reports are kept beside it: decompressed and out of their mails, each once
// by its SHA-256 sum, in ordinary zip files that any tool opens. With them goes
// the ledger of what was read and what became of it.
//
// For most uses, [Open] a directory, fill a [Writer] and Commit it; [Dir.Pack]
// reads one back. Package reports/ingest does both for an archive.
//
// # Form
//
// A pack is named by the time it was made, "20261123T190353.127Z-9f86d081.zip".
// Its members are "SUM.xml", "SUM.json" or "SUM.eml", an aggregate, TLS or failure
// report, and "ledger.jsonl" with a [Line] a line. A member with the comment
// "rejected" is one that no parser could read. Names in a pack are never paths: a
// member with another name is not looked at, and a sum is verified while reading.
//
// # Durability
//
// A pack appears under its name when it is whole and on the disk. There may be one
// writer of a directory at a time; the batch of the archive that the packs belong
// to is the lock.
package raw
