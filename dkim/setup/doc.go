// Package setup tells how a DKIM key is put into use (RFC 6376, Section 3.6): how
// its record is entered into DNS panels, and which lines make a mail server sign
// with it.
//
// Records break on their way through panels: a name gets the zone appended twice,
// a long text is cut at 255 characters, quotes end up in the key. Servers do not
// sign because a key file has the wrong owner or mode. So [FormsOf] writes a
// record in each of the forms that panels want, and [Make] gives for a mail
// server the exact lines, file modes, reload command and self-test.
//
// For most uses, call those two; [Servers] lists the servers that are known.
// Nothing here reads a key file: a [Key] names it.
package setup
