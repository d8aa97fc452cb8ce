package probe

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/probe/cert"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// State is what became of one step. The zero value is Unknown.
type State uint8

// The three states.
const (
	Unknown  State = iota // it could not be found out, now or from here
	Refused               // the host said no, or what it did is no way to say yes
	Accepted              // it worked
)

var stateWords = []string{"unknown", "refused", "accepted"}

// String is "unknown", "refused" or "accepted".
func (s State) String() string {
	if int(s) < len(stateWords) {
		return stateWords[s]
	}
	return stateWords[Unknown]
}

// MarshalText writes the word of String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word of String.
func (s *State) UnmarshalText(b []byte) error {
	for i, w := range stateWords {
		if string(b) == w {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("probe: state %.20q is none of %s", b, strings.Join(stateWords, ", "))
}

// Result is all that was seen of a domain's mail hosts.
type Result struct {
	Domain resolve.Name `json:"domain"`
	// MX is the state of the MX records. Absent with exchanges means that mail
	// goes to the domain's own addresses (RFC 5321, Section 5.1).
	MX        resolve.State `json:"mx"`
	Error     string        `json:"error,omitempty"` // why MX is not present
	NullMX    bool          `json:"null_mx"`         // the domain takes no mail (RFC 7505)
	Exchanges []Exchange    `json:"exchanges"`       // by preference
	Skipped   int           `json:"skipped"`         // exchanges beyond MaxExchanges
	Paths     []Path        `json:"paths"`
	At        time.Time     `json:"at"`
	ElapsedMS int64         `json:"elapsed_ms"`
}

// Exchange is one MX host.
type Exchange struct {
	Preference uint16        `json:"preference"`
	Host       resolve.Name  `json:"host"`
	V4         resolve.State `json:"v4"` // has it A records
	V6         resolve.State `json:"v6"` // has it AAAA records
	// Error tells why there are no addresses, or none of one family.
	Error    string    `json:"error,omitempty"`
	Attempts []Attempt `json:"attempts"`
	Skipped  int       `json:"skipped"` // conversations beyond MaxAddresses or MaxAttempts
}

// Attempt is one conversation with one address.
type Attempt struct {
	Host    resolve.Name   `json:"host"`
	Address netip.AddrPort `json:"address"`
	// ImplicitTLS says that TLS came first, without STARTTLS.
	ImplicitTLS bool `json:"implicit_tls"`

	Connect  State         `json:"connect"`  // the TCP connection
	Greeting State         `json:"greeting"` // banner and EHLO or HELO
	STARTTLS resolve.State `json:"starttls"` // is it offered; unavailable with ImplicitTLS, where nobody asks
	Secure   State         `json:"secure"`   // the handshake and EHLO after it
	// Failure is the first step that did not work.
	Failure *smtp.Error `json:"failure,omitempty"`

	Banner       *smtp.Reply        `json:"banner,omitempty"`
	Hello        *smtp.Hello        `json:"hello,omitempty"`        // in clear
	SecureHello  *smtp.Hello        `json:"secure_hello,omitempty"` // inside TLS
	TLS          *smtp.Session      `json:"tls,omitempty"`          // once a handshake began
	Certificate  *cert.Verdict      `json:"certificate,omitempty"`  // for Host, by the trusted authorities
	Observations []smtp.Observation `json:"observations,omitempty"`
	Transcript   smtp.Transcript    `json:"transcript"`
	Timing       Timing             `json:"timing"`
}

// Timing tells how long the steps took, in milliseconds; 0 for steps that were
// not reached.
type Timing struct {
	ConnectMS int64 `json:"connect_ms"`
	BannerMS  int64 `json:"banner_ms"`
	EHLOMS    int64 `json:"ehlo_ms"`
	TLSMS     int64 `json:"tls_ms"` // STARTTLS and handshake
	TotalMS   int64 `json:"total_ms"`
}

// PathState tells whether connections to a port leave this network unharmed.
type PathState string

// The states of a path. All but Open leave what lies behind unknown.
const (
	Open        PathState = "open"        // a host or a control host answered
	Blocked     PathState = "blocked"     // nothing answered, and no control host did
	Intercepted PathState = "intercepted" // control hosts answer without the STARTTLS that they offer
	NoRoute     PathState = "no-route"    // this machine has no way to this family of addresses
	Unproven    PathState = "unproven"    // nothing answered, and there was no control host to ask
)

// Path is the way to one port over one family of addresses.
type Path struct {
	Family int    `json:"family"` // 4 or 6
	Port   uint16 `json:"port"`
	// Local is set for loopback, private and link-local addresses: the way to
	// them is another one, and only control hosts there tell about it.
	Local    bool      `json:"local,omitempty"`
	State    PathState `json:"state"`
	Controls []Attempt `json:"controls,omitempty"` // what was asked to find out
}
