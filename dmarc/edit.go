package dmarc

import (
	"errors"
	"fmt"
	"strings"
)

// ErrEdit matches the error of an edit or of [New] that would not give a valid
// record.
var ErrEdit = errors.New("dmarc: invalid edit")

// Set gives a tag a value and leaves every other byte as it is. A tag that is
// not there is added: p behind v, the others at the end. Further copies of the
// tag go. The value has to be valid for a tag that is known. The record has to
// be one that receivers read: start with v=DMARC1.
func (r Record) Set(name, value string) (Record, error) {
	if !isRecord(r.text) {
		return r, fmt.Errorf("%w: %s does not start with v=DMARC1", ErrEdit, clip(r.text))
	}
	if r.Has(TooLong) {
		return r, fmt.Errorf("%w: the record is too long", ErrEdit)
	}
	if err := checkTag(name, value); err != nil {
		return r, err
	}
	text := r.text
	t, found := r.Tag(name)
	switch {
	case name == "v":
		v := r.Tags[0] // perhaps V; the value is right
		text = r.cut(func(t Tag, _ int) bool { return t.Name == "v" }).text
		text = text[:v.Offset] + "v" + text[v.Offset+1:]
	case found:
		r = r.dropCopies(name)
		t, _ = r.Tag(name)
		at := t.valueOffset()
		text = r.text[:at] + value + r.text[at+len(t.Value):]
	case name == "p":
		v := r.Tags[0]
		end := v.start + len(strings.TrimRight(v.Raw, wsp))
		text = text[:end] + r.separator() + "p=" + value + text[end:]
	default:
		body := strings.TrimRight(text, wsp+";")
		text = body + r.separator() + name + "=" + value + text[len(body):]
	}
	out, err := Parse(text)
	if err != nil {
		return r, fmt.Errorf("%w: %w", ErrEdit, err)
	}
	return out, nil
}

// Remove takes out all tags of that exact name, and leaves every other byte as
// it is. The empty name stands for the segments without "=". The version stays.
func (r Record) Remove(name string) Record {
	if name == "v" {
		return r
	}
	return r.cut(func(t Tag, _ int) bool { return t.Name == name })
}

// dropCopies takes out all but the first tag of the name.
func (r Record) dropCopies(name string) Record {
	first := true
	return r.cut(func(t Tag, _ int) bool {
		drop := t.Name == name && !first
		first = first && t.Name != name
		return drop
	})
}

// cut takes out the tags for which drop is true, each with the semicolon before
// it; the first tag, which is the version, has none and stays.
func (r Record) cut(drop func(t Tag, i int) bool) Record {
	var b strings.Builder
	from := 0
	for i, t := range r.Tags {
		if i > 0 && drop(t, i) {
			b.WriteString(r.text[from : t.start-1])
			from = t.start + len(t.Raw)
		}
	}
	if from == 0 {
		return r
	}
	b.WriteString(r.text[from:])
	out, _ := Parse(b.String()) // it starts as before, so it is a record if it was one
	return out
}

// separator follows the style of the record.
func (r Record) separator() string {
	if len(r.Tags) > 1 && !strings.HasPrefix(r.Tags[1].Raw, " ") {
		return ";"
	}
	return "; "
}

// checkTag makes sure that the tag will read as it is meant.
func checkTag(name, value string) error {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "" {
		return fmt.Errorf("%w: %s is no tag name: letters in lower case are needed", ErrEdit, clip(name))
	}
	if name == "v" && value != "DMARC1" {
		return fmt.Errorf("%w: the version is DMARC1, not %s", ErrEdit, clip(value))
	}
	if value == "" || strings.Trim(value, wsp) != value {
		return fmt.Errorf("%w: the value %s of %s is empty or has white space at its ends", ErrEdit, clip(value), name)
	}
	if strings.IndexFunc(value, func(c rune) bool { return c < ' ' || c > '~' || c == ';' }) >= 0 {
		return fmt.Errorf("%w: the value %s of %s has a semicolon or a character outside printable ASCII", ErrEdit, clip(value), name)
	}
	probe, _ := Parse("v=DMARC1; p=none; " + name + "=" + value)
	if name == "p" {
		probe, _ = Parse("v=DMARC1; p=" + value)
	}
	for _, p := range probe.Problems {
		switch p.Kind {
		case PolicyInvalid, OptionInvalid, URIInvalid, TooLong:
			return fmt.Errorf("%w: %s", ErrEdit, p)
		}
	}
	return nil
}

// Fields is what a new record shall say. Empty fields and false ones leave their
// tag out.
type Fields struct {
	P, SP, NP  Policy   // P is needed
	RUA, RUF   []string // mailto URIs, or mail addresses, which are made into such
	StrictDKIM bool
	StrictSPF  bool
	Testing    bool   // t=y
	PSD, FO    string // values of their tags
}

// New makes a record. It refuses fields that contradict each other. The error
// matches [ErrEdit].
func New(f Fields) (Record, error) {
	if f.P == "" {
		return Record{}, fmt.Errorf("%w: a record needs a policy", ErrEdit)
	}
	if err := f.nonsense(); err != nil {
		return Record{}, err
	}
	r, err := Parse("v=DMARC1")
	set := func(name, value string) {
		if err == nil && value != "" {
			r, err = r.Set(name, value)
		}
	}
	set("p", string(f.P))
	set("sp", string(f.SP))
	set("np", string(f.NP))
	flag := func(name, value string, on bool) {
		if on {
			set(name, value)
		}
	}
	flag("adkim", "s", f.StrictDKIM)
	flag("aspf", "s", f.StrictSPF)
	flag("t", "y", f.Testing)
	set("psd", f.PSD)
	set("fo", f.FO)
	set("rua", uriList(f.RUA))
	set("ruf", uriList(f.RUF))
	if err != nil {
		return Record{}, err
	}
	return r, nil
}

// uriList joins URIs and addresses into a value. RFC 9989, Section 4.8: "," and
// "!" are percent-encoded in a URI.
func uriList(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		s = strings.TrimSpace(s)
		if scheme, _, found := strings.Cut(s, ":"); !found || !isScheme(scheme) {
			s = mailto + strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23").Replace(s)
		}
		out[i] = strings.NewReplacer("!", "%21", ",", "%2C", ";", "%3B").Replace(s)
	}
	return strings.Join(out, ",")
}
