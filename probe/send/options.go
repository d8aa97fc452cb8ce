package send

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/internal/netguard"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Defaults and limits of a run.
const (
	DefaultTimeout     = 5 * time.Minute
	DefaultHostTimeout = 2 * time.Minute
	// DefaultEnd bounds the wait for the answer to the mail. RFC 5321, Section
	// 4.5.3.2.6 waits 10 minutes; filters that scan while the sender waits take up to
	// one.
	DefaultEnd = 90 * time.Second

	// MaxHosts, MaxAddresses and MaxAttempts bound what a zone can make us dial.
	MaxHosts     = 10
	MaxAddresses = 4 // of one host
	MaxAttempts  = 12
)

// ErrOptions matches the error of options that contradict each other.
var ErrOptions = errors.New("send: bad options")

// Security is what is asked of TLS.
type Security string

// Securities.
const (
	// Opportunistic is what mail servers do (RFC 3207): TLS if it is offered, with any
	// certificate, and in clear if it fails. For a login it is the same as Verified.
	Opportunistic Security = ""
	Encrypted     Security = "encrypted" // TLS with any certificate
	Verified      Security = "verified"  // TLS with a certificate that is trusted and for this host
	Plain         Security = "plain"     // no TLS even if it is offered
)

// Submission is a server that takes mail to all (RFC 6409).
type Submission struct {
	Host string // a name, or an address
	Port uint16 // 0 means 587, or 465 with ImplicitTLS
	// ImplicitTLS begins with TLS (RFC 8314, Section 3.3).
	ImplicitTLS bool

	User string // empty: no login
	// Password and Token are asked when they are needed. Token gives an OAuth 2.0
	// access token.
	Password func(context.Context) (string, error)
	Token    func(context.Context) (string, error)
	// Mechanism is PLAIN, LOGIN, SCRAM-SHA-256, XOAUTH2 or OAUTHBEARER; empty takes
	// the best that is offered.
	Mechanism string
	// PlainLoopback allows a login without TLS, on a loopback address only.
	PlainLoopback bool
}

func (s *Submission) login() bool { return s.User != "" }

// DSN asks for reports on what becomes of the mail (RFC 3461).
type DSN struct {
	Notify     []string // "never", or of "success", "failure", "delay"
	Return     string   // "full" or "hdrs"
	EnvelopeID string   // empty with Notify or Return: the token
}

func (d *DSN) wanted() bool { return len(d.Notify) > 0 || d.Return != "" || d.EnvelopeID != "" }

// Options say how a probe is sent. Resolver is required, but for a dry run.
type Options struct {
	Resolver resolve.Resolver
	// Submission is the server to hand the mail to; nil: the MX hosts of the
	// recipient's domain.
	Submission *Submission
	// Name is what EHLO says; empty means the address of this end in brackets, which
	// many MX hosts refuse.
	Name string

	Sign   *dkim.SignOptions // nil: no signature
	Secret string            // of the record of [Proof]; empty: none
	Ledger *Ledger           // nil: one of the process

	DSN        DSN
	Security   Security
	RequireTLS bool // RFC 8689: the mail must not go on without TLS either
	// Policy is the MTA-STS policy of the recipient's domain, if the caller has
	// fetched it. In enforce mode hosts have to match it, with a certificate that is
	// trusted (RFC 8461, Section 5).
	Policy *mtasts.Policy
	// StopAtRcpt leaves after the recipient was named, and sends no mail. It is for
	// postmaster addresses and for the sender's own domain.
	StopAtRcpt bool
	// DryRun makes the mail and says what would be done. Nothing is asked of DNS and
	// no socket is opened.
	DryRun bool

	Roots *x509.CertPool   // nil: those of the system
	Now   func() time.Time // nil: time.Now
	// Allow lists networks that may be dialed although they are not public.
	Allow []netip.Prefix
	// Dial makes the connections; nil means a dialer that checks the address once
	// more. It is never called with a forbidden address.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// StepTimeout bounds each reply, EndTimeout the one to the mail, HostTimeout one
	// conversation, Timeout all of it; 0 means the constants, and smtp.DefaultTimeout.
	StepTimeout, EndTimeout, HostTimeout, Timeout time.Duration
}

