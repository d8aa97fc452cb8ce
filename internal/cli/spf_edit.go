package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/set"
)

// spfEditView is the document of schema mailcheck.spf-edit/1.
type spfEditView struct {
	Schema      string           `json:"schema"`
	Domain      string           `json:"domain"`
	Old         nullable         `json:"old"`         // null if there is no record
	OldState    string           `json:"old_state"`   // present, absent or unknown
	Record      string           `json:"record"`      // to publish, whole
	Edits       []fix.Edit       `json:"edits"`       // what leads from the old record to it
	Changes     []fix.Change     `json:"changes"`     // the record set before and after
	Lookups     int              `json:"lookups"`     // of the new record, worst case
	OldLookups  *int             `json:"old_lookups"` // null if there was none
	Voids       int              `json:"void_lookups"`
	Octets      int              `json:"octets"` // of the text
	Results     []differenceView `json:"result_changes"`
	Problems    []spfProblemView `json:"problems"` // of the new record
	Notes       []string         `json:"notes"`
	Unknown     []string         `json:"unknown"`
	Unchanged   bool             `json:"unchanged"`
	AnswerBytes int              `json:"answer_octets"` // of all TXT records at the domain then
}

// spfEdit is an edit of the record of a domain under way.
type spfEdit struct {
	domain  resolve.Name
	r       resolve.Resolver
	current []resolve.Record // TXT records at the domain
	state   resolve.State    // of the SPF record
	err     error
	old     spf.Record
	before  set.Map

	text  string // the record as it will be
	edits []fix.Edit
	notes []string
}

// begin reads what is published. More than one record, or a broken one, is an
// error: what it means has to be settled first.
func beginSPFEdit(ctx context.Context, r resolve.Resolver, domain resolve.Name) (*spfEdit, error) {
	e := &spfEdit{domain: domain, r: r}
	a, err := r.Resolve(ctx, resolve.Question{Name: domain, Type: resolve.TypeTXT})
	if e.state = resolve.StateOf(err); e.state == resolve.Unavailable {
		e.err = err
		return e, nil
	}
	e.current = a.Records
	if len(a.Chain) > 0 {
		e.notes = append(e.notes, fmt.Sprintf("%s is an alias (CNAME) of %s: the record stands there", domain, a.Owner()))
	}
	var texts []string
	for _, t := range a.TXT() {
		texts = append(texts, t.Joined())
	}
	list := spf.Select(texts).Records
	switch len(list) {
	case 0:
		e.state = resolve.Absent
		return e, nil
	case 1:
	default:
		return nil, &Error{Code: ExitFindings, Err: fmt.Errorf("%s has %d SPF records, and receivers take none of them", domain, len(list)), Hint: "make one of them: mailcheck spf lint " + domain.String() + " shows them"}
	}
	if e.old, err = spf.Parse(list[0]); err != nil {
		return nil, &Error{Code: ExitFindings, Err: fmt.Errorf("the record of %s is broken: %w", domain, err), Hint: "mailcheck spf lint " + domain.String() + " shows the repair"}
	}
	e.text = e.old.Text
	e.before, _ = set.Resolve(ctx, r, domain, spf.Options{}) // if the time is over, it is empty
	return e, nil
}

// edit notes one edit of the record and applies it.
func (e *spfEdit) edit(op fix.Op, term, value, why string) error {
	r, err := spf.Parse(e.text)
	if err != nil {
		return err
	}
	switch op {
	case fix.SPFInsertTerm:
		r, err = r.Insert(value)
	case fix.SPFRemoveTerm, fix.SPFReplaceTerm:
		i := -1
		for k, t := range r.Terms {
			if t.Text == term {
				i = k
			}
		}
		r, err = r.Replace(i, value)
	}
	if err != nil {
		return fmt.Errorf("the edited record does not parse: %w", err)
	}
	e.text = r.Text
	e.edits = append(e.edits, fix.Edit{Name: e.domain, Type: resolve.TypeTXT, Op: op, Record: e.old.Text, Term: term, Value: value, Why: why})
	return nil
}

// dedupe takes out terms that match only what an earlier one has matched.
func (e *spfEdit) dedupe() error {
	for {
		r, err := spf.Parse(e.text)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(r.Lint(), func(o spf.Observation) bool { return o.Kind == spf.Duplicate })
		if i < 0 {
			return nil
		}
		if err := e.edit(fix.SPFRemoveTerm, r.Lint()[i].Text, "", "a duplicate: it matches only what an earlier term has matched"); err != nil {
			return err
		}
	}
}

