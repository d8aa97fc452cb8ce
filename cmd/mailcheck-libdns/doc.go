// Command mailcheck-libdns writes record sets through the API of a DNS provider.
//
// mailcheck runs it when a provider is named ("mailcheck fix apply --provider
// cloudflare"): a request as JSON on standard input, a response as JSON on standard
// output (schema mailcheck.exec/1, see docs/guide/exec.md). It is a module of its own,
// so that mailcheck itself depends on no provider.
//
// A set is read, compared with what the plan was made for, replaced as a whole and
// read again: what is stored then must be what was asked for. The packages of
// libdns differ in what they take a record set for, so each provider has a file
// here that says what its package does and how it is used.
package main
