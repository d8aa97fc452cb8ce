// Package fix turns findings into changes of DNS records (RFC 1035, RFC 2181):
// edits that rules propose, merged into one change for each record set.
//
// An operator who is told "your SPF record is wrong" wants the record to
// publish, with everything else at that name left as it is. So an [Edit] acts on
// the parsed record, edits of one record compose, and a [Change] holds the whole
// record set before and after: what a person reviews is what gets published.
//
// Call [Merge] with the edits and a function that tells the present records;
// print a [Change] with [Change.Zone]. A change is data: it can be saved,
// reviewed and refused when the zone has moved on.
package fix

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Op is what an edit does.
type Op string

// The operations. Those on a record name it by Edit.Record.
const (
	AddRecord      Op = "add-record"       // Value is the data of the new record
	RemoveRecord   Op = "remove-record"    //
	ReplaceRecord  Op = "replace-record"   // by Value
	SPFRemoveTerm  Op = "spf-remove-term"  // Term, as it is written in the record
	SPFReplaceTerm Op = "spf-replace-term" // Term by Value
	SPFInsertTerm  Op = "spf-insert-term"  // Value, before "all" and redirect
	SPFSetAll      Op = "spf-set-all"      // Value is "-all", "~all", …
	DMARCSetTag    Op = "dmarc-set-tag"    // tag Term to Value
	DMARCRemoveTag Op = "dmarc-remove-tag" // tag Term
)

// Edit is one wish of one rule: plain data.
type Edit struct {
	Name   resolve.Name `json:"name"`
	Type   resolve.Type `json:"type"`
	Op     Op           `json:"op"`
	Record string       `json:"record,omitempty"` // the record acted on: joined text of a TXT, else its data
	Term   string       `json:"term,omitempty"`
	Value  string       `json:"value,omitempty"`
	Why    string       `json:"why"`
}

// Verb is the kind of a change.
type Verb string

// The verbs.
const (
	Create Verb = "create"
	Update Verb = "update"
	Delete Verb = "delete"
)

// Change replaces one whole record set. Old and New hold record data in master
// file form, siblings included.
type Change struct {
	Verb Verb         `json:"verb"`
	Name resolve.Name `json:"name"`
	Type resolve.Type `json:"type"`
	TTL  uint32       `json:"ttl"` // seconds, for the new records
	Old  []string     `json:"old"`
	New  []string     `json:"new"`
	Why  []string     `json:"why"`
}

// DefaultTTL is the TTL of records where none were: an hour, so that a mistake
// does not outlive the day.
const DefaultTTL = 3600

// ErrConflict matches the errors of edits that do not apply to the records.
var ErrConflict = errors.New("fix: edit does not apply")

// Current tells the records at a name; the error of an unavailable answer keeps
// edits from being made on a guess.
type Current func(name resolve.Name, t resolve.Type) ([]resolve.Record, error)

// set is a record set under edit.
type set struct {
	change  Change
	records []record
}

// record is one record of a set under edit.
type record struct {
	was  string // joined TXT text, or data of other types, as it was; empty if added
	text string // the same as it is now
	data string // master file form, kept byte for byte while the text is untouched
	gone bool
}

// Merge applies the edits to the present records, in order, and returns one
// change for each record set that ends up different.
func Merge(edits []Edit, current Current) ([]Change, error) {
	var sets []*set
	for n, e := range edits {
		if slices.Contains(edits[:n], e) {
			continue // two findings may wish for the same
		}
		i := slices.IndexFunc(sets, func(s *set) bool { return s.change.Name == e.Name && s.change.Type == e.Type })
		if i < 0 {
			s, err := load(e.Name, e.Type, current)
			if err != nil {
				return nil, err
			}
			i, sets = len(sets), append(sets, s)
		}
		if err := sets[i].apply(e); err != nil {
			return nil, fmt.Errorf("%w: %s %s %s: %w", ErrConflict, e.Op, e.Name, e.Type, err)
		}
	}
	var out []Change
	for _, s := range sets {
		c := s.change
		c.New = s.data()
		if slices.Equal(c.Old, c.New) {
			continue
		}
		switch {
		case len(c.Old) == 0:
			c.Verb = Create
		case len(c.New) == 0:
			c.Verb = Delete
		default:
			c.Verb = Update
		}
		out = append(out, c)
	}
	return out, nil
}

