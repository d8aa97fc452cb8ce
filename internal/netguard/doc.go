// Package netguard keeps connections that strangers chose away from the inside
// of a network (RFC 6890 and the IANA special-purpose address registries).
//
// A name server answers whatever its owner likes: an MX or a policy host may
// point at 127.0.0.1, at a printer, or at the metadata service of a cloud, and
// may change its answer between a check and the connection. So nothing is
// decided by name. The address that is about to be dialed is checked, by the
// dialer itself, after resolving and for every attempt.
//
// Use [Dialer.DialContext] wherever a connection is made, in an [http.Transport]
// too (with Proxy nil), and [Guard.Check] to say beforehand why an address would
// be refused. [Guard.Allow] lists the networks that are meant to be reached all
// the same.
//
// [http.Transport]: https://pkg.go.dev/net/http#Transport
package netguard
