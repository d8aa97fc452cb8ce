package spf

import (
	"net/netip"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Bounds of an analysis. What lies beyond them is not looked at, and
// Analysis.Truncated says so. An evaluation stops at ten lookups, so records
// beyond them are broken for every receiver anyway.
const (
	maxNodes     = 200   // records in the tree, repeated ones counted again
	maxDepth     = 20    // includes inside includes
	maxQuestions = 400   // distinct questions asked
	maxTerms     = 20000 // terms looked at in the whole tree
	maxFlight    = 32    // questions asked at the same time
	maxProblems  = 200   // of each kind that are listed
)

// Analysis is everything that can be said of a domain's SPF without a sender.
// It is plain data.
type Analysis struct {
	Domain resolve.Name
	State  resolve.State  // Present: there is at least one SPF record
	Err    error          // the lookup error behind Absent (nil if other TXT records exist) and Unavailable
	Answer resolve.Answer // the TXT records of Domain

	Records []string   // SPF records found; more than one is permerror
	Near    []NearMiss // TXT records that were meant to be SPF
	Root    *Node      // the record and all it leads to; nil unless there is exactly one

	// Lookups and Voids are what evaluation needs when no directive matches
	// before the end: the worst case. A term after all costs nothing.
	Lookups int
	Voids   int
	Break   *Break // where the lookup limit is passed; nil if it is kept

	// Problems make evaluation end in permerror when it comes to them.
	Problems []Problem
	// Unknown are the lookups that failed: what they would have shown is open.
	Unknown   []Problem
	Complete  bool // nothing is unknown or truncated, and every term could be followed
	Truncated bool // the tree is larger than what is looked at

	// All is the qualifier of the last resort, that of all in the record that
	// decides, redirects followed; 0 if it has none and so ends neutral.
	All Qualifier

	// IPv4 and IPv6 are the networks that pass, by terms that pass in includes
	// that pass, without overlaps. Terms with macros are not in them.
	IPv4      []netip.Prefix
	IPv6      []netip.Prefix
	IPv4Count uint64  // addresses in IPv4
	IPv4Share float64 // their part of all IPv4 addresses, 0 to 1
	Widest    *TermRef

	LongestTXT int // octets of the longest TXT record at Domain, strings joined
	AnswerSize int // octets of the answer with all TXT records at Domain on the wire

	Questions []resolve.Question // all that was asked, in order
}

// TermRef points at a term of a record in the tree.
type TermRef struct {
	Domain resolve.Name // owner of the record
	Term   int          // index of the term
	Text   string       // of the term
	Root   int          // index of the term of the root record that leads there
}

// Break is the term that needs one lookup too many.
type Break struct {
	TermRef
	// Every says that no directive before it can match, so no sender at all gets
	// a verdict. Otherwise those that match earlier do.
	Every bool
}

// Node is one record in the tree.
type Node struct {
	Domain resolve.Name
	Via    string // the term that leads here; empty for the root
	Depth  int

	State    resolve.State // Present: exactly one or more SPF records
	Err      error         // of the TXT lookup
	Answer   resolve.Answer
	Text     string   // the record; empty unless there is exactly one
	Records  []string // all of them
	Record   Record
	Syntax   SyntaxErrors // what is wrong with it
	Terms    []TermInfo   // one for each of Record.Terms
	Loop     bool         // the name is being evaluated already: not followed
	Repeated bool         // the name is evaluated elsewhere before: its lookups count again

	Lookups int // worst case inside this record, the nested ones included
	Voids   int
}

// TermInfo is what is known of one term.
type TermInfo struct {
	Index   int
	Target  resolve.Name // the name it leads to; zero if it has none or it depends on the sender
	Cost    int          // lookups it counts for by itself: 0, 1, or 2 with the first macro p
	Lookups int          // it and all below it, worst case
	Running int          // lookups so far in the whole evaluation, this term included
	Voids   int          // lookups of its own that have no answer

	State   resolve.State    // of what Target should have: Present, Absent or Unavailable
	Err     error            // why it is not Present
	Answers []resolve.Answer // the evidence
	Child   *Node            // the record of include and redirect; nil if not followed

	Ignored     bool // never evaluated: after all, or a redirect beside all
	Unevaluated bool // depends on the sender: macros, or ptr
	Skipped     bool // not looked at, as the tree is too large

	Hosts    []resolve.Name // MX names of mx, in order of preference
	Networks []netip.Prefix // what the term itself matches
}
