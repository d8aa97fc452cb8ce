// Package content looks at what a mail shows to its reader: texts, links, images and
// attachments (RFC 2045, RFC 2046 and HTML as mail programs take it).
//
// Filters weigh what they find there, and an operator whose mail is called spam
// wants to see it with their eyes: a link whose text names another host, a picture
// of one pixel, a text hidden from the reader, a variable of a template that nobody
// filled in. Nothing here is a verdict, and nothing is fetched.
//
// For most uses, call [Read] with a mail.
package content
