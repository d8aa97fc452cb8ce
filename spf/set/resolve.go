package set

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// maxClasses bounds the parts that are told apart at the same time. They differ
// in lookups, voids and the outcome of terms that depend on the sender.
const maxClasses = 2048

// Resolve divides all addresses by the result that the records of domain give
// them. Of the options, MaxLookups, MaxVoids, MaxNames and Timeout matter.
//
// The error is ctx's, if it ended before all was asked.
func Resolve(ctx context.Context, r resolve.Resolver, domain resolve.Name, opt spf.Options) (Map, error) {
	defaults(&opt)
	m := &memo{r: r, got: make(map[resolve.Question]reply)}
	a, err := spf.Analyze(ctx, m, domain, opt)
	out := Map{Domain: domain, Analysis: a}
	if err != nil {
		return out, err
	}
	e := &evaluation{ctx: ctx, m: m, opt: opt}
	var ends []outcome
	for _, family := range []Set{all4, all6} {
		e.qtype = resolve.TypeA
		if family.r[0].From.Is6() {
			e.qtype = resolve.TypeAAAA
		}
		ends = append(ends, e.domain(a, class{set: family})...)
	}
	out.Parts, out.Unknown, out.Truncated = parts(ends), e.unknown, e.truncated
	return out, ctx.Err()
}

func defaults(o *spf.Options) {
	if o.MaxLookups <= 0 {
		o.MaxLookups = spf.MaxLookups
	}
	if o.MaxVoids == 0 {
		o.MaxVoids = spf.MaxVoids
	}
	if o.MaxNames <= 0 {
		o.MaxNames = spf.MaxNames
	}
}

// evaluation is check_host() (RFC 7208, Section 4) for many clients of one family.
type evaluation struct {
	ctx   context.Context
	m     *memo
	opt   spf.Options
	qtype resolve.Type // A or AAAA

	unknown   []error
	truncated bool
}

// class is clients with the same history.
type class struct {
	set            Set
	lookups, voids int
	ptr            bool        // the client's names have been looked up
	path           []Condition // how the terms came out that depend on the sender
}

// outcome is where clients end.
type outcome struct {
	class
	status spf.Status
	by     string
}

func (c class) ends(st spf.Status) outcome { return outcome{class: c, status: st} }

// domain begins at the domain checked.
func (e *evaluation) domain(a spf.Analysis, c class) []outcome {
	switch {
	case a.Domain.NumLabels() < 2, a.State == resolve.Absent:
		return []outcome{c.ends(spf.None)} // RFC 7208, Sections 4.3 and 4.5
	case a.State == resolve.Unavailable:
		return e.fails([]class{c}, a.Err)
	case a.Root == nil:
		return []outcome{c.ends(spf.PermError)} // RFC 7208, Section 4.5: several records
	}
	return e.record(a.Root, []class{c})
}

// record evaluates one record.
func (e *evaluation) record(n *spf.Node, in []class) (out []outcome) {
	if len(n.Syntax) > 0 {
		return all(in, spf.PermError) // RFC 7208, Section 4.6: before any evaluation
	}
	terms := n.Record.Terms
	for i := 0; i < len(terms) && len(in) > 0; i++ {
		if i >= len(n.Terms) {
			return append(out, e.cut(in)...)
		}
		t := terms[i]
		if t.IsModifier() || n.Terms[i].Ignored {
			continue
		}
		var match []class
		switch t.Kind {
		case spf.All:
			match, in = in, nil
		case spf.IP4, spf.IP6:
			// Terms that mean the same are taken together: records have thousands.
			nets := []netip.Prefix{t.Prefix}
			for i+1 < len(terms) && (terms[i+1].Kind == spf.IP4 || terms[i+1].Kind == spf.IP6) && terms[i+1].Qualifier == t.Qualifier {
				i++
				nets = append(nets, terms[i].Prefix)
			}
			match, in = divide(in, Of(nets...))
		default:
			var ended []outcome
			match, in, ended = e.lookup(n, i, in)
			out = append(out, ended...)
		}
		out = append(out, all(match, t.Qualifier.Status())...)
		if in = merge(in); len(in) > maxClasses {
			return append(out, e.cut(in)...)
		}
	}
	if len(in) == 0 {
		return out
	}
	i := n.Record.RedirectIndex()
	if i < 0 || n.Record.AllIndex() >= 0 {
		return append(out, all(in, spf.Neutral)...) // RFC 7208, Section 4.7
	}
	if i >= len(n.Terms) {
		return append(out, e.cut(in)...)
	}
	return append(out, e.redirect(n, i, in)...)
}

