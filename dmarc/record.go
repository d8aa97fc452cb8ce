package dmarc

import (
	"errors"
	"fmt"
	"strings"
)

// Limits. The protocol sets none of them but the first.
const (
	maxRecord  = 65535 // octets: the data of a TXT record (RFC 1035, Section 3.2.1)
	maxTags    = 256   // read per record; a useful record has about ten
	maxURIs    = 100   // read per rua or ruf
	maxGuess   = 24    // octets of a value that a spelling suggestion is sought for
	maxQuoted  = 60    // octets of foreign text in a message
	maxMisread = 16    // problems kept per rua or ruf
)

// ErrNotDMARC matches the error of [Parse] for a text that receivers ignore as a
// whole.
var ErrNotDMARC = errors.New("dmarc: not a DMARC record")

// Policy is a value of p, sp or np (RFC 9989, Section 4.7). The zero value is no
// policy.
type Policy string

// The policies, from weakest to strongest.
const (
	None       Policy = "none"
	Quarantine Policy = "quarantine"
	Reject     Policy = "reject"
)

// Strength orders policies: 0 for none and no policy, 1 for quarantine, 2 for
// reject.
func (p Policy) Strength() int {
	switch p {
	case Quarantine:
		return 1
	case Reject:
		return 2
	}
	return 0
}

// lower is the policy one level down, which t=y asks for (RFC 9989, Section 4.7)
// and which pct sampling gives to the messages left out (RFC 7489, Section 6.6.4).
func (p Policy) lower() Policy {
	switch p {
	case Reject:
		return Quarantine
	case Quarantine:
		return None
	}
	return p
}

// Record is a DMARC policy record (RFC 9989, Section 4.7). The zero value is an
// empty text. Make one with [Parse] or [New], change it with Set and Remove;
// the fields are a reading of the text and changing them does not change it.
type Record struct {
	Tags     []Tag     // every segment between semicolons that is not blank, in order
	Problems []Problem // in order of their offset

	// The policies, in lower case; empty when the tag is absent or its value is
	// not valid. Use Effect for what a receiver makes of them.
	P, SP, NP Policy

	StrictDKIM bool // adkim=s
	StrictSPF  bool // aspf=s
	Testing    bool // t=y

	// PSD is "y", "n" or "u": a public suffix domain, the organizational domain,
	// or unsaid.
	PSD string

	FO       string // failure reporting options, "0" by default
	RUA, RUF []URI  // report destinations, valid or not, in order

	// Percent is the pct of RFC 7489: 0 to 100, and 100 when absent or not
	// valid. RFC 9989 removed it.
	Percent int

	text string
}

// Tag is one segment of a record.
type Tag struct {
	Name   string // as written; empty when the segment has no "="
	Value  string // without white space around it; the whole segment if Name is empty
	Offset int    // octets from the start of the text to the name
	Raw    string // everything between the semicolons

	start int // offset of Raw
}

// String is the text of the record, byte for byte.
func (r Record) String() string { return r.text }

// MarshalText writes the text of the record.
func (r Record) MarshalText() ([]byte, error) { return []byte(r.text), nil }

// UnmarshalText reads a record, also a text that is none.
func (r *Record) UnmarshalText(b []byte) error {
	*r, _ = Parse(string(b)) // what is wrong is in Problems
	return nil
}

// Tag returns the first tag of that exact name.
func (r Record) Tag(name string) (Tag, bool) {
	for _, t := range r.Tags {
		if t.Name == name {
			return t, true
		}
	}
	return Tag{}, false
}

// Has reports whether the record has a problem of one of the kinds.
func (r Record) Has(kinds ...Kind) bool {
	for _, p := range r.Problems {
		for _, k := range kinds {
			if p.Kind == k {
				return true
			}
		}
	}
	return false
}

// URI is one entry of rua or ruf (RFC 9989, Section 4.8).
type URI struct {
	Text    string // as written, without white space around it and the obsolete size
	Offset  int    // octets from the start of the record
	Valid   bool   // a URI, with an address if it is a mailto
	Scheme  string // lower case
	Address string // of a mailto, decoded: "reports@example.org"
	Host    string // A-labels; of the address or the authority, empty if there is none
	Size    string // the obsolete limit after "!": "10m"
}

// Kind is a sort of [Problem]. Kinds are stable words.
type Kind string

// Kinds of problems. The first group makes receivers ignore the whole record.
const (
	VersionMissing  Kind = "version-missing"   // no v tag
	VersionInvalid  Kind = "version-invalid"   // v is something else than DMARC1
	VersionCase     Kind = "version-case"      // v=dmarc1
	VersionNotFirst Kind = "version-not-first" // v=DMARC1 stands behind another tag
	LeadingText     Kind = "leading-text"      // something stands before v=DMARC1
	Quoted          Kind = "quoted"            // quotation marks are part of the text
	TooLong         Kind = "too-long"          // more octets, tags or URIs than are read

	PolicyMissing   Kind = "policy-missing"    // no p
	PolicyInvalid   Kind = "policy-invalid"    // p, sp or np has an unknown value: all of the policy is off
	PolicyNotSecond Kind = "policy-not-second" // p does not follow v, as RFC 7489 wanted
	OptionInvalid   Kind = "option-invalid"    // adkim, aspf, fo, t, psd or pct is not valid: the default counts
	EmptyValue      Kind = "empty-value"       // nothing behind "="
	DuplicateTag    Kind = "duplicate-tag"     // the tag stands twice
	TagCase         Kind = "tag-case"          // a known tag in upper case
	UnknownTag      Kind = "unknown-tag"       // receivers ignore it
	RemovedTag      Kind = "removed-tag"       // pct, rf, ri: gone with RFC 9989
	Junk            Kind = "junk"              // a segment without "=", or an empty one
	BadCharacter    Kind = "bad-character"     // outside printable ASCII
	URIInvalid      Kind = "uri-invalid"       // an entry of rua or ruf is lost
	URIScheme       Kind = "uri-scheme"        // not a mailto: few support it
	URISize         Kind = "uri-size"          // "!10m": obsolete
)

// Problem is one thing wrong with a record, or remarkable about it.
type Problem struct {
	Kind       Kind
	Tag        string // name of the tag as written; empty if it is about the whole record or junk
	Offset     int    // octets from the start of the text
	Message    string // what is wrong and what follows, safe to show
	Suggestion string // what was probably meant: see Repair; foreign text, may be empty
}

// String is the message with the suggestion.
func (p Problem) String() string {
	if p.Suggestion == "" {
		return p.Message
	}
	return fmt.Sprintf("%s; did you mean %s?", p.Message, clip(p.Suggestion))
}

// ParseError is a text that is no DMARC record.
type ParseError struct {
	In string // the text, shortened
	Problem
}

// Error quotes the text, so it is safe to show.
func (e *ParseError) Error() string {
	return fmt.Sprintf("dmarc: %s is not a DMARC record: %s", clip(e.In), e.Problem)
}

// Is matches [ErrNotDMARC].
func (e *ParseError) Is(target error) bool { return target == ErrNotDMARC }

// clip quotes foreign text and keeps it short.
func clip(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%q", strings.ToValidUTF8(s[:maxQuoted], "")+"…")
	}
	return fmt.Sprintf("%q", s)
}
