// Package apply carries out a reviewed plan: it writes record sets through a
// provider, refuses a plan that the zone has moved away from, and proves on every
// authoritative name server that the result is there (RFC 2136, RFC 8945).
//
// Most outages of mail are changes made in haste: a record set overwritten with
// all its siblings, a plan applied to a zone that somebody else has edited since.
// So a change is made only if every name server still has the records it was
// planned for, the way back is written before the first change, and what was
// done is told truthfully also when it ends in the middle.
//
// Call [Run] with a plan and a [Provider], then [Verify] until all servers agree.
// [RFC2136] and [Exec] are providers.
package apply
