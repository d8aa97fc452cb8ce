package fix

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/spf"
)

// editSPF edits one term and leaves all other octets as they were published.
func editSPF(r record, e Edit) (string, error) {
	before, err := spf.Parse(r.text)
	if len(before.Terms) == 0 && err != nil {
		return "", err // no SPF record at all
	}
	var after spf.Record
	switch e.Op {
	case SPFInsertTerm:
		// A term after all has no effect: it does not count as there.
		live := before
		if i := live.AllIndex(); i >= 0 {
			live.Terms = live.Terms[:i]
		}
		if hasTerm(live, e.Value) {
			return r.text, nil
		}
		after, err = before.Insert(e.Value)
	case SPFSetAll:
		q, end := qualifier(e.Value)
		if !end {
			return "", fmt.Errorf("%q is no all", e.Value)
		}
		after, err = before.SetAll(q)
	default:
		var first, last int
		if first, last = lastTerm(before, e.Term); first < 0 {
			return missing(r, e)
		}
		// A term with a space in it, as a repair of syntax joins them, is several.
		after, err = before, nil
		for i := last; i > first && (err == nil || errors.Is(err, spf.ErrSyntax)); i-- {
			after, err = after.Remove(i)
		}
		if err == nil || errors.Is(err, spf.ErrSyntax) {
			after, err = after.Replace(first, e.Value)
		}
	}
	return sound(before, after, err)
}

// sound is the text of an edited record, unless the edit broke it. Errors that
// were there before, another edit may be about to repair.
func sound(before, after spf.Record, err error) (string, error) {
	if err == nil {
		return after.Text, nil
	}
	var now, then spf.SyntaxErrors
	_, old := spf.Parse(before.Text)
	errors.As(old, &then)
	if errors.As(err, &now) && len(now) <= len(then) {
		return after.Text, nil
	}
	return "", err
}

// missing decides about a term that is not in the record: if it was, an earlier
// edit has dealt with it.
func missing(r record, e Edit) (string, error) {
	was, _ := spf.Parse(r.was)
	if first, _ := lastTerm(was, e.Term); first < 0 {
		return "", fmt.Errorf("no term %q in the record", e.Term)
	}
	now, _ := spf.Parse(r.text)
	if e.Op == SPFReplaceTerm && !hasTerm(now, e.Value) {
		return "", fmt.Errorf("another edit has taken the term %q out", e.Term)
	}
	return r.text, nil
}

// lastTerm finds a run of terms by its text, -1 without one. Of several it is
// the last: what an earlier one does not match, a later one does not either.
func lastTerm(r spf.Record, text string) (first, last int) {
	if text == "" {
		return -1, -1
	}
	for i := len(r.Terms) - 1; i >= 0; i-- {
		for j := i; j < len(r.Terms) && r.Terms[j].End-r.Terms[i].Offset <= len(text); j++ {
			if r.Text[r.Terms[i].Offset:r.Terms[j].End] == text {
				return i, j
			}
		}
	}
	return -1, -1
}

// hasTerm reports whether each of the terms stands in the record.
func hasTerm(r spf.Record, terms string) bool {
	for _, t := range strings.Fields(terms) {
		if !slices.ContainsFunc(r.Terms, func(x spf.Term) bool { return x.Text == t }) {
			return false
		}
	}
	return true
}

// qualifier reads "-all", "~all", "?all", "+all" and "all".
func qualifier(all string) (q spf.Qualifier, ok bool) {
	q = '+'
	if all != "" && strings.IndexByte("+-~?", all[0]) >= 0 {
		q, all = spf.Qualifier(all[0]), all[1:]
	}
	return q, strings.EqualFold(all, "all")
}
