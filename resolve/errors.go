package resolve

import (
	"errors"
	"fmt"
	"strings"
)

// Reasons. Each error of a lookup matches exactly one of them with errors.Is.
var (
	ErrNXDomain  = errors.New("no such name")                     // NXDOMAIN: nothing at or below the name (RFC 8020)
	ErrNoData    = errors.New("no record of this type")           // NOERROR without records of the type (RFC 2308, Section 2.2)
	ErrServFail  = errors.New("server failure")                   // SERVFAIL, or another code that is no answer
	ErrRefused   = errors.New("refused by the server")            // REFUSED
	ErrTimeout   = errors.New("no answer in time")                // nothing usable within the deadline
	ErrNetwork   = errors.New("network error")                    // the server could not be reached
	ErrMalformed = errors.New("malformed answer")                 // a response that cannot be understood
	ErrAliasLoop = errors.New("CNAME chain without end")          // loop, or more than MaxChain aliases
	ErrReferral  = errors.New("not held here")                    // the zone delegates the name, or its alias leads elsewhere
	ErrOffline   = errors.New("not asked, as the network is off") // offline: the name is in no zone given
	ErrCanceled  = errors.New("lookup canceled")                  // the caller gave up
)

// Classes. They match the reasons that share a consequence.
var (
	// ErrAbsent matches ErrNXDomain and ErrNoData: the record is proven not to exist.
	ErrAbsent = errors.New("absent")
	// ErrTemporary matches every reason that says nothing about the record: it is
	// unknown, and asking again or elsewhere may tell.
	ErrTemporary = errors.New("temporary")
)

// MaxChain is the number of CNAMEs followed for one question. RFC 1034 sets no
// limit; BIND and Unbound stop at 16 and 11 to 12, so longer chains fail for
// many receivers.
const MaxChain = 12

// Error is a lookup that ended without records.
type Error struct {
	Reason   error // one of the reasons above
	Question Question
	Server   string // who answered or failed to; may be empty
	RCode    RCode
	Detail   string // from the server or the system; may hold foreign text
	Err      error  // the cause, if another error is one
}

// Error is "example.org TXT: no answer in time (192.0.2.53:53)".
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v", e.Question, e.Reason)
	if e.Reason == ErrServFail && e.RCode != ServFail && e.RCode != NoError {
		fmt.Fprintf(&b, " (%s)", e.RCode)
	}
	if e.Detail != "" {
		fmt.Fprintf(&b, ": %s", e.Detail)
	}
	if e.Server != "" {
		fmt.Fprintf(&b, " (%s)", e.Server)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is matches the reason and its class.
func (e *Error) Is(target error) bool {
	switch target {
	case e.Reason:
		return true
	case ErrAbsent:
		return e.Reason == ErrNXDomain || e.Reason == ErrNoData
	case ErrTemporary:
		switch e.Reason {
		case ErrNXDomain, ErrNoData, ErrAliasLoop:
			return false
		}
		return true
	}
	return false
}

// ReasonOf returns the reason of a lookup error, nil for a nil error, and
// ErrNetwork for an error that is no lookup error.
func ReasonOf(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ErrNetwork
}

// State is the state of a record at a name.
type State uint8

// The three states. The zero value is Unavailable, so that nothing asked is
// never taken for something absent.
const (
	Unavailable State = iota
	Absent
	Present
)

// String is "unavailable", "absent" or "present".
func (s State) String() string {
	switch s {
	case Absent:
		return "absent"
	case Present:
		return "present"
	}
	return "unavailable"
}

// MarshalText writes the word of String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word of String.
func (s *State) UnmarshalText(b []byte) error {
	switch string(b) {
	case "absent":
		*s = Absent
	case "present":
		*s = Present
	case "unavailable":
		*s = Unavailable
	default:
		return fmt.Errorf("resolve: unknown state %q", b)
	}
	return nil
}

// StateOf sorts the error of a lookup into the three states.
func StateOf(err error) State {
	switch {
	case err == nil:
		return Present
	case errors.Is(err, ErrAbsent):
		return Absent
	}
	return Unavailable
}
