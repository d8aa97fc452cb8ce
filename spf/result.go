package spf

import (
	"net/netip"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Status is a result of check_host() (RFC 7208, Section 2.6).
type Status string

// The results.
const (
	None      Status = "none"      // no record, or no domain to look at
	Neutral   Status = "neutral"   // the domain says nothing about the host
	Pass      Status = "pass"      // the host may send for the domain
	Fail      Status = "fail"      // the host may not
	SoftFail  Status = "softfail"  // the host probably may not
	TempError Status = "temperror" // DNS did not answer; a later try may
	PermError Status = "permerror" // the records cannot be interpreted
)

// Limits of an evaluation (RFC 7208, Section 4.6.4).
const (
	MaxLookups = 10               // terms that need lookups
	MaxVoids   = 2                // lookups without an answer
	MaxNames   = 10               // MX names of one mx, PTR names of one ptr
	MaxTime    = 20 * time.Second // of one evaluation
)

// Args is what the receiving host knows of a mail.
type Args struct {
	IP   netip.Addr // the client; an IPv4-mapped address is an IPv4 address
	Helo string     // name given with HELO or EHLO

	// MailFrom is the reverse-path without angle brackets. If it is empty, as
	// for a bounce, or to check the HELO identity, it is postmaster@Helo (RFC
	// 7208, Section 2.4). Without "@" it is a domain.
	MailFrom string
}

// Options are settings of [Check] and [Analyze]. The zero value follows the RFC.
type Options struct {
	MaxLookups int           // 0 is [MaxLookups]
	MaxVoids   int           // 0 is [MaxVoids]; negative is no limit
	MaxNames   int           // 0 is [MaxNames]
	Timeout    time.Duration // 0 is [MaxTime]

	Receiver string           // the macro r of explanations; empty is "unknown"
	Now      func() time.Time // the macro t of explanations; nil is time.Now
	Trace    bool             // fill Result.Trace

	// Cache keeps compiled records between calls; nil compiles anew.
	Cache *Cache
	// Serial asks one question after the other. Otherwise, if the first answer
	// was slow to come, what a record needs is asked at once; the result and the
	// counts are the same.
	Serial bool
}

// Result is the verdict on one mail, the reason and the way to it.
type Result struct {
	Status Status
	Domain resolve.Name // the domain checked; zero if the identity has none

	// Term is the directive that matched and Record the owner of the record it
	// stands in: that of Domain or one it redirects to. Both are zero if nothing
	// matched.
	Term   string
	Record resolve.Name
	// InnerTerm and InnerRecord are the directive at the end of a matching chain
	// of includes; without an include they equal Term and Record.
	InnerTerm   string
	InnerRecord resolve.Name

	Lookups     int    // terms evaluated that count against MaxLookups
	Voids       int    // lookups that count against MaxVoids
	Explanation string // the domain's own words on a fail; foreign text of printable ASCII

	// Err is why Status is temperror or permerror, or why there was nothing to
	// check: usually a *[Problem].
	Err   error
	Trace []Step // in the order of evaluation; only with Options.Trace
}

// Step is one term evaluated, or a record entered (Term is empty then).
type Step struct {
	Depth   int          // 0 is the domain checked, more are inside includes
	Domain  resolve.Name // owner of the record
	Text    string       // the record entered, or the term
	Term    int          // index of the term; -1 for a record entered
	Target  resolve.Name // name the term leads to, if any
	Match   bool
	Lookups int // so far, this term included
	Voids   int
	Err     error // what ended the evaluation here
}
