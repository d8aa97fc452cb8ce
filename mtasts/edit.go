package mtasts

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrEdit matches the error of an edit, of [NewPolicy] or of [ServerConfig] that
// would not give something valid.
var ErrEdit = errors.New("mtasts: invalid edit")

// ID makes an id of a time: 14 digits, so that a later one sorts behind.
func ID(t time.Time) string { return t.UTC().Format("20060102150405") }

// NewRecord is the record to publish for a policy that changed at the given time.
func NewRecord(t time.Time) Record {
	r, _ := Parse(recordStart + " id=" + ID(t)) // valid as made
	return r
}

// Set gives a field a value and leaves every other byte as it is; further copies of
// the field go. A field that is not there is added at the end. The record has to
// be one that senders take for an MTA-STS record.
func (r Record) Set(name, value string) (Record, error) {
	switch {
	case !strings.HasPrefix(r.text, recordStart):
		return r, fmt.Errorf("%w: %s does not start with v=STSv1;", ErrEdit, clip(r.text))
	case name == "v" && value == version:
		return r, nil
	case name == "v" || !isName(name):
		return r, fmt.Errorf("%w: %s=%s", ErrEdit, clip(name), clip(value))
	case name == "id" && !isID(value):
		return r, fmt.Errorf("%w: the id %s needs 1 to %d letters and digits", ErrEdit, clip(value), maxID)
	case value == "" || badOctet(value) >= 0 || strings.ContainsAny(value, "=; \t"):
		return r, fmt.Errorf("%w: %s is no value for %s", ErrEdit, clip(value), name)
	}
	first := true
	r = r.cut(func(f Field) bool {
		again := f.Name == name && !first
		first = first && f.Name != name
		return again
	})
	var text string
	if f, found := r.Field(name); found {
		body := strings.TrimRight(f.Raw, wsp)
		text = r.text[:f.Offset] + name + "=" + value + r.text[f.start+len(body):]
	} else {
		body := strings.TrimRight(r.text, wsp+";")
		text = body + "; " + name + "=" + value + strings.TrimRight(r.text[len(body):], wsp)
	}
	if len(text) > maxRecord {
		return r, fmt.Errorf("%w: the record is too long", ErrEdit)
	}
	out, _ := Parse(text)
	return out, nil
}

// Remove takes out all fields of that exact name, and leaves every other byte as
// it is. The empty name stands for the segments that are no fields. The version
// stays.
func (r Record) Remove(name string) Record {
	return r.cut(func(f Field) bool { return f.Name == name })
}

// cut takes out the fields for which drop is true, each with the semicolon before
// it; the first has none and stays.
func (r Record) cut(drop func(Field) bool) Record {
	var b strings.Builder
	from := 0
	for i, f := range r.Fields {
		if dropped := drop(f); dropped && i > 0 && f.start > 0 {
			b.WriteString(r.text[from : f.start-1])
			from = f.start + len(f.Raw)
		}
	}
	if from == 0 {
		return r
	}
	b.WriteString(r.text[from:])
	text := b.String()
	if text+";" == recordStart {
		text = recordStart
	}
	out, _ := Parse(text)
	return out
}
