// Package mail finds out what can be known of one mail that has arrived: who
// handed it over, what SPF, DKIM, ARC and DMARC make of it when we check them
// ourselves, what the receiver says it found, and why the two differ.
//
// An operator whose mail was refused or filed as spam has one sure witness: the
// mail as it came in. But what stands in it is half true. The receiver's word can
// be forged, keys have been rotated since, a forwarder has taken the place of the
// sender, a footer has broken the signature. So everything is checked again, each
// verdict is put beside the one that the receiver claims, and a difference gets a
// [Cause].
//
// For most uses, call [Gather] with a mail that package message has read, and give
// the result to audit.RunMail; [Facts.Summary] is what printers show of it.
//
// Nothing that a mail names is ever fetched: the only questions are those of DNS that
// a receiver asks too, through the resolver that is given. What could not be found
// out is unknown, never missing.
package mail
