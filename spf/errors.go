package spf

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Reasons of permerror, temperror and none. A failed lookup is not among them:
// it is a *[resolve.Error].
var (
	ErrSyntax         = errors.New("spf: syntax error")                             // matches *SyntaxError and SyntaxErrors
	ErrMultiple       = errors.New("spf: more than one record at the name")         // RFC 7208, Section 4.5
	ErrTooManyLookups = errors.New("spf: too many terms that need DNS lookups")     // Section 4.6.4
	ErrTooManyVoids   = errors.New("spf: too many lookups without an answer")       // Section 4.6.4
	ErrTooManyMX      = errors.New("spf: too many MX names")                        // Section 4.6.4
	ErrNoRecord       = errors.New("spf: no record at the target")                  // of include or redirect; Sections 5.2 and 6.1
	ErrTarget         = errors.New("spf: target is not a usable domain name")       // of include or redirect
	ErrLoop           = errors.New("spf: include or redirect leads back to itself") // found by Analyze only
	ErrIdentity       = errors.New("spf: the identity has no usable domain name")   // Section 4.3
	ErrTime           = errors.New("spf: evaluation took too long")                 // Section 4.6.4
)

// Problem says where and why evaluation ends without a verdict.
type Problem struct {
	Domain resolve.Name // whose record it is
	Term   int          // index of the term; -1 if it is no term's fault
	Text   string       // of the term; empty if it is no term's fault
	Target resolve.Name // the name that the term leads to, if it has one
	Err    error        // one of the reasons of this package, or a lookup error

	// Every says that no directive before it can match, so that it concerns all
	// senders. Only [Analyze] sets it.
	Every bool
}

// Error is "example.org: include:x.example: spf: no record at the target".
func (p *Problem) Error() string {
	var b strings.Builder
	if !p.Domain.IsZero() {
		fmt.Fprintf(&b, "%s: ", p.Domain)
	}
	if p.Text != "" {
		fmt.Fprintf(&b, "%s: ", shown(p.Text))
	}
	b.WriteString(p.Err.Error())
	return b.String()
}

// Unwrap returns Err.
func (p *Problem) Unwrap() error { return p.Err }

// SyntaxError is one place where a record does not fit the grammar (RFC 7208,
// Section 12).
type SyntaxError struct {
	Record      string // the whole text
	Offset, End int    // the octets at fault
	Term        string // the text at fault
	Reason      string // what is wrong
	Expected    string // what the grammar wants there
	Suggestion  string // what was probably meant in place of Term: one or more terms; empty if not clear
	Drop        bool   // Term says nothing and is best removed
}

// Error quotes the text, so it is safe to show.
func (e *SyntaxError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "spf: %s at offset %d: %s", quoted(e.Term), e.Offset, e.Reason)
	if e.Expected != "" {
		fmt.Fprintf(&b, ", expected %s", e.Expected)
	}
	if e.Suggestion != "" {
		fmt.Fprintf(&b, " (did you mean %s?)", quoted(e.Suggestion))
	}
	return b.String()
}

// Is matches [ErrSyntax].
func (e *SyntaxError) Is(target error) bool { return target == ErrSyntax }

// SyntaxErrors are all errors of one record, in order.
type SyntaxErrors []*SyntaxError

// Error is the first error and the number of the others.
func (e SyntaxErrors) Error() string {
	switch len(e) {
	case 0:
		return ErrSyntax.Error()
	case 1:
		return e[0].Error()
	}
	return fmt.Sprintf("%v, and %d more", e[0], len(e)-1)
}

// Unwrap returns each error.
func (e SyntaxErrors) Unwrap() []error {
	out := make([]error, len(e))
	for i := range e {
		out[i] = e[i]
	}
	return out
}

const maxShown = 120 // octets of foreign text in an error

func quoted(s string) string {
	if len(s) > maxShown {
		return fmt.Sprintf("%q…", s[:maxShown])
	}
	return fmt.Sprintf("%q", s)
}

// shown is a term of a record in an error: quoted only if it has to be.
func shown(s string) string {
	if len(s) > maxShown {
		return quoted(s)
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return quoted(s)
		}
	}
	return s
}
