// Package mail holds the tests of probes with real mail systems. They are built
// with the tag lab, and run by internal/lab/run.sh.
package mail
