package mtasts

import (
	"fmt"
	"strings"
	"time"
)

// Mode says what senders do with a host that fails (RFC 8461, Section 3.2 and 5).
// The zero value is no mode.
type Mode string

// The modes.
const (
	Enforce Mode = "enforce" // they do not deliver to it
	Testing Mode = "testing" // they deliver and report
	None    Mode = "none"    // they do as if there was no policy
)

// Policy is an MTA-STS policy (RFC 8461, Section 3.2). The zero value is an empty
// text. Make one with [ParsePolicy] or [NewPolicy]; the fields are a reading of the
// text and changing them does not change it.
type Policy struct {
	Lines    []Line    // every line that is not blank, in order
	Problems []Problem // in order of their offset

	Mode   Mode          // empty when it is absent or not valid
	MaxAge time.Duration // whole seconds, at most a year as Section 3.2 has it; 0 when absent or not valid
	MX     []Pattern     // those that can be read

	text string
}

// Line is one line of a policy.
type Line struct {
	Key    string // as written; empty when the line has no ":"
	Value  string // the whole line if Key is empty
	Number int    // from 1
	Offset int    // octets from the start of the text to the line
	Raw    string // without the line ending
}

// String is the text of the policy, byte for byte.
func (p Policy) String() string { return p.text }

// MarshalText writes the text of the policy.
func (p Policy) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// UnmarshalText reads a policy, also a text that is none.
func (p *Policy) UnmarshalText(b []byte) error {
	*p, _ = ParsePolicy(string(b)) // what is wrong is in Problems
	return nil
}

// ParsePolicy reads the text of a policy file. The error is a *[ParseError] that
// matches [ErrPolicy] when senders act as if there was no policy. The Policy holds
// what could be read in both cases, and all its problems, not only the first.
func ParsePolicy(text string) (Policy, error) {
	p := Policy{text: text}
	if len(text) > maxPolicy {
		p.text = text[:maxPolicy]
		p.problem(Problem{Kind: TooLong, Effect: Ignored, Offset: maxPolicy, Line: 1, Message: fmt.Sprintf("the policy is longer than the %d octets that senders read", maxPolicy)})
		return p, p.err()
	}
	if html := strings.TrimLeft(strings.TrimPrefix(text, bom), wsp+"\r\n"); strings.HasPrefix(html, "<") {
		p.problem(Problem{Kind: Document, Effect: Ignored, Line: 1, Message: "this is a web page and not a policy, so senders act as if there was no policy"})
		return p, p.err()
	}
	p.split()
	seen := map[string]bool{}
	for _, l := range p.Lines {
		p.readLine(l, seen)
	}
	for _, key := range []string{"version", "mode", "max_age", "mx"} {
		if seen[key] || key == "mx" && p.Mode == None {
			continue
		}
		// RFC 8461, Section 3.2: all are required, mx unless the mode is none.
		p.problem(Problem{Kind: Missing, Effect: Ignored, Field: key, Offset: len(text), Line: p.lastLine(), Message: key + " is missing, so senders act as if there was no policy", Suggestion: p.guessMissing(key)})
	}
	return p, p.err()
}

const bom = "\ufeff"

func (p *Policy) err() error {
	if w := worst(p.Problems); w != nil {
		return &ParseError{In: head(p.text), Reason: ErrPolicy, Problem: *w}
	}
	return nil
}

func (p *Policy) problem(q Problem) {
	p.Problems = keep(p.Problems, q)
}

func (p *Policy) lastLine() int {
	if n := len(p.Lines); n > 0 {
		return p.Lines[n-1].Number
	}
	return 1
}

