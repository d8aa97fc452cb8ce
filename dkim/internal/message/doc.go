// Package message reads a mail message for signing and verifying (RFC 5322,
// RFC 6376, Section 3.4): its header fields indexed by offset, its body hashed
// while it passes by, both in canonical form.
//
// Use [Read] for a message from a reader; [ParseTags] reads the tag list of a
// signature. Nothing here knows about keys or verdicts: packages dkim and arc do.
//
// # Line ends
//
// A bare LF is read as CRLF, so that a file with Unix line ends verifies like the
// message it came from (RFC 6376, Section 5.3). A bare CR is an octet like others.
package message
