package bimi

import (
	"errors"
	"fmt"
	"strings"
)

// Reasons. Each error of [Parse], [CheckSVG] and [ParseEvidence] matches one of them.
var (
	ErrNotBIMI  = errors.New("bimi: not a BIMI record")  // receivers discard it: it does not start with v=BIMI1
	ErrRecord   = errors.New("bimi: invalid record")     // receivers take it for a record, and then for a failure
	ErrSVG      = errors.New("bimi: invalid indicator")  // receivers do not show the picture
	ErrEvidence = errors.New("bimi: invalid evidence")   // receivers do not take the document for evidence
	ErrSelector = errors.New("bimi: invalid selector")   // no record can be asked for
	ErrURL      = errors.New("bimi: URL is not allowed") // not HTTPS, or not one that receivers fetch
)

// Kind is a sort of [Problem]. Kinds are stable words; the Field of the problem tells
// what it is about.
type Kind string

// Kinds of problems.
const (
	Missing      Kind = "missing"       // something that is required
	Invalid      Kind = "invalid"       // a value that may not be there
	Case         Kind = "case"          // a known word in the wrong case
	Space        Kind = "space"         // white space where none may be
	Quoted       Kind = "quoted"        // quotation marks are part of the text
	Duplicate    Kind = "duplicate"     // something that may be there once
	Unknown      Kind = "unknown"       // something that receivers ignore
	Junk         Kind = "junk"          // something that has no meaning
	BadCharacter Kind = "bad-character" // an octet that may not be there
	TooLong      Kind = "too-long"      // more than is read
	Format       Kind = "format"        // of another format than the one that is needed

	Entity    Kind = "entity"    // a document type or an entity
	Script    Kind = "script"    // something that runs
	Animation Kind = "animation" // something that moves
	External  Kind = "external"  // a reference to something outside of the document
	Raster    Kind = "raster"    // a picture of pixels
	Profile   Kind = "profile"   // an element or attribute that the profile does not have
	Shape     Kind = "shape"     // not square
	Bomb      Kind = "bomb"      // a small text that stands for something huge

	Usage    Kind = "usage"    // not made for this use
	Expired  Kind = "expired"  // expired, or not valid yet
	Name     Kind = "name"     // for other names
	Chain    Kind = "chain"    // does not lead to a root that is trusted
	Mismatch Kind = "mismatch" // two things that have to be the same are not
)

// Effect is what a problem does to receivers.
type Effect string

// The effects, from worst to none.
const (
	Ignored  Effect = "ignored"  // receivers show no logo
	AtRisk   Effect = "at-risk"  // some receivers show none
	Harmless Effect = "harmless" // what is meant is what counts
)

// Problem is one thing wrong with a record, a picture or a certificate, or remarkable
// about it.
type Problem struct {
	Kind       Kind
	Effect     Effect
	Field      string // tag, element, attribute or field, as written; foreign text
	Offset     int    // octets from the start of the text; -1 if it has no place
	Message    string // what is wrong and what follows, safe to show
	Suggestion string // what was probably meant: foreign text, may be empty
}

// String is the message with the suggestion.
func (p Problem) String() string {
	if p.Suggestion == "" {
		return p.Message
	}
	return fmt.Sprintf("%s; did you mean %s?", p.Message, clip(p.Suggestion))
}

// ParseError is something that receivers cannot use.
type ParseError struct {
	In      string // the text, shortened
	Reason  error  // one of the reasons above
	Problem        // the first one that is fatal
}

// Error quotes the text, so it is safe to show.
func (e *ParseError) Error() string {
	if e.In == "" {
		return fmt.Sprintf("%v: %s", e.Reason, e.Problem)
	}
	return fmt.Sprintf("%v: %s: %s", e.Reason, clip(e.In), e.Problem)
}

// Unwrap returns the reason.
func (e *ParseError) Unwrap() error { return e.Reason }

const (
	maxProblems = 100 // kept of one text
	maxQuoted   = 60  // octets of foreign text in a message
)

// keep adds a problem as long as there is room. The first one that is fatal always
// finds room: a text must not become valid by having too many faults.
func keep(problems []Problem, p Problem) []Problem {
	switch {
	case len(problems) < maxProblems:
		return append(problems, p)
	case p.Effect == Ignored && worst(problems) == nil:
		problems[maxProblems-1] = p
	}
	return problems
}

// worst is the first problem that keeps receivers from showing the logo.
func worst(problems []Problem) *Problem {
	for i := range problems {
		if problems[i].Effect == Ignored {
			return &problems[i]
		}
	}
	return nil
}

// clip quotes foreign text and keeps it short.
func clip(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%+q", strings.ToValidUTF8(s[:maxQuoted], "")+"...")
	}
	return fmt.Sprintf("%+q", s)
}

// head keeps as much of the text as an error shows.
func head(s string) string { return s[:min(len(s), maxQuoted+1)] }
