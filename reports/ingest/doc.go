// Package ingest takes DMARC and TLS reports from files, mails and mailboxes into
// an archive (RFC 9990, RFC 9991, RFC 8460).
//
// Peers move a mail away and then fail to store what was in it, count a report
// twice that came twice, or drop a row that they do not understand. Here a report
// is first on the disk, in a pack of package reports/raw, then in the archive, and
// only then is its mail touched. A run that is killed in between loses nothing and
// doubles nothing: the next one finds the pack and takes it in.
//
// For most uses, call [Run] with the inputs of [Paths]; [Rebuild] makes an archive
// anew from the raw reports.
//
// # What becomes of an input
//
// Every input leaves a line in the ledger of the archive: what was in it, and if
// nothing was, why. A file that is read again and has not changed leaves no second
// one. What is no report is refused with a reason, and the run goes on.
//
// # Forgery
//
// Everybody may send a report. One about a domain that is not among Options.Ours is
// marked as alien; one whose mail fails, by the word of a server that the operator
// trusts, as forged. Both are kept: whoever asks the archive can leave them out.
package ingest
