package failure

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of one report. RFC 5965 has none; real reports stay far below.
const (
	maxFields   = 1000    // of one part
	maxValue    = 1 << 20 // octets of one value: DKIM-Canonicalized-Body holds a whole body
	maxRepeated = 200     // values of a field that may be repeated
	maxTextKept = 4 << 10 // octets of the text for people
)

// ErrNotReport matches the error of every input that is no failure report.
var ErrNotReport = errors.New("failure: not a failure report")

// Error tells why the parts are no failure report.
type Error struct {
	Detail string // what was expected
}

func (e *Error) Error() string { return ErrNotReport.Error() + ": " + e.Detail }

// Unwrap returns [ErrNotReport].
func (e *Error) Unwrap() error { return ErrNotReport }

// Parse reads a report. It fails with *[Error] if neither part says what a failure
// report says.
func Parse(p Parts) (*Report, error) {
	r := &Report{Incidents: 1}
	if !utf8.Valid(p.Feedback) {
		r.note(CharsetBad, "", "")
	}
	fields, _ := r.fields(p.Feedback)
	switch {
	case len(fields) > 0 && recognised(fields):
		r.feedback(fields)
		r.Text = shorten(strings.TrimSpace(string(p.Text)), maxTextKept)
		r.check()
	case len(p.Text) > 0:
		original, ok := r.readText(string(p.Text))
		if !ok {
			return nil, &Error{"no feedback part, and the text names no source address and no domain"}
		}
		r.note(TextOnly, "", "")
		if p.Original == nil {
			p.Original = original
		}
	case len(p.Feedback) > 0:
		return nil, &Error{"the feedback part has none of the fields of RFC 5965"}
	default:
		return nil, &Error{"no feedback part"}
	}
	r.original(p.Original)
	return r, nil
}

// recognised: the type alone, or any two fields of the format.
func recognised(fields []Field) bool {
	n := 0
	for _, f := range fields {
		switch f.Name {
		case "Feedback-Type":
			return true
		case "User-Agent", "Version", "Source-Ip", "Auth-Failure", "Reported-Domain", "Original-Mail-From", "Arrival-Date":
			n++
		}
	}
	return n > 1
}

func (r *Report) original(b []byte) {
	if len(bytes.TrimSpace(b)) == 0 {
		r.note(NoOriginal, "", "")
		return
	}
	var rest []byte
	r.Original, rest = r.fields(b)
	r.OriginalBody = len(bytes.TrimSpace(rest)) > 0
}

// fields reads header fields up to an empty line and returns what follows it.
// Names come in the form Canonical-Form, lines that are no fields are left out.
func (r *Report) fields(b []byte) (out []Field, rest []byte) {
	b = bytes.TrimLeft(b, " \t\r\n")
	var value []byte // of the last field of out
	end := func() {
		if len(out) > 0 {
			out[len(out)-1].Value = clean(value)
		}
	}
	for len(b) > 0 {
		var l []byte
		l, b = cutLine(b)
		if len(bytes.TrimSpace(l)) == 0 {
			end()
			return out, b
		}
		if (l[0] == ' ' || l[0] == '\t') && len(out) > 0 {
			value = r.extend(append(value, ' '), bytes.TrimSpace(l), out[len(out)-1].Name)
			continue
		}
		name, first, ok := bytes.Cut(l, []byte(":"))
		name = bytes.TrimSpace(name)
		if !ok || len(name) == 0 || len(name) > 100 || bytes.ContainsAny(name, " \t<>\"") {
			continue
		}
		end()
		if len(out) == maxFields {
			r.note(TooMany, "", "")
			return out, nil
		}
		out = append(out, Field{Name: canonical(string(name))})
		value = r.extend(value[:0], first, out[len(out)-1].Name)
	}
	end()
	return out, nil
}

// extend appends a line to a value, up to the limit.
func (r *Report) extend(value, line []byte, name string) []byte {
	if room := max(0, maxValue-len(value)); len(line) > room {
		r.note(ValueTooLong, name, "")
		line = line[:room]
	}
	return append(value, line...)
}

func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexAny(b, "\r\n")
	if i < 0 {
		return b, nil
	}
	rest = b[i+1:]
	if b[i] == '\r' && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	return b[:i], rest
}

// clean makes a value UTF-8 without white space around it.
func clean(b []byte) string {
	return strings.ToValidUTF8(strings.TrimSpace(string(b)), "\ufffd")
}

// canonical writes a name as Source-Ip.
func canonical(name string) string {
	b := []byte(strings.ToValidUTF8(name, "?"))
	upper := true
	for i, c := range b {
		switch {
		case upper && c >= 'a' && c <= 'z':
			b[i] = c - 'a' + 'A'
		case !upper && c >= 'A' && c <= 'Z':
			b[i] = c - 'A' + 'a'
		}
		upper = c == '-'
	}
	return string(b)
}

func get(fields []Field, name string) string {
	name = canonical(name)
	for _, f := range fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func shorten(s string, n int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// String is one line for logs.
func (r *Report) String() string {
	return fmt.Sprintf("%s of %q from %v", r.FeedbackType, r.ReportedDomain, r.SourceIP)
}
