// Package safe makes foreign bytes fit to be shown. Whatever came from the
// network, a message, a report or a file goes through it on its way to a
// terminal, a log, a table or a monitoring system.
//
// A TXT record can hold a terminal escape that paints a green PASS, an SMTP
// reply can hold a bidi override that turns a host name around, a certificate
// can hold a formula for a spreadsheet. [Text] is the function for nearly every
// case; [Quote] is for a value inside a sentence. The others add the rules of
// one output format and are safe on their own: nothing needs Text before them.
//
// # Form
//
// A printable rune stays as it is. TAB, LF and CR become \t, \n and \r, any
// other octet below 0x80 and any octet that is not valid UTF-8 becomes \x1b,
// any other rune becomes \u{202e}. What is not printable is decided by
// [unicode.IsPrint], so controls (C0, DEL, C1), format characters (bidi, zero
// width, tags), line and paragraph separators, spaces other than U+0020,
// private and unassigned code points all go; runes that are printable by
// category but drawn as nothing go too, and so do combining marks after the
// eighth in a row, which would run over the lines above.
//
// A backslash stays single. A text that holds the four characters \x1b therefore
// looks like one that holds ESC: both are harmless, text from DNS keeps its own
// backslashes readable, and escaping twice changes nothing. Where the difference
// matters, [Quote] is reversible.
package safe
