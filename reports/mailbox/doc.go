// Package mailbox reads the mails of a folder on a mail server (IMAP: RFC 9051 and
// RFC 3501), one after the other, for package reports/ingest.
//
// Receivers send reports by mail, a hundred thousand of them to one folder. Peers
// hold a whole folder in memory, stop for good when the server hangs, and mark or
// move a mail before what was in it is stored. Here a folder is read in windows of
// bounded size and resumed behind the last mail by UID and UIDVALIDITY, a server
// that stalls or sends more than it was asked for is left and tried again, and a
// mail is marked when its reports have been committed.
//
// For most uses, make a [Source] with [NewSource] and give its Inputs to
// ingest.Run. [Dial] opens a [Mailbox], which is all that a Source needs: another
// protocol is another Mailbox.
//
// # Trust
//
// A password is not sent without TLS unless Options.Plain says so. What a server
// says is foreign: sizes it claims are not believed, its lines and literals are
// bounded in octets and in time.
package mailbox
