package failure

import (
	"fmt"
	"net/netip"
	"time"
)

// Parts are the parts of a report (RFC 5965, Section 2) without their transfer
// encoding. Text is used when Feedback is missing, and kept for people otherwise.
type Parts struct {
	Text     []byte // the part for people
	Feedback []byte // message/feedback-report
	Original []byte // the reported message, or its header alone
}

// Report is one failure report. What a report does not say is empty.
type Report struct {
	FeedbackType Word // auth-failure for DMARC; abuse and others for feedback loops
	UserAgent    string
	Version      string

	ArrivalDate        time.Time // UTC; zero if unknown
	SourceIP           netip.Addr
	SourceText         string // Source-IP as written if it is no address
	SourcePort         int
	ReportingMTA       string
	OriginalEnvelopeID string
	OriginalMailFrom   string // address without angle brackets
	NullMailFrom       bool   // Original-Mail-From is there and is the null reverse-path
	OriginalRcptTo     []string
	ReportedDomain     []string // lower case
	ReportedURI        []string
	Incidents          int64 // 1 if the report does not say (RFC 5965, Section 3.2)

	AuthenticationResults []string
	AuthFailure           []Word // what failed: dmarc, dkim's bodyhash, revoked and signature, spf, adsp
	IdentityAlignment     []Word // mechanisms that gave no aligned identifier; none if all did
	DeliveryResult        Word

	DKIMDomain, DKIMIdentity, DKIMSelector string
	DKIMCanonicalHeader, DKIMCanonicalBody []byte
	SPFDNS                                 []string

	// Other holds the fields of the feedback part that have no place above.
	Other []Field

	// Original is the header of the reported message, in order, and OriginalBody
	// says that more than a header came.
	Original     []Field
	OriginalBody bool

	Text        string // the part for people, shortened
	Diagnostics []Diagnostic
}

// Field is one header field, unfolded.
type Field struct{ Name, Value string }

// Word is a word of an enumeration: in lower case if it is known, and as written.
type Word struct {
	Value string // empty if the word is not known
	Raw   string
}

// String is the value, or the text as written if it has none.
func (w Word) String() string {
	if w.Value != "" {
		return w.Value
	}
	return w.Raw
}

// OriginalField is the first field of that name in the reported message.
func (r *Report) OriginalField(name string) string { return get(r.Original, name) }

// Diagnostic is one thing that is wrong with a report, or had to be understood
// against the letter.
type Diagnostic struct {
	Code     string // one of the constants of this package
	Severity string // Info, Repair or Loss
	Element  string // the field it is about; may be empty
	Text     string // foreign text, shortened: escape before showing
	Record   int64  // always 0
	Offset   int64  // always 0
	Count    int64
}

// Severities.
const (
	Info   = "info"   // unusual, and no harm to the meaning
	Repair = "repair" // wrong, and understood nevertheless
	Loss   = "loss"   // something is missing or could not be read
)

// Codes.
const (
	MissingField  = "missing-field"   // Info: a required field is not there
	WordUnknown   = "word-unknown"    // Info: a word of no enumeration
	NoOriginal    = "no-original"     // Info: the reported message is not there
	TextOnly      = "text-only"       // Repair: no feedback part; read from the text for people
	RepeatedField = "repeated-field"  // Repair: a field given twice; the first counts
	FieldAlias    = "field-alias"     // Repair: another name for the field
	WordForm      = "word-form"       // Repair: another spelling of the word
	AddressForm   = "address-form"    // Repair: an address in another form
	AddressBad    = "address-bad"     // Loss: Source-IP is no address
	DateBad       = "date-bad"        // Loss: a date that cannot be read
	NumberBad     = "number-bad"      // Loss: a number that is none
	Base64Bad     = "base64-bad"      // Loss: a field that is no base64
	TooMany       = "too-many"        // Loss: a list was cut at its limit
	ValueTooLong  = "value-too-long"  // Loss: a value was cut at its limit
	CharsetBad    = "charset-guessed" // Repair: octets that are no UTF-8
)

var severities = map[string]string{
	MissingField: Info, WordUnknown: Info, NoOriginal: Info,
	AddressBad: Loss, DateBad: Loss, NumberBad: Loss, Base64Bad: Loss, TooMany: Loss, ValueTooLong: Loss,
}

// String is for logs: it quotes foreign text.
func (d Diagnostic) String() string {
	s := d.Code
	if d.Element != "" {
		s += " at " + d.Element
	}
	if d.Text != "" {
		s += fmt.Sprintf(": %q", d.Text)
	}
	if d.Count > 1 {
		s += fmt.Sprintf(" (%d times)", d.Count)
	}
	return s
}

const (
	maxDiagnostics = 64
	maxQuote       = 80
)

func (r *Report) note(code, element, text string) {
	for i := range r.Diagnostics {
		if d := &r.Diagnostics[i]; d.Code == code && d.Element == element {
			d.Count++
			return
		}
	}
	if len(r.Diagnostics) == maxDiagnostics {
		return
	}
	sev := severities[code]
	if sev == "" {
		sev = Repair
	}
	r.Diagnostics = append(r.Diagnostics, Diagnostic{Code: code, Severity: sev, Element: element, Text: shorten(text, maxQuote), Count: 1})
}
