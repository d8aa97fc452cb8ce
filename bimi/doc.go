// Package bimi reads, finds, fetches and judges what a domain publishes to have its
// logo shown beside its mail: BIMI (draft-brand-indicators-for-message-identification,
// an Internet-Draft, no RFC), the SVG Tiny PS profile (draft-svg-tiny-ps-abrotman)
// and mark certificates (draft-fetch-validation-vmc-wchuang; RFC 9399).
//
// An operator who publishes a logo and does not see it gets no reason from anybody.
// The record may have a capital letter too many, the DMARC policy may be one that
// does not count, the picture may hold what the profile forbids, the certificate may
// be for another domain or for another picture. This package looks at each step the
// way a receiver has to and says where it ends.
//
// For most uses, call [Lookup] for the record of a domain, [Eligible] for its DMARC
// policy, [Fetch] for what the record points at, and [CheckSVG] and [ParseEvidence]
// for what came back; [Evidence.Check] holds a certificate against domain, picture,
// clock and roots.
//
// # Hostile input
//
// A picture is never drawn, an entity never expanded, a reference never followed:
// the picture is read once, as a row of tags, with a limit on everything. Nothing is
// loaded but what [Fetch] is called for.
//
// # What is strict and what is not
//
// All that is wrong is in Problems, each with what it does: with [Ignored] receivers
// show no logo, with [AtRisk] some do not, with [Harmless] nothing is lost.
//
// # Three states
//
// Present means that receivers find something they can use, Absent that it is proven
// that they do not, and Unavailable that this could not be found out, or that there
// is nothing to judge by: no list of roots for mark certificates is part of this
// package, so without one from the caller the chain is not judged.
package bimi