var mechanisms = []string{"SCRAM-SHA-256", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"}

func (o *Options) fill() error {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.StepTimeout = orDefault(o.StepTimeout, smtp.DefaultTimeout)
	o.EndTimeout = orDefault(o.EndTimeout, DefaultEnd)
	o.HostTimeout = orDefault(o.HostTimeout, DefaultHostTimeout)
	o.Timeout = orDefault(o.Timeout, DefaultTimeout)
	if o.Ledger == nil {
		o.Ledger = &process
	}
	if o.Dial == nil {
		d := &netguard.Dialer{Guard: netguard.Guard{Allow: o.Allow}}
		o.Dial = d.DialContext
	}
	if o.Name != "" {
		if err := smtp.CheckName(o.Name); err != nil {
			return fmt.Errorf("%w: %w", ErrOptions, err)
		}
	}
	switch o.Security {
	case Opportunistic, Encrypted, Verified:
	case Plain:
		if o.RequireTLS || o.Submission != nil && o.Submission.ImplicitTLS {
			return fmt.Errorf("%w: no TLS at all, and TLS required", ErrOptions)
		}
	default:
		return fmt.Errorf("%w: unknown security %.40q", ErrOptions, o.Security)
	}
	if o.Resolver == nil && !o.DryRun {
		return fmt.Errorf("%w: no resolver", ErrOptions)
	}
	if s := o.Sign; s != nil && (s.Key == nil || s.Selector == "" || s.Domain.IsZero()) {
		return fmt.Errorf("%w: a signature needs domain, selector and key", ErrOptions)
	}
	if err := o.fillSubmission(); err != nil {
		return err
	}
	return o.DSN.check()
}

func (o *Options) fillSubmission() error {
	if o.Submission == nil {
		return nil
	}
	s := *o.Submission // the caller's stays as it is
	o.Submission = &s
	if s.Port == 0 {
		if s.Port = 587; s.ImplicitTLS {
			s.Port = 465
		}
	}
	if _, err := netip.ParseAddr(s.Host); err != nil {
		if _, err := resolve.ParseName(s.Host); err != nil {
			return fmt.Errorf("%w: submission host: %w", ErrOptions, err)
		}
	}
	s.Mechanism = strings.ToUpper(s.Mechanism)
	switch {
	case s.User == "" && (s.Password != nil || s.Token != nil):
		return fmt.Errorf("%w: a password or token without a user", ErrOptions)
	case s.User != "" && s.Password == nil && s.Token == nil && !o.DryRun:
		return fmt.Errorf("%w: a user without a password or token", ErrOptions)
	case s.Mechanism != "" && !slices.Contains(mechanisms, s.Mechanism):
		return fmt.Errorf("%w: mechanism %.40q is none of %s", ErrOptions, s.Mechanism, strings.Join(mechanisms, ", "))
	case s.Mechanism != "" && s.Token == nil != (s.Mechanism != "XOAUTH2" && s.Mechanism != "OAUTHBEARER") && s.User != "" && !o.DryRun:
		return fmt.Errorf("%w: XOAUTH2 and OAUTHBEARER take a token, the other mechanisms a password", ErrOptions)
	case strings.ContainsAny(s.User, "\x00\r\n\x01") || len(s.User) > maxAddress:
		return fmt.Errorf("%w: the user name holds control characters or is too long", ErrOptions)
	}
	return nil
}

func orDefault(v, def time.Duration) time.Duration {
	if v <= 0 {
		return def
	}
	return v
}

// check reads the words of RFC 3461, Sections 4.1, 4.3 and 4.4.
func (d *DSN) check() error {
	words := slices.Clone(d.Notify)
	for i, w := range words {
		words[i] = strings.ToUpper(w)
		switch words[i] {
		case "NEVER":
			if len(words) > 1 {
				return fmt.Errorf("%w: NOTIFY never stands alone", ErrOptions)
			}
		case "SUCCESS", "FAILURE", "DELAY":
			if slices.Contains(words[:i], words[i]) {
				return fmt.Errorf("%w: NOTIFY %s is given twice", ErrOptions, words[i])
			}
		default:
			return fmt.Errorf("%w: NOTIFY takes never, success, failure and delay, not %.40q", ErrOptions, w)
		}
	}
	d.Notify = words
	if d.Return = strings.ToUpper(d.Return); d.Return != "" && d.Return != "FULL" && d.Return != "HDRS" {
		return fmt.Errorf("%w: RET takes full or hdrs, not %.40q", ErrOptions, d.Return)
	}
	if len(d.EnvelopeID) > 100 || strings.IndexFunc(d.EnvelopeID, func(r rune) bool { return r < '!' || r > '~' }) >= 0 {
		return fmt.Errorf("%w: ENVID takes up to 100 printable ASCII characters", ErrOptions)
	}
	return nil
}
