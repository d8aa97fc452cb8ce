package dsn

import (
	"time"

	"github.com/mailcheck-go/mailcheck/message"
)

// Report is one mail that came back, or something that looks like it.
type Report struct {
	Kind       Kind       `json:"kind"` // of the worst recipient; None for mail that is no report
	Confidence Confidence `json:"confidence,omitempty"`
	Form       Form       `json:"form,omitempty"`
	System     string     `json:"system,omitempty"` // qmail, exim, exchange, …, by its words; a guess

	ReportingMTA    string         `json:"reporting_mta,omitempty"` // without its type
	ReceivedFromMTA string         `json:"received_from_mta,omitempty"`
	Gateway         string         `json:"gateway,omitempty"`
	EnvelopeID      string         `json:"envelope_id,omitempty"`
	Arrival         time.Time      `json:"arrival,omitzero"`
	Fields          []StatusField  `json:"fields,omitempty"` // per message (RFC 3464, Section 2.2), as written
	Recipients      []Recipient    `json:"recipients,omitempty"`
	Original        *Original      `json:"original,omitempty"` // the mail it is about
	Text            string         `json:"text,omitempty"`     // the part for people, at most MaxText octets
	Evidence        []string       `json:"evidence,omitempty"` // what speaks for a report, in words of this package
	Problems        []string       `json:"problems,omitempty"`
	Addressee       string         `json:"addressee,omitempty"` // to whom the report was sent
	Feedback        *FeedbackFacts `json:"feedback,omitempty"`
}

// FeedbackFacts are set for reports of other kinds in the same envelope.
type FeedbackFacts struct {
	Type        string `json:"type,omitempty"`        // Feedback-Type of an abuse report: abuse, auth-failure
	Disposition string `json:"disposition,omitempty"` // Disposition of a receipt: displayed, deleted, …
	Recipient   string `json:"recipient,omitempty"`   // who read or complained
}

// Recipient is what happened for one recipient.
type Recipient struct {
	Kind       Kind       `json:"kind"`
	Confidence Confidence `json:"confidence,omitempty"`

	Final    Address `json:"final"`    // as the reporting system knew it
	Original Address `json:"original"` // as the sender wrote it; may be zero

	Action     string    `json:"action,omitempty"` // as written, in lower case
	Status     string    `json:"status,omitempty"` // enhanced status code (RFC 3463): 5.1.1
	RemoteMTA  string    `json:"remote_mta,omitempty"`
	Diagnostic string    `json:"diagnostic,omitempty"` // Diagnostic-Code without its type, or the text of the bounce
	DiagType   string    `json:"diagnostic_type,omitempty"`
	Reply      Reply     `json:"reply"` // what a server said, if it can be told
	LastTry    time.Time `json:"last_try,omitzero"`
	RetryUntil time.Time `json:"retry_until,omitzero"`

	Fields   []StatusField `json:"fields,omitempty"` // per recipient (RFC 3464, Section 2.3), as written
	Problems []string      `json:"problems,omitempty"`
}

// Address is a recipient.
type Address struct {
	Type    string `json:"type,omitempty"`    // rfc822, utf-8, x400, …, in lower case
	Address string `json:"address,omitempty"` // decoded, without brackets
	Raw     string `json:"raw,omitempty"`     // as written, if that differs
}

// StatusField is a field of a delivery status.
type StatusField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Original is the mail that a report is about, as far as it was sent back. It is
// the word of the reporting system.
type Original struct {
	Source    string         `json:"source"`          // "message", "headers" or "text"
	Whole     bool           `json:"whole,omitempty"` // more than its header came
	Header    message.Header `json:"header"`
	From      string         `json:"from,omitempty"`
	To        string         `json:"to,omitempty"`
	Subject   string         `json:"subject,omitempty"` // decoded: foreign text
	MessageID string         `json:"message_id,omitempty"`
	Date      time.Time      `json:"date,omitzero"`

	// Part is the part of the mail that holds it, nil if it stands in a text.
	Part *message.Part `json:"-"`
}

// Kind is what a report says, of the mail or of one recipient.
type Kind string

// Kinds. A recipient has one of the first six.
const (
	None        Kind = ""            // no report
	Failed      Kind = "failed"      // not delivered, and no more tries
	Delayed     Kind = "delayed"     // not delivered yet
	Delivered   Kind = "delivered"   // delivered
	Relayed     Kind = "relayed"     // handed to a system that sends no reports
	Expanded    Kind = "expanded"    // delivered to a list, which sent it on
	Unclear     Kind = "unclear"     // a report that does not say, or contradicts itself
	AutoReply   Kind = "auto-reply"  // an answer of a program: holiday, ticket, challenge (RFC 3834)
	Disposition Kind = "disposition" // a receipt of the reader's program (RFC 8098)
	Feedback    Kind = "feedback"    // an abuse or failure report (RFC 5965, RFC 6591)
)

// Confidence says what a verdict rests on.
type Confidence string

// Confidences.
const (
	Certain  Confidence = "certain"  // fields of RFC 3464, or of the other standards
	Likely   Confidence = "likely"   // the form of one mail system
	Possible Confidence = "possible" // words in a text
)

// Form is the form of a report.
type Form string

// Forms.
const (
	FormStandard Form = "rfc3464"
	FormGlobal   Form = "rfc6533" // the same with UTF-8
	FormText     Form = "text"
	FormEvent    Form = "event" // JSON of a delivery service
)

// Limits.
const (
	MaxRecipients = 500
	MaxText       = 16 << 10  // octets of Report.Text
	maxScan       = 256 << 10 // octets of texts that are looked at
	maxStatus     = 1 << 20   // octets of a machine-readable part
	maxDiagnostic = 4 << 10
	maxFields     = 100
)

// Words of Problems.
const (
	MissingAction  = "missing-action"  // RFC 3464, Section 2.3.3, demands one
	UnknownAction  = "unknown-action"  // a word that is none of the five
	MissingStatus  = "missing-status"  // RFC 3464, Section 2.3.4, demands one
	BadStatus      = "bad-status"      // not an enhanced status code
	Contradiction  = "contradiction"   // action and status say different things
	NoRecipient    = "no-recipient"    // no recipient field, or nobody could be found
	NoPerMessage   = "no-per-message"  // the group of fields for the mail is missing
	NoStatusPart   = "no-status-part"  // a report without its machine-readable part
	RecipientGuess = "recipient-guess" // taken from the returned mail, or from anywhere in the text
	TooMany        = "limit"           // a limit cut something
)

func (r *Report) note(word string) { r.Problems = addWord(r.Problems, word) }

func addWord(list []string, word string) []string {
	for _, w := range list {
		if w == word {
			return list
		}
	}
	return append(list, word)
}

// String is the address.
func (a Address) String() string { return a.Address }

// Address is the recipient as the sender knew it, or else as the reporting system
// did.
func (r Recipient) Address() string {
	if r.Original.Address != "" {
		return r.Original.Address
	}
	return r.Final.Address
}
