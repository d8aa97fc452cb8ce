package trace

import (
	"net/netip"
	"time"
)

// Hop is one Received field.
type Hop struct {
	Field int    `json:"field"` // place in the header
	Raw   string `json:"raw"`   // the value, unfolded

	// Helo is the name that the peer gave itself (HELO, EHLO or LHLO), as far as
	// the field tells it from other names.
	Helo string `json:"helo,omitempty"`
	// PeerName is the name that the receiving host found for the peer's address, in
	// lower case; empty if it found none or does not say.
	PeerName string `json:"peer_name,omitempty"`
	// Unresolved is true if the field says that no name was found.
	Unresolved bool       `json:"unresolved,omitempty"`
	Peer       netip.Addr `json:"peer,omitzero"` // the peer's address; not valid if the field has none
	PeerPort   int        `json:"peer_port,omitempty"`
	// Claimed is true if Peer is only what stands where the peer's own name does.
	Claimed bool   `json:"claimed,omitempty"`
	From    string `json:"from,omitempty"` // the clause as written, without comments

	By     string     `json:"by,omitempty"` // the receiving host
	ByAddr netip.Addr `json:"by_addr,omitzero"`

	Via  string   `json:"via,omitempty"`
	With string   `json:"with,omitempty"` // as written: ESMTPS, LMTP, HTTP, Microsoft SMTP Server
	ID   string   `json:"id,omitempty"`
	For  []string `json:"for,omitempty"` // addresses without brackets

	EnvelopeFrom string `json:"envelope_from,omitempty"` // from a comment; without brackets
	NullSender   bool   `json:"null_sender,omitempty"`   // the comment has <>
	User         string `json:"user,omitempty"`          // who logged in, if the field tells
	Software     string `json:"software,omitempty"`      // postfix, exim, exchange, gmail, sendmail, qmail, …: by the form

	Protocol Protocol `json:"protocol"`
	TLS      TLS      `json:"tls"`

	Date     time.Time `json:"date,omitzero"` // UTC; zero if there is none that can be read
	DateText string    `json:"date_text,omitempty"`

	// Delay is the time since the hop below, as the two clocks tell it.
	Delay  time.Duration `json:"delay"`
	Timing Timing        `json:"timing,omitempty"`

	Comments []string `json:"comments,omitempty"`
	Problems []string `json:"problems,omitempty"`
}

// Protocol is what the word behind "with" says (RFC 3848, RFC 6531, Section 4.3).
type Protocol struct {
	Name   string `json:"name,omitempty"`   // SMTP, ESMTP, LMTP, UTF8SMTP, HTTP, …, in upper case without the letters S and A
	TLS    bool   `json:"tls,omitempty"`    // the word has an S
	Auth   bool   `json:"auth,omitempty"`   // the word has an A: the peer logged in
	UTF8   bool   `json:"utf8,omitempty"`   // SMTPUTF8 was used
	Remote bool   `json:"remote,omitempty"` // a protocol between hosts
}

// TLS is the evidence for encryption of one step.
type TLS struct {
	// Used is true if the field shows that TLS was used. False is unknown: many
	// systems say nothing.
	Used     bool   `json:"used"`
	Evidence string `json:"evidence,omitempty"` // "comment", "word" or "protocol": where that is from
	Version  string `json:"version,omitempty"`  // "1.3", "1.2", …; "SSLv3"
	Cipher   string `json:"cipher,omitempty"`
	Bits     int    `json:"bits,omitempty"`
	// Verified is "yes" or "no" if the field tells whether the peer's certificate
	// was trusted, and empty otherwise.
	Verified string `json:"verified,omitempty"`
}

// Timing says what Delay is.
type Timing string

// Timings.
const (
	Unknown   Timing = ""          // a date is missing
	Delayed   Timing = "delay"     // not negative
	Skew      Timing = "skew"      // negative by at most MaxSkew: the clocks differ
	Backwards Timing = "backwards" // negative by more: a clock is wrong, or a field is
)

// MaxSkew is the difference of two clocks that is taken for such. Hosts that keep
// time differ by less than seconds; the common limit of protocols that need clocks
// is five minutes (RFC 4120, Section 8.2).
const MaxSkew = 5 * time.Minute

// Words of Hop.Problems.
const (
	NoDate     = "no-date"     // no date behind the last semicolon
	BadDate    = "bad-date"    // one that cannot be read
	OpenEnd    = "open"        // a comment or a quoted string does not end
	Deep       = "deep"        // comments nest too deep
	TooLong    = "too-long"    // longer than MaxField; the rest was not read
	NotTrace   = "not-trace"   // neither from nor by nor with
	ByFirst    = "by-first"    // "by" stands before "from"
	Duplicate  = "duplicate"   // a clause is there twice; the first counts
	PeerUnsure = "peer-unsure" // several addresses could be the peer's
)

// Limits.
const (
	MaxField = 16 << 10 // octets of one field
	MaxHops  = 200      // of one mail; RFC 5321, Section 6.3 calls 100 a loop
)
