// Package lab holds tests against real name servers from Debian: NSD, and if
// they are installed Knot DNS and Unbound. They serve captured public zones on a
// loopback port, and the tests ask whether the client of package resolve/client,
// the zones of package resolve/zonetest and the built binary see in them what
// is there.
//
// The tests have the build tag "lab"; internal/lab/run.sh installs the servers
// and runs them.
package lab
