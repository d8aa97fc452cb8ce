package mtasts

import (
	"errors"
	"fmt"
	"strings"
)

// Limits. RFC 8461 sets none of them but those of a policy's size, suggested in
// Section 3.3, and of max_age.
const (
	maxRecord   = 65535      // octets: the data of a TXT record (RFC 1035, Section 3.2.1)
	maxPolicy   = 64 << 10   // octets (RFC 8461, Section 3.3)
	maxFields   = 256        // read per record; a useful record has two
	maxLines    = 4096       // read per policy
	maxProblems = 100        // kept per text
	maxID       = 32         // characters (RFC 8461, Section 3.1)
	maxName     = 32         // characters of a field name (RFC 8461, Section 3.1 and 3.2)
	maxAgeLimit = 31557600   // seconds, about a year (RFC 8461, Section 3.2)
	maxQuoted   = 60         // octets of foreign text in a message
	version     = "STSv1"    // RFC 8461, Section 3.1
	recordStart = "v=STSv1;" // RFC 8461, Section 3.1
)

// Reasons. Each error of [Parse] and [ParsePolicy] matches one of them.
var (
	ErrNotSTS = errors.New("mtasts: not an MTA-STS record") // senders discard it: it does not start with v=STSv1;
	ErrRecord = errors.New("mtasts: invalid record")        // senders take it for a record, and then for none
	ErrPolicy = errors.New("mtasts: invalid policy")
)

// Record is an MTA-STS record (RFC 8461, Section 3.1). The zero value is an empty
// text. Make one with [Parse] or [NewRecord], change it with Set and Remove; the
// fields are a reading of the text and changing them does not change it.
type Record struct {
	Fields   []Field   // every segment between semicolons that is not blank, in order
	Problems []Problem // in order of their offset
	ID       string    // empty when it is absent or not valid

	text string
}

// Field is one segment of a record.
type Field struct {
	Name   string // as written; empty when the segment has no "="
	Value  string // the whole segment if Name is empty
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

// Field returns the first field of that exact name, which is the one that counts.
func (r Record) Field(name string) (Field, bool) {
	for _, f := range r.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// Kind is a sort of [Problem]. Kinds are stable words; the Field of the problem
// tells what it is about.
type Kind string

// Kinds of problems.
const (
	Missing      Kind = "missing"       // a field that is required
	Invalid      Kind = "invalid"       // a value that the field cannot have
	Case         Kind = "case"          // a known word in the wrong case
	NotFirst     Kind = "not-first"     // v=STSv1 stands behind something else
	Quoted       Kind = "quoted"        // quotation marks are part of the text
	Space        Kind = "space"         // white space where none may be
	Duplicate    Kind = "duplicate"     // the first one counts
	Unknown      Kind = "unknown"       // a field that senders ignore
	Junk         Kind = "junk"          // a segment or line that is no field, or an empty one
	BadCharacter Kind = "bad-character" // an octet that may not be there
	TooLong      Kind = "too-long"      // more than is read
	List         Kind = "list"          // several hosts in one mx
	Document     Kind = "document"      // a web page, or a byte order mark: not the file that was meant
)

// Effect is what a problem does to senders.
type Effect string

// The effects, from worst to none.
const (
	Ignored  Effect = "ignored"  // senders have to act as if there was no record or policy
	AtRisk   Effect = "at-risk"  // senders that take the grammar at its word do so
	Harmless Effect = "harmless" // what is meant is what counts
)

// Problem is one thing wrong with a record or policy, or remarkable about it.
type Problem struct {
	Kind       Kind
	Effect     Effect
	Field      string // name as written; empty if it is about the whole text or junk
	Offset     int    // octets from the start of the text
	Line       int    // of a policy, from 1; 0 in a record
	Message    string // what is wrong and what follows, safe to show
	Suggestion string // what was probably meant: foreign text, may be empty
}

// String is the message with the suggestion.
func (p Problem) String() string {
	if p.Suggestion == "" {
		return p.Message
	}
	return fmt.Sprintf("%s; did you mean %s?", p.Message, clip(p.Suggestion))
}

// ParseError is a text that senders cannot use.
type ParseError struct {
	In      string // the text, shortened
	Reason  error  // ErrNotSTS, ErrRecord or ErrPolicy
	Problem        // the first one that is fatal
}

// Error quotes the text, so it is safe to show.
func (e *ParseError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%v: line %d: %s", e.Reason, e.Line, e.Problem)
	}
	return fmt.Sprintf("%v: %s: %s", e.Reason, clip(e.In), e.Problem)
}

// Unwrap returns the reason.
func (e *ParseError) Unwrap() error { return e.Reason }

// worst is the first problem that makes senders ignore the text.
func worst(problems []Problem) *Problem {
	for i := range problems {
		if problems[i].Effect == Ignored {
			return &problems[i]
		}
	}
	return nil
}

// clip quotes foreign text and keeps it short.
func clip(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%+q", strings.ToValidUTF8(s[:maxQuoted], "")+"...")
	}
	return fmt.Sprintf("%+q", s)
}

// head keeps as much of the text as an error shows.
func head(s string) string { return s[:min(len(s), maxQuoted+1)] }
