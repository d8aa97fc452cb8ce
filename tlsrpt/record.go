package tlsrpt

import (
	"errors"
	"fmt"
	"strings"
)

// Limits of a record. RFC 8460 sets none.
const (
	maxRecord      = 65535         // octets: the data of a TXT record (RFC 1035, Section 3.2.1)
	maxFields      = 256           // read per record; a useful record has two
	maxURIs        = 100           // read per record
	maxProblems    = 100           // kept per record
	maxFieldName   = 32            // characters (RFC 8460, Section 3)
	maxRecordQuote = 60            // octets of foreign text in a message
	recordStart    = "v=TLSRPTv1;" // RFC 8460, Section 3
	recordVersion  = "v=TLSRPTv1"
)

// Reasons. Each error of [ParseRecord] matches one of them.
var (
	ErrNotRecord = errors.New("tlsrpt: not a TLS-RPT record") // discarded: it does not start with v=TLSRPTv1;
	ErrRecord    = errors.New("tlsrpt: invalid record")       // taken for a record, and then for none
)

// Record is a TLS-RPT record (RFC 8460, Section 3): where a domain wants reports
// sent. The zero value is an empty text. Make one with [ParseRecord] or
// [NewRecord], change it with SetRUA; the fields are a reading of the text and
// changing them does not change it.
type Record struct {
	Fields   []Field   // every segment between semicolons that is not blank, in order
	Problems []Problem // in order of their offset
	RUA      []URI     // of the rua that counts, valid or not, in order

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

// URI is one place for reports.
type URI struct {
	Text    string // as written, without white space around it
	Offset  int    // octets from the start of the record
	Valid   bool   // a mailto with an address, or an https with a host
	Scheme  string // lower case
	Address string // of a mailto, decoded: "reports@example.org"
	Host    string // A-labels; of the address or the authority, empty if there is none
}

// String is the text of the record, byte for byte.
func (r Record) String() string { return r.text }

// MarshalText writes the text of the record.
func (r Record) MarshalText() ([]byte, error) { return []byte(r.text), nil }

// UnmarshalText reads a record, also a text that is none.
func (r *Record) UnmarshalText(b []byte) error {
	*r, _ = ParseRecord(string(b)) // what is wrong is in Problems
	return nil
}

// Kinds of problems of a record; the Field of the problem tells what it is about.
const (
	Missing      = "missing"       // a field that is required
	Invalid      = "invalid"       // a value that the field cannot have
	Case         = "case"          // a known word in the wrong case
	NotFirst     = "not-first"     // the version stands behind something else
	Quoted       = "quoted"        // quotation marks are part of the text
	Space        = "space"         // white space where none may be
	Duplicate    = "duplicate"     // the first one counts
	Unknown      = "unknown"       // a field that reporters ignore
	Junk         = "junk"          // a segment that is no field, or an empty one
	BadCharacter = "bad-character" // an octet that may not be there
	TooLong      = "too-long"      // more than is read
	URIInvalid   = "uri-invalid"   // an entry of rua is lost
	URIScheme    = "uri-scheme"    // an entry is neither mailto nor https, so it is lost
)

// Effects of a problem of a record.
const (
	Ignored  = "ignored"  // reporters have to act as if there was no record
	AtRisk   = "at-risk"  // those that take the grammar at its word do so, or one place gets no reports
	Harmless = "harmless" // what is meant is what counts
)

// Problem is one thing wrong with a record, or remarkable about it.
type Problem struct {
	Kind       string // one of the constants of this package
	Effect     string // Ignored, AtRisk or Harmless
	Field      string // name as written; empty if it is about the whole record or junk
	Offset     int    // octets from the start of the text
	Message    string // what is wrong and what follows, safe to show
	Suggestion string // what was probably meant: foreign text, may be empty
}

// String is the message with the suggestion.
func (p Problem) String() string {
	if p.Suggestion == "" {
		return p.Message
	}
	return fmt.Sprintf("%s; did you mean %s?", p.Message, quoteRecord(p.Suggestion))
}

// RecordError is a text that reporters cannot use.
type RecordError struct {
	In      string // the text, shortened
	Reason  error  // ErrNotRecord or ErrRecord
	Problem        // the first one that is fatal
}

// Error quotes the text, so it is safe to show.
func (e *RecordError) Error() string {
	return fmt.Sprintf("%v: %s: %s", e.Reason, quoteRecord(e.In), e.Problem)
}

// Unwrap returns the reason.
func (e *RecordError) Unwrap() error { return e.Reason }

// quoteRecord quotes foreign text and keeps it short.
func quoteRecord(s string) string {
	if len(s) > maxRecordQuote {
		return fmt.Sprintf("%+q", strings.ToValidUTF8(s[:maxRecordQuote], "")+"...")
	}
	return fmt.Sprintf("%+q", s)
}
