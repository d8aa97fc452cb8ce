package archive

import (
	"net/netip"
	"time"
)

// Filter chooses reports and days. Zero values choose all.
type Filter struct {
	// Domains are policy domains, lower case, without the final dot.
	Domains []string
	// Since and Until bound the days: Since is the first, Until the first after
	// the last. Both are rounded down to a day.
	Since, Until time.Time
	// Sources choose records by address.
	Sources []netip.Prefix
	// Reporters choose reports; see Reporter.
	Reporters []string
	// Kind chooses reports of one kind, in Reports.
	Kind Kind
	// NoForged leaves out reports whose mail is forged, NoAlien those about
	// domains that are not ours.
	NoForged, NoAlien bool
	// Uncounted adds, in Reports alone, those that do not count.
	Uncounted bool
}

// Group is what Totals are made by.
type Group string

// Groups. Only ByNothing, ByDomain, ByDay, ByMonth and ByReporter are quick
// over many domains; BySource and ByHeaderFrom want a filter of few domains.
const (
	ByNothing    Group = ""
	ByDomain     Group = "domain"
	ByDay        Group = "day"    // Key is 2026-11-23
	ByMonth      Group = "month"  // Key is 2026-11
	BySource     Group = "source" // Key is the address; empty if none was given
	ByReporter   Group = "reporter"
	ByHeaderFrom Group = "header-from"
	ByPolicy     Group = "policy" // Key is p as the reporters saw it
)

// Total is the sum of a group.
type Total struct {
	Key string
	Counts
	First, Last time.Time // days with messages
}

// Counts are messages, told apart, and what they were counted from.
type Counts struct {
	Messages int64 `json:"messages"`
	// Which mechanism gave an aligned pass; the four make up Messages.
	Both     int64 `json:"dkim_and_spf"`
	DKIMOnly int64 `json:"dkim_only"`
	SPFOnly  int64 `json:"spf_only"`
	Neither  int64 `json:"neither"`
	// What the receivers did; the four make up Messages. Other is a word that
	// no standard has.
	None       int64 `json:"none"`
	Quarantine int64 `json:"quarantine"`
	Reject     int64 `json:"reject"`
	Other      int64 `json:"other"`
	// Overridden messages have a reason for another disposition.
	Overridden int64 `json:"overridden"`
	// Rows and Reports count for the day that a report begins in.
	Rows    int64 `json:"records"`
	Reports int64 `json:"reports"`
}

// Add adds.
func (c *Counts) Add(o Counts) {
	c.Messages += o.Messages
	c.Both += o.Both
	c.DKIMOnly += o.DKIMOnly
	c.SPFOnly += o.SPFOnly
	c.Neither += o.Neither
	c.None += o.None
	c.Quarantine += o.Quarantine
	c.Reject += o.Reject
	c.Other += o.Other
	c.Overridden += o.Overridden
	c.Rows += o.Rows
	c.Reports += o.Reports
}

// Passed is the number of messages with an aligned pass: those that DMARC
// calls pass (RFC 9989, Section 5.3).
func (c Counts) Passed() int64 { return c.Both + c.DKIMOnly + c.SPFOnly }

// CountsOf tells messages of one look apart. Rows and Reports are for the
// caller to say.
func CountsOf(l *Look, messages int64) Counts {
	c := Counts{Messages: messages}
	switch {
	case l.DKIM && l.SPF:
		c.Both = messages
	case l.DKIM:
		c.DKIMOnly = messages
	case l.SPF:
		c.SPFOnly = messages
	default:
		c.Neither = messages
	}
	switch l.Disposition {
	case "none", "pass": // RFC 9990 has pass for mail that DMARC passed: no action either
		c.None = messages
	case "quarantine":
		c.Quarantine = messages
	case "reject":
		c.Reject = messages
	default:
		c.Other = messages
	}
	if len(l.Reasons) > 0 {
		c.Overridden = messages
	}
	return c
}
