package send

import (
	"net/netip"
	"time"

	"github.com/mailcheck-go/mailcheck/probe/cert"
	"github.com/mailcheck-go/mailcheck/probe/send/internal/wire"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Steps and causes beyond those of package smtp.
const (
	StepAuth = wire.StepAuth
	StepMail = wire.StepMail
	StepRcpt = wire.StepRcpt
	StepData = wire.StepData // the command
	StepEnd  = wire.StepEnd  // the mail and the dot behind it

	Injected   = wire.Injected   // text in clear behind the 220 of STARTTLS
	NotOffered = wire.NotOffered // an extension that was asked for, or TLS
	Untrusted  = wire.Untrusted  // a certificate that had to be trusted
	BadAuth    = wire.BadAuth    // a server that broke the rules of the login
)

// Outcome is what became of a probe.
type Outcome string

// Outcomes.
const (
	Accepted Outcome = "accepted" // a host took the mail
	Rejected Outcome = "rejected" // a host refused it for good: a reply with 5yz
	Deferred Outcome = "deferred" // all hosts that answered want it later: 4yz, greylisting for one
	NotSent  Outcome = "not-sent" // no host could be handed the mail; see Attempts
	Unknown  Outcome = "unknown"  // the connection broke behind the mail: it is taken, or it is not
	Stopped  Outcome = "stopped"  // the recipient was accepted, and no mail was sent
	Planned  Outcome = "planned"  // a dry run
)

// Result is all that is known of one probe. The texts of hosts are foreign.
type Result struct {
	Outcome   Outcome `json:"outcome"`
	Why       string  `json:"why"` // in our words, foreign text quoted
	Token     string  `json:"token"`
	MessageID string  `json:"message_id"`
	From      string  `json:"from"`
	MailFrom  string  `json:"mail_from"`
	To        string  `json:"to"` // as in the envelope, with the token if there is one
	SMTPUTF8  bool    `json:"smtputf8"`

	Owner Ownership `json:"owner,omitempty"`
	Route Route     `json:"route"`
	// Commands are what is said, in order, to a host that offers all that is asked
	// for: the plan of a dry run.
	Commands []string  `json:"commands,omitempty"`
	Message  []byte    `json:"-"` // the mail as it is sent, with CRLF
	Attempts []Attempt `json:"attempts"`

	At        time.Time `json:"at"` // when the run began
	ElapsedMS int64     `json:"elapsed_ms"`
	// SentAt is when the host took the mail.
	SentAt time.Time `json:"sent_at,omitzero"`
}

// Last is the attempt that decided, nil if there was none.
func (r *Result) Last() *Attempt {
	if len(r.Attempts) == 0 {
		return nil
	}
	return &r.Attempts[len(r.Attempts)-1]
}

// Route is where a probe goes.
type Route struct {
	Submission bool `json:"submission"`
	// MX is the state of the MX records of the recipient's domain. With Absent the
	// domain is its own host (RFC 5321, Section 5.1).
	MX    resolve.State `json:"mx"`
	Hosts []RouteHost   `json:"hosts"`
	// Authentic says that the resolver vouches for the MX records by DNSSEC.
	Authentic bool `json:"authentic"`
	Skipped   int  `json:"skipped,omitempty"` // hosts beyond MaxHosts
}

// RouteHost is one host, in the order in which they are tried.
type RouteHost struct {
	Preference uint16       `json:"preference"`
	Host       string       `json:"host"`
	Addresses  []netip.Addr `json:"addresses"`
	Error      string       `json:"error,omitempty"` // why there are none
	name       resolve.Name
}

// Attempt is one conversation.
type Attempt struct {
	Host        string         `json:"host"`
	Address     netip.AddrPort `json:"address"`
	Local       netip.AddrPort `json:"local,omitzero"` // this end
	ImplicitTLS bool           `json:"implicit_tls"`

	TLS         *smtp.Session `json:"tls,omitempty"`
	Certificate *cert.Verdict `json:"certificate,omitempty"`
	Hello       *smtp.Hello   `json:"hello,omitempty"` // the last one, so inside TLS if there is TLS
	Mechanism   string        `json:"mechanism,omitempty"`
	// Reply is the answer to the mail, or to the recipient if the run stops there.
	Reply *smtp.Reply `json:"reply,omitempty"`
	// Left are extensions that were asked for and are not offered; the mail went
	// without them.
	Left    []string    `json:"left,omitempty"`
	Failure *smtp.Error `json:"failure,omitempty"`

	Observations []smtp.Observation `json:"observations,omitempty"`
	Transcript   smtp.Transcript    `json:"transcript"`
	Timing       Timing             `json:"timing"`

	wrote bool // the dot behind the mail may have reached the host
}

// Timing tells how long the steps took, in milliseconds; 0 for steps that were not
// reached.
type Timing struct {
	ConnectMS int64 `json:"connect_ms"`
	BannerMS  int64 `json:"banner_ms"`
	EHLOMS    int64 `json:"ehlo_ms"`
	TLSMS     int64 `json:"tls_ms"`
	AuthMS    int64 `json:"auth_ms"`
	MailMS    int64 `json:"mail_ms"`
	RcptMS    int64 `json:"rcpt_ms"`
	DataMS    int64 `json:"data_ms"` // the mail, and the wait for the answer to it
	TotalMS   int64 `json:"total_ms"`
}
