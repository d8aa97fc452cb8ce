package archive

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
)

// Sum is a SHA-256 sum.
type Sum [32]byte

// String gives 64 hexadecimal digits.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// MarshalText gives String.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads String.
func (s *Sum) UnmarshalText(b []byte) error {
	if hex.DecodedLen(len(b)) != len(s) {
		return errors.New("archive: a sum has 64 hexadecimal digits")
	}
	_, err := hex.Decode(s[:], b)
	return err
}

// Kind is the kind of a report.
type Kind string

// Kinds.
const (
	Aggregate Kind = "aggregate"
	Failure   Kind = "failure"
	TLS       Kind = "tls"
)

// Outcome is what became of an input.
type Outcome string

// Outcomes.
const (
	New         Outcome = "new"
	Duplicate   Outcome = "duplicate"
	Conflicting Outcome = "conflicting" // one key, other content: kept, one of them counted
	Rejected    Outcome = "rejected"
	Skipped     Outcome = "skipped" // nothing that could be a report
)

// Proof tells whether the mail that a report came in is from whom it says.
type Proof string

// Proofs. The zero value is for a report that did not come in a mail, or whose
// mail has no result that can be believed: unknown, not bad.
const (
	Unproven Proof = ""
	Proven   Proof = "pass"
	Forged   Proof = "fail"
)

// Origin tells where a report came from.
type Origin struct {
	Sum   Sum    // of the document, decompressed
	Path  string // as source.Document.Path: foreign text
	From  string // From of the mail: foreign text
	Proof Proof
	Alien bool // the policy domain is none of ours
	At    time.Time
	Extra string // tls: the domain the mail names (RFC 8460, Section 5.3)
}

// Added tells what became of a report.
type Added struct {
	ID      int64
	Outcome Outcome // New, Duplicate or Conflicting
	// Counted tells whether the report is the one of its key that counts.
	Counted bool
	Rows    int64 // records of it; none of a Duplicate
	// Messages is the sum of the records' counts.
	Messages int64
}

// Input is a line of the ledger: an input and what became of it.
type Input struct {
	At       time.Time `json:"at"`
	Path     string    `json:"path"` // foreign text
	Kind     Kind      `json:"kind,omitempty"`
	Outcome  Outcome   `json:"outcome"`
	Reason   string    `json:"reason,omitempty"` // of Rejected and Skipped: foreign text
	Report   int64     `json:"report,omitempty"` // Report.ID, also of the one it doubles
	Sum      Sum       `json:"sum"`              // zero if there was no document
	From     string    `json:"from,omitempty"`
	MailID   string    `json:"message_id,omitempty"`
	Rows     int64     `json:"rows,omitempty"`
	Messages int64     `json:"messages,omitempty"`
}

// Report is the head of a stored report.
type Report struct {
	ID       int64
	Kind     Kind
	Reporter string // see Reporter
	Org      string // as written
	Email    string
	ReportID string
	// Domain is the policy domain, lower case without the final dot; of a TLS
	// report that of its first policy, of a failure report the reported one.
	Domain      string
	Begin, End  time.Time // UTC
	Policy      Policy    // of an aggregate report
	Format      string    // aggregate.Format
	Origin      Origin
	Digest      Sum // of what the report says
	Counted     bool
	Complete    bool
	Rows        int64
	Messages    int64 // of a TLS report sessions, of a failure report incidents
	Diagnostics []Diagnostic
}

// Policy is the published policy as the reporter saw it; empty is not said.
type Policy struct {
	P, SP, NP, ADKIM, ASPF, FO, Pct, Testing, Discovery string
}

// Diagnostic is one thing that was wrong with a report. Text is foreign.
type Diagnostic struct {
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Element  string `json:"element,omitempty"`
	Text     string `json:"text,omitempty"`
	Count    int64  `json:"count,omitempty"`
}

// Row is a record of an aggregate report.
type Row struct {
	Report *Report // the same pointer for all rows of a report
	Number int64
	Count  int64 // messages as reported
	// Messages is the share of Count in the filter's days.
	Messages int64
	Look
}

// Look is everything of a record but whose and how many messages it is about.
type Look struct {
	Source       netip.Addr // not valid if the report gave none
	SourceText   string     // what it gave then
	Disposition  string     // aggregate.Disposition, or the word as written, lower case
	DKIM, SPF    bool       // the reporter found an aligned pass
	HeaderFrom   string     // lower case, no final dot
	EnvelopeFrom string
	EnvelopeTo   string
	Reasons      []Reason
	Signatures   []Signature
	Checks       []Check
}

// Reason tells why the disposition is not the policy's.
type Reason struct {
	Type    string `json:"type"`              // aggregate.Override, or as written, lower case
	Comment string `json:"comment,omitempty"` // foreign text
}

// Signature is a DKIM result. Names are lower case.
type Signature struct {
	Domain   string           `json:"domain"`
	Selector string           `json:"selector,omitempty"`
	Result   aggregate.Result `json:"result"` // or as written, lower case
}

// Check is an SPF result.
type Check struct {
	Domain string           `json:"domain"`
	Scope  string           `json:"scope,omitempty"`
	Result aggregate.Result `json:"result"`
}

// Flow is the sum of the rows that have one Look and one policy domain.
type Flow struct {
	Domain string
	Look
	Messages  int64
	Rows      int64
	Reporters []string  // sorted, at most MaxFlowReporters
	First     time.Time // first and last day with messages
	Last      time.Time
}

// MaxFlowReporters bounds Flow.Reporters.
const MaxFlowReporters = 50

// Session is a policy of a TLS report.
type Session struct {
	Report     *Report
	Type       string // as tlsrpt.Policy.Type
	Domain     string
	MXHosts    []string
	Strings    []string
	Successful int64
	Failed     int64
	Failures   []SessionFailure
}

// SessionFailure is one way in which sessions failed.
type SessionFailure struct {
	Type        string `json:"type"`
	SendingIP   string `json:"sending_ip,omitempty"`
	ReceivingMX string `json:"receiving_mx,omitempty"`
	ReceivingIP string `json:"receiving_ip,omitempty"`
	Reason      string `json:"reason,omitempty"` // foreign text
	Sessions    int64  `json:"sessions"`
}

// Sample is a failure report without the mail it is about, which is personal.
type Sample struct {
	Report                   *Report
	Source                   netip.Addr
	Arrived                  time.Time
	MailFrom                 string // the domain of it alone
	HeaderFrom               string // the domain of it alone
	AuthFailure              []string
	Alignment                []string
	Delivery                 string
	DKIMDomain, DKIMSelector string
	Incidents                int64
}

// Selector is a DKIM key in use, as reports saw it.
type Selector struct {
	Policy   string // policy domain of the reports
	Domain   string // d=
	Selector string // s=; empty if the reporters do not tell
	// Messages in which the signature passed, and in which it did not.
	Pass, Fail  int64
	First, Last time.Time // days; Last is of a pass, or zero if there was none
	LastFail    time.Time
	Reporters   int
}
