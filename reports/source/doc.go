// Package source finds the reports in whatever they came in: files, mails,
// mailboxes and archives (RFC 9990, Section 3.5; RFC 8460, Section 5; RFC 5965).
//
// Receivers send DMARC and TLS reports in gzip, in zip although no standard has
// it, plain, in gzip twice, under each other's media types, as the only body of
// a mail, attached to a forwarded mail, in base64 with lines out of place. The
// label is no guide, so none is trusted: what a part is decided by its content.
// Peers that trust labels lose reports; here every input ends in a document or
// in an error that says why not.
//
// For most uses, range over [Read] for one file or stream, or over [Tree] for a
// directory or Maildir. Each step gives a [Document] or an error about one part;
// an error never ends the loop. The kind of a document says who reads it:
// package dmarc/aggregate, dmarc/failure or tlsrpt.
//
// # Containers
//
// gzip, also several in a row and nested; zlib; zip with all its members, also
// one whose directory is cut off; tar; mbox; a mail with everything in it,
// message/rfc822 included; base64 without a label. Formats that hold no report
// or need other software (Outlook .msg, 7z, rar, PDF) are named in the error.
//
// # Limits
//
// All input is hostile. The bytes of one document, the ratio of compression, the
// depth of nesting, the number of members and the size of one mail are bounded
// by [Options]; sizes that a container claims are not believed. Names in
// archives are labels, no path is ever made of them.
package source
