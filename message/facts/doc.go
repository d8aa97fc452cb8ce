// Package facts says what the header of a mail tells about itself: which fields that
// RFC 5322, Section 3.6, wants are missing or there twice, whether date, Message-ID
// and addresses have their form, and what RFC 8058 offers to those who want no more
// of it.
//
// Receivers refuse or mark mail for such things, and say so in few words. An
// operator reads here what they saw. Nothing is judged, and nothing is fetched.
//
// For most uses, call [Read] with a mail.
package facts