func all(in []class, st spf.Status) []outcome {
	out := make([]outcome, len(in))
	for i, c := range in {
		out[i] = c.ends(st)
	}
	return out
}

// fails ends with temperror for a lookup that failed.
func (e *evaluation) fails(in []class, err error) []outcome {
	if err != nil && len(in) > 0 && !slices.ContainsFunc(e.unknown, func(x error) bool { return x.Error() == err.Error() }) {
		e.unknown = append(e.unknown, err)
	}
	return all(in, spf.TempError)
}

// cut ends where the records were not followed further.
func (e *evaluation) cut(in []class) []outcome {
	e.truncated = e.truncated || len(in) > 0
	return all(in, spf.TempError)
}

// divide separates those that are in a set from the others.
func divide(in []class, s Set) (match, rest []class) {
	for _, c := range in {
		yes, no := c, c
		yes.set = c.set.Intersect(s)
		if yes.set.Empty() {
			rest = append(rest, c)
			continue
		}
		match = append(match, yes)
		if no.set = c.set.Minus(s); !no.set.Empty() {
			rest = append(rest, no)
		}
	}
	return match, rest
}

// merge joins classes with the same history.
func merge(in []class) []class {
	out := in[:0:0]
	for _, c := range in {
		i := slices.IndexFunc(out, func(d class) bool {
			return d.lookups == c.lookups && d.voids == c.voids && d.ptr == c.ptr && slices.Equal(d.path, c.path)
		})
		if i < 0 {
			out = append(out, c)
		} else {
			out[i].set = out[i].set.Union(c.set)
		}
	}
	return out
}

// parts puts together what the outcomes say of each address.
func parts(ends []outcome) []Part {
	// Those that end alike are joined first: there may be one for each network.
	var groups []Part
	index := make(map[string]int)
	for _, o := range ends {
		v := Verdict{[]Case{{If: o.path, Status: o.status, By: o.by}}}
		i, found := index[v.String()]
		if !found {
			i, groups = len(groups), append(groups, Part{Verdict: v})
			index[v.String()] = i
		}
		groups[i].Set.r = append(groups[i].Set.r, o.set.r...)
	}
	var out []Part
	for _, g := range groups {
		rest, c := join(g.Set.r), g.Verdict.Cases[0]
		for i, n := 0, len(out); i < n && !rest.Empty(); i++ {
			common := out[i].Set.Intersect(rest)
			if common.Empty() {
				continue
			}
			rest, out[i].Set = rest.Minus(common), out[i].Set.Minus(common)
			out = append(out, Part{common, Verdict{append(slices.Clone(out[i].Verdict.Cases), c)}})
		}
		if !rest.Empty() {
			out = append(out, Part{rest, Verdict{[]Case{c}}})
		}
		out = gather(out)
	}
	for i := range out {
		out[i].Verdict = out[i].Verdict.simple()
	}
	out = gather(out)
	slices.SortStableFunc(out, func(a, b Part) int { return rank(a.Verdict) - rank(b.Verdict) })
	return out
}

// gather joins parts with the same cases.
func gather(in []Part) []Part {
	index := make(map[string]int)
	out := in[:0:0]
	for _, p := range in {
		if p.Set.Empty() {
			continue
		}
		key := p.Verdict.String()
		if i, found := index[key]; found {
			out[i].Set = out[i].Set.Union(p.Set)
			continue
		}
		index[key] = len(out)
		out = append(out, p)
	}
	return out
}

// simple leaves conditions out that make no difference.
func (v Verdict) simple() Verdict {
	for _, c := range v.Cases {
		if c.By != "" || c.Status != v.Cases[0].Status {
			out := slices.Clone(v.Cases)
			slices.SortFunc(out, func(a, b Case) int {
				return strings.Compare(Verdict{[]Case{a}}.String(), Verdict{[]Case{b}}.String())
			})
			return Verdict{out}
		}
	}
	return Verdict{[]Case{{Status: v.Cases[0].Status}}}
}

var order = []spf.Status{spf.Pass, "", spf.Neutral, spf.SoftFail, spf.Fail, spf.None, spf.PermError, spf.TempError}

func rank(v Verdict) int {
	st, _ := v.Status()
	return slices.Index(order, st)
}
