// Package planner joins an audit with a person's answers into a plan: ordered
// steps that repair what the audit found (RFC 7208, RFC 6376, RFC 9989).
//
// An operator does not want forty findings, but to know what to change first,
// what can break, and that the result has been tried before anything is written.
// So edits of all rules are merged into one change for each record set, the zone
// as planned is audited like a real one, and a change that would bring an error
// is taken out again and said so.
//
// Call Build; the plan it returns is data of package fix, which is saved,
// reviewed, exported and applied. Nothing here writes anything.
package planner
