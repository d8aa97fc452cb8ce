// Package remedy joins what a receiver said (package diagnose) with a live audit
// of the domain and the address it named, so that a reply such as RFC 7372's
// 5.7.26, which stands for many things, ends in one concrete repair.
//
// "Your mail is unauthenticated" does not tell an operator whether to edit SPF,
// to sign, or to look at the forwarder in between. The records tell: does SPF
// pass for that address, is there a key, is there a policy.
//
// Call Find with a verdict of package diagnose; Advice.Fix is what to do first.
package remedy
