package spf

import (
	"errors"
	"fmt"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// end records why an evaluation has no verdict. The first reason counts.
func (e *evaluator) end(st Status, d resolve.Name, term int, text string, err error) Status {
	if e.lim.passed() && e.lim.parent.Err() == nil {
		err = fmt.Errorf("%w: %w", ErrTime, err) // RFC 7208, Section 4.6.4
	}
	e.res.Err = &Problem{Domain: d, Term: term, Text: text, Err: err}
	return st
}

func (e *evaluator) endTerm(st Status, c *compiled, i int, d domainName, err error) Status {
	o := &c.ops[i]
	return e.end(st, d.name, i, c.text[o.start:o.end], err)
}

// endTarget is the end at an include or redirect to a name without a record.
func (e *evaluator) endTarget(c *compiled, i int, d, t domainName) Status {
	err := ErrNoRecord
	if single(t.name) {
		err = ErrTarget
	}
	st := e.endTerm(PermError, c, i, d, err)
	if p, found := errors.AsType[*Problem](e.res.Err); found {
		p.Target = t.name
	}
	return st
}

// step traces a term and returns st.
func (e *evaluator) step(c *compiled, i int, d, t domainName, depth int, st Status) Status {
	if e.opt.Trace {
		o := &c.ops[i]
		s := Step{Depth: depth, Domain: d.name, Text: c.text[o.start:o.end], Term: i, Target: t.name, Lookups: e.res.Lookups, Voids: e.res.Voids}
		if st != "" {
			s.Err = e.res.Err
		}
		e.res.Trace = append(e.res.Trace, s)
	}
	return st
}
