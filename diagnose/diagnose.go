package diagnose

import (
	"github.com/mailcheck-go/mailcheck/diagnose/cause"
)

// MaxText bounds, in octets, how much of a reply or a bounce text is read. RFC 5321
// limits a reply line to 512 octets (Section 4.5.3.1.5); the longest known reply
// has 12 lines.
const MaxText = 64 << 10

// Confidence is how far to trust a verdict.
type Confidence string

// The confidences.
const (
	High   Confidence = "high"   // a documented wording, and the codes agree
	Medium Confidence = "medium" // a usual wording, or a code that this receiver uses for one thing
	Low    Confidence = "low"    // only a general code, or text and codes contradict each other
)

// Said is what the receiver itself put into words. Empty means: not said.
type Said struct {
	IP     string `json:"ip,omitempty"`     // of the client, as the receiver saw it
	Domain string `json:"domain,omitempty"` // of the sender, as the receiver names it
	SPF    string `json:"spf,omitempty"`    // pass, fail, none, temperror, …
	DKIM   string `json:"dkim,omitempty"`
	DMARC  string `json:"dmarc,omitempty"`
	List   string `json:"list,omitempty"` // blocklist, by zone or operator
	URL    string `json:"url,omitempty"`  // to read more
	ID     string `json:"id,omitempty"`   // to quote to the receiver's postmaster
	Server string `json:"server,omitempty"`
	Stage  string `json:"stage,omitempty"` // connect, EHLO, MAIL FROM, RCPT TO, DATA, end of DATA
}

// Remedy is a thing to do, and the fact that decides whether it is needed.
type Remedy struct {
	Check   cause.Check `json:"check"`
	Subject string      `json:"subject,omitempty"` // domain, address or list to ask about, if the reply named it
	Against string      `json:"against,omitempty"` // second subject: the address that SPF of Subject has to allow
}

// Result is a verdict. It is plain data.
type Result struct {
	Cause     cause.Cause `json:"cause"`
	Whose     cause.Whose `json:"whose"`
	Temporary bool        `json:"temporary"` // the sending server will try again
	// Nothing tells whether it will, and Temporary is false for want of a better word.
	RetryUnknown bool `json:"retry_unknown,omitempty"`

	Operator     string `json:"operator,omitempty"`      // ID of the receiver or of its software
	OperatorFrom string `json:"operator_from,omitempty"` // "given", "server" or "wording"

	Code     string `json:"code,omitempty"`     // basic code, "550"
	Enhanced string `json:"enhanced,omitempty"` // "5.7.26"
	Text     string `json:"text,omitempty"`     // the reply without codes, on one line

	Meaning    string     `json:"meaning"`
	Advice     string     `json:"advice"`
	Said       Said       `json:"said"`
	Confidence Confidence `json:"confidence"`
	Entry      string     `json:"entry,omitempty"` // ID of the catalogue's row; empty when only the codes spoke
	Remedies   []Remedy   `json:"remedies,omitempty"`
	Rules      []string   `json:"rules,omitempty"` // audit rules that may find the defect
	Refs       []string   `json:"refs,omitempty"`
	Notes      []string   `json:"notes,omitempty"` // contradictions and cautions
}

// Recipient is one recipient of a parsed delivery status notification (RFC 3464,
// Section 2.3). Every field may be empty.
type Recipient struct {
	Action         string // failed, delayed, delivered, relayed, expanded
	Status         string // enhanced code
	DiagnosticCode string // with or without its type ("smtp;")
	RemoteMTA      string // with or without its type ("dns;")
	Recipient      string
	Text           string // the part for people, if one came
}

// Reply diagnoses one SMTP reply, of one line or several, with or without codes.
// Quotes, the prefix of a log line and what a mail server wraps around a reply
// ("host … said: …") may be there.
func Reply(text string) Result {
	if l, ok := LogLine(text); ok && l.Outcome != "" {
		return l.Result
	}
	return judge(parseReply(text), "")
}

// DSN diagnoses one recipient of a notification. The diagnostic code decides; the
// status and the text help where it is silent.
func DSN(r Recipient) Result {
	rep := parseReply(r.DiagnosticCode)
	if rep.server == "" {
		rep.server = hostOf(r.RemoteMTA)
	}
	status, _ := enhancedAt(trimType(r.Status), 0)
	// RFC 3464, Section 2.3.6: the status of the reporting server may be more
	// general than the one in the diagnostic code.
	if rep.enhanced == "" {
		rep.enhanced = status
	}
	switch action := fold(r.Action); action {
	case "delivered", "relayed", "expanded":
		if rep.code == "" && (status == "" || status[0] == '2') || rep.class() == '2' {
			rep.code, rep.enhanced = "250", ""
			return judge(rep, "")
		}
	case "delayed":
		rep.delayed = true
	case "failed":
		rep.failed = true
	}
	res := judge(rep, "")
	if (res.Entry == "" || res.Confidence == Low) && r.Text != "" {
		b := bounce(r.Text, rep.server)
		known := specific(rep.enhanced) && res.Confidence != Low
		if b.Entry != "" && b.Cause != cause.Delivered && (!known || b.Code != "" || kin(b.Cause, res.Cause)) {
			b.Temporary = rep.temporary(b.Temporary)
			return withCodes(b, rep)
		}
	}
	return res
}

// withCodes completes a verdict from the text of a bounce with what the
// structured part said.
func withCodes(res Result, rep reply) Result {
	if res.Code == "" {
		res.Code = rep.code
	}
	if res.Enhanced == "" {
		res.Enhanced = rep.enhanced
	}
	return res
}
