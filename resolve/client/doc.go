// Package client asks name servers over the network (RFC 1035, RFC 6891, RFC
// 7766, RFC 7858, RFC 8484) and keeps every fact of the response that a verdict
// about mail may have to show.
//
// An operator wants to know what the world sees, and whether a record is
// missing or only could not be read. A timeout, a lame server, a truncated
// response or a forged one must not look like an absent record; here each is
// an error of its own kind. No server is asked that was not given or
// configured in the system: there is no public fallback.
//
// For most uses, call [New] and [Client.Resolve]. To ask the servers of a zone
// itself instead of a resolver's cache, use [Client.Authoritative], or
// [Client.AskAuthoritative] to compare them.
package client
