// Package dnsbl asks DNS block lists about addresses and domains, and refuses to
// believe those that cannot be believed (RFC 5782).
//
// An operator whose mail is refused wants to know whether a list names the server.
// Most answers to that are wrong: a list that is asked through a public resolver
// answers with an error code that looks like a listing, a list that died lists the
// whole world, a resolver that rewrites NXDOMAIN makes every address listed, and a
// timeout looks like a clean record. So each list is tested in every run with the
// entries that it has to have and those that it must not have; a list that fails
// the test is unusable, with the reason, and says nothing about anybody.
//
// For most uses, call [Check] with the addresses and domains in question. [All]
// lists what is known of the lists, [Lists] those that are asked by default, and
// [PublicResolver] tells whether a resolver is one that they do not answer.
//
// # Three states
//
// Present means listed, Absent means that a list which passed its test does not
// name the target, and Unavailable everything else. Unknown is never "not listed".
//
// # Provenance
//
// The rows of catalogue.json say for each list what its codes mean, how it is
// tested, on which terms it may be asked and where its owner takes requests, with
// the source and how sure it is. The date of the review stands at the head. Lists
// that are gone stay in it, marked as dropped, so that a report that names one can
// be answered: their zones are never asked.
package dnsbl