func load(name resolve.Name, t resolve.Type, current Current) (*set, error) {
	records, err := current(name, t)
	if err != nil {
		return nil, fmt.Errorf("fix: present records unknown: %w", err)
	}
	s := &set{change: Change{Name: name, Type: t, TTL: DefaultTTL, Old: []string{}}}
	for i, r := range records {
		if i == 0 {
			s.change.TTL = r.TTL
		}
		s.change.Old = append(s.change.Old, r.Data.String())
		text := r.Data.String()
		if d, ok := r.Data.(resolve.TXT); ok {
			text = d.Joined()
		}
		s.records = append(s.records, record{was: text, text: text, data: r.Data.String()})
	}
	return s, nil
}

// data is the set as it is now.
func (s *set) data() []string {
	out := []string{}
	for _, r := range s.records {
		if !r.gone {
			out = append(out, r.data)
		}
	}
	return out
}

func (s *set) apply(e Edit) error {
	s.change.Why = append(s.change.Why, e.Why)
	if e.Op == AddRecord {
		if !slices.ContainsFunc(s.records, func(r record) bool { return r.text == e.Value && !r.gone }) {
			s.records = append(s.records, record{text: e.Value, data: s.form(e.Value)})
		}
		return nil // it may be there already: the edit is idempotent
	}
	i := s.find(e.Record)
	if i < 0 {
		return errors.New("the record is not there")
	}
	r := &s.records[i]
	switch {
	case e.Op == RemoveRecord:
		r.gone = true
		return nil
	case r.gone:
		return errors.New("another edit removes the record")
	}
	text, err := edited(*r, e)
	if err != nil {
		return err
	}
	if text != r.text {
		r.text, r.data = text, s.form(text)
	}
	return nil
}

// find locates the record an edit names, which may have been edited since.
func (s *set) find(name string) int {
	if i := slices.IndexFunc(s.records, func(r record) bool { return r.text == name && !r.gone }); i >= 0 {
		return i
	}
	if i := slices.IndexFunc(s.records, func(r record) bool { return r.was == name && !r.gone }); i >= 0 {
		return i
	}
	return slices.IndexFunc(s.records, func(r record) bool { return r.was == name })
}

// form is the master file form of new data.
func (s *set) form(text string) string {
	if s.change.Type == resolve.TypeTXT {
		return resolve.SplitTXT(text).String()
	}
	return text
}

func edited(r record, e Edit) (string, error) {
	switch e.Op {
	case ReplaceRecord:
		return e.Value, nil
	case SPFRemoveTerm, SPFReplaceTerm, SPFInsertTerm, SPFSetAll:
		return editSPF(r, e)
	case DMARCSetTag, DMARCRemoveTag:
		return editDMARC(r.text, e)
	}
	return "", fmt.Errorf("unknown operation %q", e.Op)
}

func editDMARC(text string, e Edit) (string, error) {
	rec, err := dmarc.Parse(text)
	if err != nil {
		return "", err
	}
	if e.Op == DMARCRemoveTag {
		return rec.Remove(e.Term).String(), nil
	}
	if rec, err = rec.Set(e.Term, e.Value); err != nil {
		return "", err
	}
	return rec.String(), nil
}

// Zone prints the new records in master file form; for a deletion the old ones
// as comments.
func (c Change) Zone() []string {
	var out []string
	for _, d := range c.New {
		out = append(out, fmt.Sprintf("%s %d IN %s %s", c.Name.FQDN(), c.TTL, c.Type, d))
	}
	if len(c.New) == 0 {
		for _, d := range c.Old {
			out = append(out, fmt.Sprintf("; delete: %s IN %s %s", c.Name.FQDN(), c.Type, d))
		}
	}
	return out
}
