// Package verdict reads what receivers' filters wrote into a mail: where it was put,
// how it was scored, and whether a rule of the mailbox made that meaningless. There
// is no RFC for it; the fields are those of Microsoft, Apple, Fastmail, Proton, Yahoo,
// rspamd and SpamAssassin.
//
// An operator whose mail lands in the spam folder finds the reason there, if at all:
// Gmail writes nothing, and the folder is the only sign. A mail from a mailbox with
// an allow rule proves nothing on delivery, and [Report.Void] says so.
//
// For most uses, call [Read] with the header of a mail; [Report.Placement] is the
// sum of it.
//
// All fields are kept as written too. Anybody can write such a field: one of a
// system that the mail never passed is a forgery or a leftover. Each finding holds
// the place of its field, and whether it is above the border of the receiver.
package verdict
