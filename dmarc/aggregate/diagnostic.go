package aggregate

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// Diagnostic is one thing a reader had to do to understand a report. Repeats of
// one code at one element are one diagnostic with a Count.
type Diagnostic struct {
	Code     string // one of the constants of this package
	Severity string // Info, Repair or Loss
	Element  string // path below feedback, as "record/row/count"; may be empty
	Text     string // the foreign text it is about, shortened: escape before showing
	Record   int64  // of the first occurrence, counted from 1; 0 outside of records
	Offset   int64  // of the first occurrence, in octets of the UTF-8 document
	Count    int64
}

// Severities.
const (
	Info   = "info"   // unusual, and no harm to the meaning
	Repair = "repair" // the document is wrong, and was understood nevertheless
	Loss   = "loss"   // something of the report is missing or could not be read
)

// Codes with severity Info.
const (
	UnknownElement = "unknown-element" // an element of no known format, left out
	WordUnknown    = "word-unknown"    // a word of no enumeration; Raw has it
	EmptyValue     = "empty-value"     // a required element is there and empty
	LongSpan       = "long-span"       // the period is longer than 26 hours
	EmptySpan      = "empty-span"      // the period ends when it begins, or before
	NoRecords      = "no-records"      // the report has no record
	SecondPolicy   = "second-policy"   // more than one policy_published
	MissingElement = "missing-element" // a required element is not there
)

// Codes with severity Repair.
const (
	CharsetGuessed   = "charset-guessed"  // octets that are no UTF-8 were read as windows-1252
	CharsetUnknown   = "charset-unknown"  // the declared character set is not known, or not true
	ControlCharacter = "control-char"     // a character that XML does not have was removed
	EntityUnknown    = "entity-unknown"   // an "&" that begins no entity was taken as text
	RawMarkup        = "raw-markup"       // a "<" that begins no tag of the format was taken as text
	TextOutside      = "text-outside"     // text where only elements belong, left out
	StrayEnd         = "stray-end-tag"    // an end tag without its start, left out
	Unclosed         = "unclosed-element" // an element whose end tag is missing
	Misplaced        = "misplaced"        // a known element at another place than the format's
	ElementForm      = "element-form"     // the name of an element in another spelling
	WordForm         = "word-form"        // a word in upper case, or with characters around it
	WordAlias        = "word-alias"       // another word for the same thing
	NumberForm       = "number-form"      // a number with a fraction, or a time in another form
	AddressForm      = "address-form"     // an address in another form than RFC 3986 has
	DomainForm       = "domain-form"      // a domain with characters around it
	OrgFromEmail     = "org-from-email"   // org_name is missing: take Metadata.Reporter
	BadDeclaration   = "xml-declaration"  // the XML declaration is malformed
)

// Codes with severity Loss.
const (
	Truncated      = "truncated"       // the document ends in the middle
	RecordCut      = "record-cut"      // the last record was cut off and is left out
	ContentLost    = "content-lost"    // an end tag of a record whose start is missing
	ValueMissing   = "value-missing"   // an element without which the rest cannot be placed or summed is missing or empty
	NumberBad      = "number-bad"      // a number or time that is none, read as zero
	AddressBad     = "address-bad"     // source_ip is no address; SourceText has it
	ValueTooLong   = "value-too-long"  // a text was cut at the limit
	TooMany        = "too-many"        // a list was cut at the limit
	RepeatedValue  = "repeated-value"  // an element given twice; the first counts
	SecondReport   = "second-report"   // another feedback element follows
	ReadError      = "read-error"      // the source failed after the end of the report
	MoreDiagnostic = "diagnostics-cut" // more kinds of diagnostics than are kept
)

var severities = map[string]string{
	UnknownElement: Info, WordUnknown: Info, EmptyValue: Info, LongSpan: Info, EmptySpan: Info,
	NoRecords: Info, SecondPolicy: Info, MissingElement: Info,
	ValueMissing: Loss, Truncated: Loss, RecordCut: Loss, ContentLost: Loss, NumberBad: Loss, AddressBad: Loss,
	ValueTooLong: Loss, TooMany: Loss, RepeatedValue: Loss, SecondReport: Loss,
	ReadError: Loss, MoreDiagnostic: Loss,
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
	maxDiagnostics = 64 // kinds kept; a report with more is beyond reading by people
	maxQuote       = 80 // octets of foreign text in a diagnostic or error
)

// note records a diagnostic.
func (p *parser) note(code, element string, text []byte) {
	list := p.report.Diagnostics
	for i := range list {
		if list[i].Code == code && list[i].Element == element {
			list[i].Count++
			return
		}
	}
	if len(list) == maxDiagnostics {
		code, element, text = MoreDiagnostic, "", nil
	} else if len(list) > maxDiagnostics {
		list[maxDiagnostics].Count++
		return
	}
	d := Diagnostic{Code: code, Severity: severities[code], Element: element, Text: quote(text), Offset: p.w.offset(), Count: 1}
	if d.Severity == "" {
		d.Severity = Repair
	}
	if d.Severity == Loss {
		p.report.Complete = false
	}
	if p.inRecord {
		d.Record = p.rec.Number
	}
	p.report.Diagnostics = append(list, d)
}

// vital are the fields of [ValueMissing].
const vital = 1<<fReportID | 1<<fBegin | 1<<fEnd | 1<<fDomain | 1<<fSourceIP | 1<<fCount

// absent notes that a field is missing or empty, which code says.
func (p *parser) absent(code string, f field) {
	if f.bit()&vital != 0 {
		code = ValueMissing
	}
	p.note(code, f.path(), nil)
}

// quote shortens foreign text.
func quote(b []byte) string {
	if len(b) <= maxQuote {
		return string(b)
	}
	b = b[:maxQuote]
	for i := 0; i < utf8.UTFMax && len(b) > 0 && !utf8.Valid(b); i++ {
		b = b[:len(b)-1]
	}
	return string(b) + "…"
}

// Reasons why a document is refused. Each error of [Read] that is not the
// callback's own matches one of them with errors.Is.
var (
	ErrNotReport = errors.New("aggregate: not an aggregate report")
	ErrDoctype   = errors.New("aggregate: document type declaration refused")
	ErrTruncated = errors.New("aggregate: cut off before it says who reports")
	ErrLimit     = errors.New("aggregate: limit exceeded")
	ErrRead      = errors.New("aggregate: source failed")
)

// Error tells why a document is refused.
type Error struct {
	Reason error  // one of the reasons above
	Offset int64  // octets of the UTF-8 document read before it
	Detail string // what was found or expected; foreign text in it is quoted
	Err    error  // the cause, if another error is one
}

func (e *Error) Error() string {
	s := e.Reason.Error()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is matches the reason.
func (e *Error) Is(target error) bool { return target == e.Reason }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func (p *parser) fail(reason error, format string, args ...any) error {
	return &Error{Reason: reason, Offset: p.w.offset(), Detail: fmt.Sprintf(format, args...)}
}
