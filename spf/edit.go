package spf

import (
	"fmt"
	"strings"
)

// The edits below make a new record and leave all octets they are not about as
// they were published. Each parses its result: the error is that of [Parse], or
// says that there is no such term.

// Remove takes out term i with the spaces before it.
func (r Record) Remove(i int) (Record, error) { return r.Replace(i, "") }

// Replace puts one or more terms in the place of term i; no text removes it.
func (r Record) Replace(i int, terms string) (Record, error) {
	r = r.published()
	if i < 0 || i >= len(r.Terms) {
		return r, fmt.Errorf("spf: no term %d in a record of %d", i, len(r.Terms))
	}
	t := r.Terms[i]
	return Parse(r.splice(t.Offset, t.End, terms))
}

// Insert puts one or more terms before all and redirect, or at the end of a
// record without them.
func (r Record) Insert(terms string) (Record, error) {
	r = r.published()
	at := len(strings.TrimRight(r.Text, " "))
	for _, t := range r.Terms {
		if t.Kind == All || t.Kind == Redirect {
			return Parse(r.Text[:t.Offset] + terms + " " + r.Text[t.Offset:])
		}
	}
	return Parse(r.Text[:at] + " " + terms + r.Text[at:])
}

// SetAll gives the first all the qualifier. In a record without all it is added
// at the end; a redirect, which it would put out of effect, is replaced by it.
func (r Record) SetAll(q Qualifier) (Record, error) {
	r = r.published()
	if i := r.AllIndex(); i >= 0 {
		t := r.Terms[i]
		return r.Replace(i, q.String()+t.Text[len(t.Text)-len("all"):])
	}
	term := q.String() + string(All)
	if i := r.RedirectIndex(); i >= 0 {
		return r.Replace(i, term)
	}
	at := len(strings.TrimRight(r.Text, " "))
	return Parse(r.Text[:at] + " " + term + r.Text[at:])
}

// Dedupe takes out every term that matches only what an earlier one of the same
// form has matched, whatever its qualifier. The result of an evaluation stays
// the same.
func (r Record) Dedupe() (Record, error) {
	r = r.published()
	text := r.Text
	first := make(map[matcher]bool)
	var drop []int
	for i, t := range r.Terms {
		k, comparable := t.matcher()
		if comparable && first[k] {
			drop = append(drop, i)
		}
		first[k] = true
	}
	for k := len(drop) - 1; k >= 0; k-- {
		t := r.Terms[drop[k]]
		text = Record{Text: text}.splice(t.Offset, t.End, "")
	}
	return Parse(text)
}

// Repair applies the suggestions for the syntax errors of the record. The error
// holds those that have none.
func (r Record) Repair() (Record, error) {
	r = r.published()
	text := r.Text
	_, err := Parse(text)
	all, _ := err.(SyntaxErrors)
	for k := len(all) - 1; k >= 0; k-- {
		if e := all[k]; e.Suggestion != "" || e.Drop {
			text = Record{Text: text}.splice(e.Offset, e.End, e.Suggestion)
		}
	}
	return Parse(text)
}

// repaired is the text of a record with its errors mended as far as possible.
func repaired(text string) string {
	if !isRecord(text) {
		return text
	}
	r, err := Record{Text: text}.Repair()
	if err != nil {
		return text
	}
	return r.Text
}

// splice replaces the octets from offset to end; without a replacement the
// spaces before them go too.
func (r Record) splice(offset, end int, text string) string {
	if text == "" {
		for offset > 0 && r.Text[offset-1] == ' ' {
			offset--
		}
	}
	return r.Text[:offset] + text + r.Text[end:]
}

// published gives a record made by hand its text and positions.
func (r Record) published() Record {
	if r.Text == "" {
		r, _ = Parse(r.String())
	} else if r.Terms == nil {
		r, _ = Parse(r.Text)
	}
	return r
}

// matcher is what a term matches, comparable.
type matcher struct {
	kind         Kind
	domain       string
	prefix       string
	bits4, bits6 int
}

// matcher reports false for terms of which a second one is an error or is never
// evaluated at all.
func (t Term) matcher() (matcher, bool) {
	m := matcher{kind: t.Kind, domain: lower(strings.TrimSuffix(t.Domain, ".")), bits4: t.Bits4, bits6: t.Bits6}
	switch t.Kind {
	case IP4, IP6:
		m.prefix = t.Prefix.Masked().String()
	case Invalid, Unknown:
		return matcher{kind: Invalid, domain: t.Text}, false
	case Redirect, Exp:
		return m, false
	}
	if t.Macro {
		m.domain = t.Domain // letters of macros differ in case
	}
	return m, true
}
