// Package rotate guides the change of a DKIM key (RFC 6376, Sections 3.1 and
// 3.6.1) from one selector to the next.
//
// Keys are rotated too early or too late: the signer is switched while some name
// server or cache still denies the new key, or the old key is removed while mail
// signed with it is in queues. Either way signed mail fails. A rotation is six
// steps over several weeks, and here it is a small file that knows which step is
// due: publish the new key, wait until every server and every cache can have it,
// switch the signer, prove it with a signed message, retire the old key with an
// empty p=, and delete it.
//
// For most uses, call [Start], then [Rotation.Advance] until the phase is [Done];
// [Rotation.Check] tells what is due and changes nothing. Nothing happens by
// itself: DNS and the signer are changed by a person.
//
// The package asks name servers through a function and reads the clock from
// [Env], so that a rotation can be tried in a test. The file holds names, dates
// and public keys, and the path of the private key, never the key.
package rotate
