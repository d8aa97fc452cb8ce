// Package arc validates Authenticated Received Chains (RFC 8617).
//
// Mailing lists and forwarders change mail, so that the DKIM signature of the
// author fails and DMARC with it. With ARC each of them adds a set of three fields:
// what it saw when the mail came in, a signature over the mail as it went out, and
// a seal over all sets. A receiver that trusts a forwarder can then believe what
// that one saw. An operator asks of it who changed the mail, and whose word is left.
//
// For most uses, call [Validate] with a message; [Result.Status] is the verdict,
// and [Result.Explanation] says who broke what.
//
// ARC is an experiment and says nothing by itself: a chain that passes proves who
// handled the mail, not that they are honest. It is never counted as DMARC pass.
//
// # Where it diverges from the RFC
//
// RFC 8617, Section 4.1.2, forbids signers to put any field of ARC, or
// Authentication-Results, into h= of ARC-Message-Signature. Here, as in most
// validators, only ARC-Seal fails the chain there.
package arc
