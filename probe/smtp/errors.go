package smtp

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// Step is where in a conversation something happened.
type Step string

// The steps, in order.
const (
	StepConnect    Step = "connect"
	StepBanner     Step = "banner"
	StepEHLO       Step = "ehlo" // HELO too
	StepSTARTTLS   Step = "starttls"
	StepTLS        Step = "tls"
	StepSecureEHLO Step = "ehlo-tls" // EHLO after the handshake
	StepQuit       Step = "quit"
)

// Cause is why a step failed. It is an error itself, to be matched with
// errors.Is.
type Cause string

// Causes that lie with the network or with this side; they tell nothing about
// what the host offers.
const (
	Timeout     Cause = "timeout"     // nothing, or not enough, within the budget of time
	Unreachable Cause = "unreachable" // no route, or a router said so
	NoIPv6      Cause = "no-ipv6"     // this machine has no IPv6 to the Internet
	Blocked     Cause = "blocked"     // connections to this port do not leave this network
	Forbidden   Cause = "forbidden"   // not dialed: the address is not public
	Canceled    Cause = "canceled"    // the caller gave up
	Network     Cause = "network"     // any other error of the connection
	Closed      Cause = "closed"      // the connection ended before a reply
	Reset       Cause = "reset"       // the connection was reset before a reply
)

// Causes that are the host's own doing.
const (
	ConnectionRefused Cause = "connection-refused" // nothing listens, or a filter says so
	Rejected          Cause = "rejected"           // a reply with 4xx or 5xx; see Error.Reply
	Unexpected        Cause = "unexpected-reply"   // a reply that has no meaning at this step
	NotSMTP           Cause = "not-smtp"           // what came is no SMTP reply
	TooLarge          Cause = "too-large"          // more octets or lines than a reply may have
	TLSAlert          Cause = "tls-alert"          // the host broke the handshake off
	TLSNoCommon       Cause = "tls-no-common"      // no cipher suite in common; we offer RSA and ECDHE, others finite-field DHE too
	TLSGarbage        Cause = "tls-garbage"        // what came after STARTTLS is not TLS
	TLSVersion        Cause = "tls-version"        // the host wants a version before TLS 1.0
	TLSFailed         Cause = "tls-failed"         // this side could not go on; another client might
)

var causeWords = map[Cause]string{
	Timeout: "no answer in time", Unreachable: "unreachable", NoIPv6: "no IPv6 here", Blocked: "blocked on the way out of this network",
	Forbidden: "not dialed", Canceled: "canceled", Network: "network error", Closed: "connection closed", Reset: "connection reset",
	ConnectionRefused: "connection refused", Rejected: "rejected", Unexpected: "unexpected reply", NotSMTP: "not an SMTP reply",
	TooLarge: "reply too large", TLSAlert: "TLS alert from the host", TLSGarbage: "not TLS", TLSNoCommon: "no TLS parameters in common", TLSVersion: "TLS version too old",
	TLSFailed: "TLS handshake failed",
}

// Error is the cause in words.
func (c Cause) Error() string {
	if w, ok := causeWords[c]; ok {
		return w
	}
	return string(c)
}

// Error is a step that failed. It is plain data and survives JSON, except Err.
type Error struct {
	Step   Step   `json:"step"`
	Cause  Cause  `json:"cause"`
	Detail string `json:"detail,omitempty"` // in our words, foreign text quoted
	Reply  *Reply `json:"reply,omitempty"`  // of a host that rejected
	Err    error  `json:"-"`                // from the system, if there is one
}

// Error is "banner: rejected: 554 \"no\"".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Step) + ": " + e.Cause.Error())
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	return b.String()
}

// Unwrap returns the cause and the error of the system.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Cause}
	}
	return []error{e.Cause, e.Err}
}

// Temporary reports whether the failure says nothing lasting about the host:
// what it was asked for is unknown. The opposite is a refusal by the host; it
// was made to us, and may be due to the address that we come from.
func (e *Error) Temporary() bool {
	switch e.Cause {
	case ConnectionRefused, TLSAlert, TLSGarbage, TLSVersion:
		return false
	case Rejected:
		// RFC 5321, Section 4.2.1: 4yz is transient, 5yz permanent.
		return e.Reply == nil || e.Reply.Code < 500
	}
	return true
}

// NewError sorts an error of the network into a cause.
func NewError(step Step, err error) *Error {
	e := &Error{Step: step, Cause: Network, Err: err}
	ne, _ := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, errBudget):
		e.Cause, e.Detail = TooLarge, "more octets than a conversation may have"
	case errors.Is(err, context.Canceled):
		e.Cause = Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT),
		ne != nil && ne.Timeout():
		e.Cause = Timeout
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Cause = ConnectionRefused
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL),
		errors.Is(err, syscall.ENETDOWN), errors.Is(err, syscall.EAFNOSUPPORT):
		e.Cause = Unreachable
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		e.Cause = Reset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, net.ErrClosed):
		e.Cause = Closed
	default:
		e.Detail = quote(err.Error())
	}
	return e
}