// split cuts the text into lines: RFC 8461, Section 3.2 takes LF and CRLF.
func (p *Policy) split() {
	rest, at, ending := p.text, 0, "\n"
	if strings.HasPrefix(rest, bom) {
		p.problem(Problem{Kind: Document, Effect: Ignored, Line: 1, Message: "a byte order mark stands before the first line, so senders do not find the version"})
		rest, at = rest[len(bom):], len(bom)
	}
	if !strings.Contains(rest, "\n") && strings.Contains(strings.TrimRight(rest, "\r"), "\r") {
		ending = "\r"
		p.problem(Problem{Kind: BadCharacter, Effect: Ignored, Offset: at + strings.IndexByte(rest, '\r'), Line: 1, Message: "the lines end in CR alone, so senders see one line: LF or CRLF is needed"})
	}
	for n := 1; rest != ""; n++ {
		line, after, _ := strings.Cut(rest, ending)
		size := len(rest) - len(after)
		raw := strings.TrimSuffix(line, "\r")
		switch body := strings.Trim(raw, wsp); {
		case n > maxLines:
			p.problem(Problem{Kind: TooLong, Effect: AtRisk, Offset: at, Line: n, Message: fmt.Sprintf("only the first %d lines are read", maxLines)})
			return
		case body == "":
			p.problem(Problem{Kind: Junk, Effect: AtRisk, Offset: at, Line: n, Message: "a blank line: strict senders ignore the policy"})
		default:
			l := Line{Value: body, Number: n, Offset: at, Raw: raw}
			if key, value, found := strings.Cut(body, ":"); found && key != "" {
				l.Key, l.Value = strings.TrimRight(key, wsp), strings.TrimLeft(value, wsp)
			}
			p.Lines = append(p.Lines, l)
		}
		at += size
		rest = after
	}
}

// readLine takes the meaning of one line.
func (p *Policy) readLine(l Line, seen map[string]bool) {
	q := Problem{Effect: AtRisk, Field: l.Key, Offset: l.Offset, Line: l.Number}
	if at := badControl(l.Raw); at >= 0 {
		c := q
		c.Kind, c.Offset, c.Message = BadCharacter, l.Offset+at, "the line has a control character: strict senders ignore the policy"
		p.problem(c)
	}
	if l.Key == "" {
		q.Kind, q.Message = Junk, fmt.Sprintf("%s is no field: it has no \":\", so strict senders ignore the policy", clip(l.Value))
		if key, value, found := strings.Cut(l.Value, "="); found && isKey(strings.TrimRight(key, wsp)) {
			q.Suggestion = strings.TrimRight(key, wsp) + ": " + strings.TrimLeft(value, wsp)
		}
		p.problem(q)
		return
	}
	// RFC 8461, Section 3.2: no white space before the key or the ":".
	if !strings.HasPrefix(l.Raw, l.Key+":") {
		s := q
		s.Kind, s.Message, s.Suggestion = Space, fmt.Sprintf("white space before %s or its \":\": strict senders ignore the policy", clip(l.Key)), l.Key+": "+l.Value
		p.problem(s)
	}
	if seen[l.Key] && l.Key != "mx" {
		// RFC 8461, Section 3.2: of keys given twice the first counts, but for mx.
		q.Kind, q.Effect, q.Message = Duplicate, Harmless, fmt.Sprintf("%s is given more than once: the first one counts", clip(l.Key))
		p.problem(q)
		return
	}
	seen[l.Key] = true
	switch l.Key {
	case "version":
		p.readVersion(l, q)
	case "mode":
		p.readMode(l, q)
	case "max_age":
		p.readMaxAge(l, q)
	case "mx":
		p.readMX(l, q)
	default:
		p.readUnknown(l, q)
	}
}

func (p *Policy) readVersion(l Line, q Problem) {
	// RFC 8461, Section 3.2: the value is case-sensitive.
	if l.Value != version {
		q.Kind, q.Effect, q.Message = Invalid, Ignored, fmt.Sprintf("%s is not the version STSv1, so senders ignore the policy", clip(l.Value))
		if strings.EqualFold(l.Value, version) {
			q.Suggestion = "version: " + version
		}
		p.problem(q)
	}
}

func (p *Policy) readMode(l Line, q Problem) {
	switch m := Mode(l.Value); m {
	case Enforce, Testing, None:
		p.Mode = m
		return
	}
	q.Kind, q.Effect, q.Message = Invalid, Ignored, fmt.Sprintf("%s is no mode: one of enforce, testing, none is needed, so senders ignore the policy", clip(l.Value))
	switch low := strings.ToLower(strings.Trim(l.Value, "\"' ;,")); {
	case low == string(Enforce) || low == string(Testing) || low == string(None):
		q.Suggestion = "mode: " + low
	case strings.HasPrefix(low, "enforc"):
		q.Suggestion = "mode: enforce"
	case strings.HasPrefix(low, "test"), strings.HasPrefix(low, "report"):
		q.Suggestion = "mode: testing"
	}
	p.problem(q)
}

