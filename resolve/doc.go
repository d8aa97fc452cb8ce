// Package resolve defines DNS as a mail auditor needs it (RFC 1034, RFC 1035,
// RFC 2308, RFC 8020): questions, answers with everything a verdict must show
// as evidence, and errors that keep absence, failure and nonsense apart.
//
// An operator whose mail is refused needs to know whether a record is missing
// or could not be read. The system resolver interface of most languages throws
// that difference away, with the TTL, the CNAME chain, the boundaries of TXT
// strings and the server that answered. Here they are the result.
//
// For most uses, take a [Resolver] (package resolve/client asks the network,
// package resolve/zonetest answers from a zone file) and call
// [Resolver.Resolve]; turn what a person typed into a name with [ParseName].
//
// # Three states
//
// Every lookup ends in one of three states and never in a guess:
//
//   - present: err is nil and Answer.Records is not empty;
//   - absent: errors.Is(err, ErrAbsent), proven by NXDOMAIN or NODATA;
//   - unavailable: any other error. errors.Is(err, ErrTemporary) says that
//     asking again or elsewhere may help.
//
// The Answer is filled as far as it is known in all three, because absence and
// failure need evidence too.
package resolve