// view resolves the new record and puts the document together.
func (e *spfEdit) view(ctx context.Context) (spfEditView, error) {
	v := spfEditView{
		Schema: "mailcheck.spf-edit/1", Domain: e.domain.String(), Old: nullable(e.old.Text), OldState: stateWord(e.state), Record: safe.Text(e.text),
		Edits: e.edits, Changes: []fix.Change{}, Octets: len(e.text), Notes: []string{}, Unknown: []string{}, Unchanged: e.text == e.old.Text,
		Results: []differenceView{}, Problems: []spfProblemView{},
	}
	if v.Edits == nil {
		v.Edits = []fix.Edit{}
	}
	if e.err != nil {
		v.Unknown = append(v.Unknown, "what is published: "+spfProblem(e.err))
	} else {
		changes, err := fix.Merge(e.edits, func(resolve.Name, resolve.Type) ([]resolve.Record, error) { return e.current, nil })
		if err != nil {
			return v, err
		}
		v.Changes = append(v.Changes, changes...)
		if want := resolve.SplitTXT(e.text).String(); !v.Unchanged && (len(changes) != 1 || !slices.Contains(changes[0].New, want)) {
			return v, fmt.Errorf("the plan does not lead to the record %q", e.text)
		}
	}
	after, err := set.Resolve(ctx, e.withNew(), e.domain, spf.Options{})
	if err != nil && len(after.Parts) == 0 {
		v.Unknown = append(v.Unknown, unknownOf(after)...)
		return v, nil
	}
	v.Lookups, v.Voids = after.Analysis.Lookups, after.Analysis.Voids
	v.AnswerBytes = after.Analysis.AnswerSize
	v.Problems = viewSPFProblems(after.Analysis.Problems, resolve.Name{})
	if len(e.before.Parts) > 0 {
		v.OldLookups = &e.before.Analysis.Lookups
		v.Results = viewDifferences(set.Diff(e.before, after))
	}
	for _, p := range after.Analysis.Unknown {
		v.Unknown = append(v.Unknown, spfProblem(&p))
	}
	for _, n := range e.notes {
		v.Notes = append(v.Notes, safe.Text(n))
	}
	if v.AnswerBytes > 1232 {
		v.Notes = append(v.Notes, fmt.Sprintf("the answer with all TXT records of the domain has %d octets, more than go over UDP: receivers need TCP", v.AnswerBytes))
	}
	return v, nil
}

// withNew answers as if the record were published, its siblings with it.
func (e *spfEdit) withNew() resolve.Resolver {
	records := []resolve.Record{{Name: e.domain, Type: resolve.TypeTXT, TTL: fix.DefaultTTL, Data: resolve.SplitTXT(e.text)}}
	for _, r := range e.current {
		if t, ok := r.Data.(resolve.TXT); ok && t.Joined() != e.old.Text {
			records = append(records, r)
		}
	}
	return resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		if q.Name == e.domain && q.Type == resolve.TypeTXT {
			return resolve.Answer{Question: q, Records: records, Transport: resolve.File}, nil
		}
		return e.r.Resolve(ctx, q)
	})
}

func (v spfEditView) print(s Streams, format string) error {
	var err error
	if format == "json" {
		err = printJSON(s.Out, v)
	} else {
		err = v.text(s)
	}
	if err != nil {
		return err
	}
	switch {
	case len(v.Problems) > 0:
		return exit(ExitFindings)
	case len(v.Unknown) > 0:
		return exit(ExitIncomplete)
	}
	return nil
}

func (v spfEditView) text(s Streams) error {
	p := newSheet(s)
	if v.Unchanged {
		p.para("Nothing to change for %s.", v.Domain)
		for _, n := range v.Notes {
			p.item("%s", n)
		}
		p.WriteString("\n")
		p.whole("", string(v.Old))
		return p.flush(s.Out)
	}
	if v.Old != "" {
		p.para("Old record of %s:", v.Domain)
		p.whole("", zoneLine(v.Domain, string(v.Old)))
		p.WriteByte('\n')
	}
	p.para("Publish at %s%s:", v.Domain, map[bool]string{true: ", in its place"}[v.Old != ""])
	p.whole("", zoneLine(v.Domain, v.Record))
	p.WriteByte('\n')
	was := ""
	if v.OldLookups != nil {
		was = fmt.Sprintf(", before %d", *v.OldLookups)
	}
	p.field("Lookups", "at worst %d of %d%s", v.Lookups, spf.MaxLookups, was)
	p.field("Size", "%d octets, %s", v.Octets, plural(len(resolve.SplitTXT(v.Record).Strings), "string", "strings"))
	if v.OldLookups != nil {
		p.head("What changes")
		writeDifferences(p, v.Results)
	}
	if len(v.Notes) > 0 {
		p.head("Note")
		for _, n := range v.Notes {
			p.item("%s", n)
		}
	}
	writeSPFProblems(p, "Do not publish it: evaluation ends without a verdict", v.Problems)
	if len(v.Problems) > 0 && v.Lookups > spf.MaxLookups {
		writeNext(p, "drop what is not used with 'mailcheck spf narrow' or 'mailcheck spf remove'")
	}
	if len(v.Unknown) > 0 {
		p.head("Unknown")
		for _, x := range v.Unknown {
			p.item("%s", x)
		}
	}
	return p.flush(s.Out)
}