func (p *Policy) readMaxAge(l Line, q Problem) {
	digits := strings.Trim(l.Value, "0123456789") == "" && l.Value != ""
	switch {
	case !digits || len(l.Value) > 10:
		// RFC 8461, Section 3.2: 1 to 10 digits.
		q.Kind, q.Effect, q.Message = Invalid, Ignored, fmt.Sprintf("%s is no max_age: a number of seconds is needed, so senders ignore the policy", clip(l.Value))
		if n := strings.Map(digitsOnly, l.Value); n != "" && len(n) <= 8 && strings.Trim(strings.ToLower(l.Value), "0123456789_.,' second;\"") == "" {
			q.Suggestion = "max_age: " + n
		}
		p.problem(q)
		return
	}
	n := 0
	for _, c := range l.Value {
		n = min(n*10+int(c-'0'), maxAgeLimit+1)
	}
	if n > maxAgeLimit {
		q.Kind, q.Message = Invalid, fmt.Sprintf("max_age %s is over the limit of %d seconds, so some senders ignore the policy", clip(l.Value), maxAgeLimit)
		q.Suggestion = fmt.Sprintf("max_age: %d", maxAgeLimit)
		p.problem(q)
		n = maxAgeLimit
	}
	p.MaxAge = time.Duration(n) * time.Second
}

func (p *Policy) readMX(l Line, q Problem) {
	m, bad := parsePattern(l.Value)
	if bad.Kind != "" {
		q.Kind, q.Effect, q.Message, q.Suggestion = bad.Kind, bad.Effect, bad.Message, bad.Suggestion
		q.Offset += strings.Index(l.Raw, ":") + 1
		q.Offset += len(l.Raw) - (q.Offset - l.Offset) - len(strings.TrimLeft(l.Raw[q.Offset-l.Offset:], wsp))
		p.problem(q)
	}
	if m != (Pattern{}) {
		p.MX = append(p.MX, m)
	}
}

func (p *Policy) readUnknown(l Line, q Problem) {
	low := strings.ToLower(l.Key)
	switch {
	case !isKey(l.Key):
		q.Kind, q.Message = Junk, fmt.Sprintf("%s is no key: strict senders ignore the policy", clip(l.Key))
	case low == "version" || low == "mode" || low == "max_age" || low == "mx":
		// RFC 8461, Section 3.2: keys are case-sensitive.
		q.Kind, q.Effect, q.Message = Case, Harmless, fmt.Sprintf("key %s is in the wrong case, so it is not known and ignored", clip(l.Key))
		q.Suggestion = low + ": " + l.Value
	default:
		// RFC 8461, Section 3.2: unknown keys are ignored.
		q.Kind, q.Effect, q.Message = Unknown, Harmless, fmt.Sprintf("key %s is not known, so it is ignored", clip(l.Key))
		if known := guessKey(low); known != "" {
			q.Suggestion = known + ": " + l.Value
		}
	}
	p.problem(q)
}

// guessMissing is a line that seems to be the one that is missing.
func (p *Policy) guessMissing(key string) string {
	for _, l := range p.Lines {
		if low := strings.ToLower(l.Key); low != l.Key && low == key || guessKey(low) == key {
			return key + ": " + l.Value
		}
	}
	return ""
}

// guessKey knows the usual misspellings.
func guessKey(low string) string {
	switch strings.NewReplacer("-", "", "_", "", ".", "", " ", "").Replace(low) {
	case "maxage":
		if low != "max_age" {
			return "max_age"
		}
	case "v", "sts", "stsversion":
		return "version"
	case "mxs", "host", "hosts", "mxhost":
		return "mx"
	case "policy", "stsmode":
		return "mode"
	}
	return ""
}

func digitsOnly(c rune) rune {
	if c >= '0' && c <= '9' {
		return c
	}
	return -1
}

// isKey reports whether the text can be a key (RFC 8461, Section 3.2).
func isKey(s string) bool { return isName(s) }

// badControl is the offset of the first control character but tab, -1 if there is
// none. Characters beyond ASCII may stand in values of unknown keys.
func badControl(s string) int {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return i
		}
	}
	return -1
}
