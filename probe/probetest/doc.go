// Package probetest provides mail hosts that behave badly, one way each, for
// tests of what speaks to them (RFC 5321, RFC 3207). It is to a mail host what
// net/http/httptest is to a web server.
//
// A [Host] with nothing set is a decent mail host. [Host.On] replaces what it
// does at a [Step] by an [Action]: [Say], [Drop], [Hang], [Drip], [Endless],
// [Flood]. A [CA] issues its certificates, the wrong ones too.
//
// [Serve] puts a host on a real TCP port. A [Network] holds hosts on made-up
// addresses in memory: its DialContext takes the place of a dialer, addresses
// without a host are a black hole, and its connections work within
// testing/synctest, so a test of a time-out takes no time.
package probetest
