package tlsrpt

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// Report is one report: one reporter, one day, any number of policies.
type Report struct {
	Organization string
	Contact      string // contact-info, an address
	ReportID     string
	Begin, End   time.Time // UTC; zero if unknown
	Policies     []Policy

	// Complete is false when something of the report is lost; a diagnostic with
	// severity Loss tells what.
	Complete    bool
	Diagnostics []Diagnostic
}

// Sessions sums the sessions of all policies.
func (r *Report) Sessions() (successful, failed int64) {
	for _, p := range r.Policies {
		successful, failed = add(successful, p.Successful), add(failed, p.Failed)
	}
	return successful, failed
}

func add(a, b int64) int64 {
	if a+b < a {
		return maxCount
	}
	return a + b
}

// Reporter names the sender: Organization, or the domain of Contact.
func (r *Report) Reporter() string {
	if r.Organization != "" {
		return r.Organization
	}
	_, domain, _ := strings.Cut(r.Contact, "@")
	return strings.ToLower(domain)
}

// Policy is one policy that senders applied, with the outcome.
type Policy struct {
	Type    Word     // tlsa, sts or no-policy-found
	Strings []string // lines of an MTA-STS policy, or TLSA records
	// Domain is lower case: the recipient's for sts, the TLSA base domain for tlsa.
	Domain     string
	MXHosts    []string // patterns of the policy
	Successful int64    // sessions
	Failed     int64
	// Failures may overlap: one session can show in several (RFC 8460, Section 4).
	Failures []Failure
}

// Failure is one way in which sessions failed.
type Failure struct {
	Type            Word // such as certificate-expired; the registry is open
	SendingIP       netip.Addr
	ReceivingIP     netip.Addr
	ReceivingMX     string // lower case
	ReceivingHELO   string
	Sessions        int64
	AdditionalInfo  string // a URI: foreign, not to be followed blindly
	ReasonCode      string
	SendingIPText   string // as written, if it is no address
	ReceivingIPText string
}

// Word is a word of a registry: in lower case if it is known, and as written.
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

// Policy types (RFC 8460, Section 4.4).
const (
	TLSA          = "tlsa"
	STS           = "sts"
	NoPolicyFound = "no-policy-found"
)

// policyTypes and resultTypes are the words of RFC 8460, Sections 4.4 and 4.3.
var (
	policyTypes = []string{TLSA, STS, NoPolicyFound}
	resultTypes = []string{
		"starttls-not-supported", "certificate-host-mismatch", "certificate-expired", "certificate-not-trusted",
		"validation-failure", "tlsa-invalid", "dnssec-invalid", "dane-required", "sts-policy-fetch-error",
		"sts-policy-invalid", "sts-webpki-invalid",
	}
)

// Diagnostic is one thing that is wrong with a report, or had to be understood
// against the letter. Repeats of one code at one member are one with a Count.
type Diagnostic struct {
	Code     string // one of the constants of this package
	Severity string // Info, Repair or Loss
	Element  string // path of the member, as "policies/policy/policy-type"
	Text     string // foreign text, shortened: escape before showing
	Record   int64  // policy of the first occurrence, counted from 1; 0 outside
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
	UnknownMember = "unknown-member" // Info: a member of no known format, left out
	WordUnknown   = "word-unknown"   // Info: a word of no registry
	MissingMember = "missing-member" // Info: a required member is not there
	NoPolicies    = "no-policies"    // Info: the report has no policy
	SumsDiffer    = "sums-differ"    // Info: more failed sessions in a detail than in the summary
	EmptySpan     = "empty-span"     // Info: the period ends when it begins, or before
	MemberAlias   = "member-alias"   // Repair: another name for the member
	TypeForm      = "type-form"      // Repair: a string for a list or number, or the reverse
	WordForm      = "word-form"      // Repair: another spelling of the word
	TimeForm      = "time-form"      // Repair: a time without its zone, or in another form
	JSONForm      = "json-form"      // Repair: malformed JSON that could be read
	NumberBad     = "number-bad"     // Loss: a number that is none
	TimeBad       = "time-bad"       // Loss: a time that cannot be read
	AddressBad    = "address-bad"    // Loss: an address that is none
	TypeBad       = "type-bad"       // Loss: a member of a type that says nothing
	TooMany       = "too-many"       // Loss: a list was cut at its limit
	ValueTooLong  = "value-too-long" // Loss: a text was cut at its limit
	Truncated     = "truncated"      // Loss: the document ends in the middle
	SecondReport  = "second-report"  // Loss: more reports in one document; the first counts
)

var severities = map[string]string{
	UnknownMember: Info, WordUnknown: Info, MissingMember: Info, NoPolicies: Info, SumsDiffer: Info, EmptySpan: Info,
	NumberBad: Loss, TimeBad: Loss, AddressBad: Loss, TypeBad: Loss, TooMany: Loss, ValueTooLong: Loss,
	Truncated: Loss, SecondReport: Loss,
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

// Reasons. Each error of [Read] matches one of them with errors.Is.
var (
	ErrNotReport = errors.New("tlsrpt: not a TLS report")
	ErrSyntax    = errors.New("tlsrpt: malformed JSON")
	ErrLimit     = errors.New("tlsrpt: limit exceeded")
	ErrRead      = errors.New("tlsrpt: source failed")
)

// Error tells why a document is refused.
type Error struct {
	Reason error // one of the reasons above
	Offset int64 // octets, if the syntax is at fault
	Detail string
	Err    error // the cause, if another error is one
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

func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
