package set

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// Map divides all addresses by what the records of a domain decide for them.
type Map struct {
	Domain   resolve.Name
	Analysis spf.Analysis // of the same answers

	Parts []Part // every address is in one of them; in order of result, pass first

	// Unknown are the lookups that failed and were needed for a verdict.
	Unknown []error
	// Truncated says that the records are too large to be followed to the end;
	// what was not followed is temperror.
	Truncated bool
}

// Complete reports whether nothing is unknown.
func (m Map) Complete() bool { return len(m.Unknown) == 0 && !m.Truncated }

// Part is the addresses that share a verdict.
type Part struct {
	Set     Set
	Verdict Verdict
}

// Verdict is a result, or several that depend on the sender.
type Verdict struct {
	Cases []Case // exactly one of them applies to a mail; never empty
}

// Case is the result under conditions.
type Case struct {
	If     []Condition // all of them; none if the sender does not matter
	Status spf.Status  // empty if By decides
	By     string      // a redirect whose target depends on the sender
}

// Condition is how a term comes out that depends on the sender.
type Condition struct {
	Term  string // "exists:%{i}._spf.example.org"; with " of " and the record's owner if that matters
	Match bool
}

// Status is the result that does not depend on the sender; false if it does.
func (v Verdict) Status() (spf.Status, bool) {
	if len(v.Cases) == 1 && len(v.Cases[0].If) == 0 && v.Cases[0].By == "" {
		return v.Cases[0].Status, true
	}
	return "", false
}

// Can reports whether a result is possible, and whether it is the only one.
func (v Verdict) Can(st spf.Status) (some, always bool) {
	always = true
	for _, c := range v.Cases {
		if c.Status == st {
			some = true
		} else {
			always = false
			some = some || c.By != ""
		}
	}
	return some, some && always
}

// String is "pass", or "pass if exists:%{i}.x matches, else fail".
func (v Verdict) String() string {
	if st, ok := v.Status(); ok {
		return string(st)
	}
	var words []string
	for _, c := range v.Cases {
		w := string(c.Status)
		if c.By != "" {
			w = "what " + c.By + " says"
		}
		var conds []string
		for _, k := range c.If {
			if k.Match {
				conds = append(conds, k.Term+" matches")
			} else {
				conds = append(conds, k.Term+" does not match")
			}
		}
		if len(conds) > 0 {
			w += " if " + strings.Join(conds, " and ")
		}
		words = append(words, w)
	}
	return strings.Join(words, ", ")
}

// Equal reports whether two verdicts agree for every sender.
func (v Verdict) Equal(w Verdict) bool {
	a, okA := v.Status()
	b, okB := w.Status()
	if okA && okB {
		return a == b
	}
	equal := true
	if !together(v, w, func(x, y Case) { equal = equal && x.Status == y.Status && x.By == y.By }) {
		return v.String() == w.String()
	}
	return equal
}

// together calls f with the two cases that apply under each combination of
// conditions; false if there are too many.
func together(v, w Verdict, f func(x, y Case)) bool {
	var terms []string
	for _, c := range slices.Concat(v.Cases, w.Cases) {
		for _, k := range c.If {
			if !slices.Contains(terms, k.Term) {
				terms = append(terms, k.Term)
			}
		}
	}
	if len(terms) > maxConditions {
		return false
	}
	for bits := range 1 << len(terms) {
		holds := func(term string) bool { return bits>>slices.Index(terms, term)&1 == 1 }
		f(v.under(holds), w.under(holds))
	}
	return true
}

// maxConditions bounds the conditions of which all combinations are tried. Ten
// lookups allow ten in one record.
const maxConditions = 14

// under is the case that applies.
func (v Verdict) under(holds func(string) bool) Case {
	for _, c := range v.Cases {
		if !slices.ContainsFunc(c.If, func(k Condition) bool { return holds(k.Term) != k.Match }) {
			return c
		}
	}
	return Case{}
}

// At is the verdict for one address.
func (m Map) At(a netip.Addr) Verdict {
	for _, p := range m.Parts {
		if p.Set.Contains(a) {
			return p.Verdict
		}
	}
	return Verdict{}
}

// With is the set of addresses that have a result whatever the sender.
func (m Map) With(st spf.Status) (out Set) {
	for _, p := range m.Parts {
		if s, ok := p.Verdict.Status(); ok && s == st {
			out = out.Union(p.Set)
		}
	}
	return out
}

// Kind is what a change means for the hosts that it concerns.
type Kind string

// The kinds of changes.
const (
	Gain   Kind = "gain"    // they pass now, or for more senders
	Lose   Kind = "lose"    // they pass no longer, or for fewer senders
	Change Kind = "change"  // the result is another, but not in the two ways above
	Open   Kind = "unknown" // one of the results is temperror, as a lookup failed
)

// Difference is the addresses whose result is another one.
type Difference struct {
	Kind     Kind
	Old, New Verdict
	Set      Set
}

// Diff lists what differs between two maps. It is empty if every address has the
// same result for every sender; that is a proof only if both are complete.
func Diff(before, after Map) []Difference {
	var out []Difference
	for _, p := range before.Parts {
		for _, q := range after.Parts {
			if p.Verdict.Equal(q.Verdict) {
				continue
			}
			if common := p.Set.Intersect(q.Set); !common.Empty() {
				out = append(out, Difference{kindOf(p.Verdict, q.Verdict), p.Verdict, q.Verdict, common})
			}
		}
	}
	order := []Kind{Lose, Gain, Open, Change}
	slices.SortStableFunc(out, func(a, b Difference) int { return slices.Index(order, a.Kind) - slices.Index(order, b.Kind) })
	return out
}

// Repairs reports whether all that changes had permerror before: the new record
// works where the old one did not.
func (d Difference) Repairs() bool {
	all := true
	return together(d.Old, d.New, func(x, y Case) {
		all = all && (x.Status == spf.PermError || x.Status == y.Status && x.By == y.By)
	}) && all
}

func kindOf(before, after Verdict) Kind {
	for _, v := range []Verdict{before, after} {
		if some, _ := v.Can(spf.TempError); some && !v.decidedBy() {
			return Open
		}
	}
	gains, loses := false, false
	if !together(before, after, func(x, y Case) {
		gains = gains || x.Status != spf.Pass && y.Status == spf.Pass
		loses = loses || x.Status == spf.Pass && y.Status != spf.Pass
	}) {
		return Change
	}
	switch {
	case loses && !gains:
		return Lose
	case gains && !loses:
		return Gain
	}
	return Change
}

func (v Verdict) decidedBy() bool {
	return slices.ContainsFunc(v.Cases, func(c Case) bool { return c.By != "" })
}
