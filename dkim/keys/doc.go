// Package keys makes and reads the private keys that DKIM signs with (RFC 6376,
// RFC 8301, RFC 8463).
//
// Signatures fail when the key in use is not the key in DNS, when a server reads
// another format than a tool wrote, and when a key is overwritten that was
// already published. So a key is made with a length that receivers accept, is
// written to a file that did not exist before, and is read in every form in which
// DKIM software keeps its keys.
//
// For most uses, call [Generate] and [Key.Create] for a new key, and [ReadFile]
// for one that is in use; [Key.Record] is what belongs into DNS.
//
// # Private material
//
// Nothing but [Key.Encode], [Key.Create] and [Key.Signer] gives access to the
// private half. Printing, logging or encoding a [Key] shows its type, length and
// public fingerprint, and no error quotes what was read.
package keys
