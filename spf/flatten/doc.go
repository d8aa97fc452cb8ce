// Package flatten replaces includes of an SPF record (RFC 7208) by the networks
// that they pass, under names of the domain itself, and watches for the day on
// which that is no longer true.
//
// A record that needs more than ten lookups is broken (Section 4.6.4), and a
// provider's include may need several. Flattening takes them away at a price:
// when the provider moves, mail is refused until the copy is renewed, and when
// the provider gives addresses up, whoever gets them may send in the domain's
// name. So it is done for one include at a time and only where asked, it keeps
// what cannot be copied (exists, ptr and every term with macros of the sender)
// as it is, and it comes with a [Lock] that says what was copied from where and
// when. Dropping what is not used (package narrow) is the better way if there is
// one.
//
// For most uses, call [Make] for the records to publish and the lock to keep,
// and [Compare] on every day after that.
package flatten
