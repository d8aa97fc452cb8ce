package spf

import (
	"context"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// evaluator is one evaluation of check_host() (RFC 7208, Section 4).
type evaluator struct {
	vars
	lim *limit
	r   resolve.Resolver
	opt Options
	pre *prefetcher
	res Result

	ptr     []resolve.Name // validated names of the client
	ptrDone bool

	remote bool // an answer came over a network, now or into a cache

	ops []op // compiled records, the nested ones behind those that include them
}

// evaluators are used again; nothing that a resolver gets to see is.
var evaluators = sync.Pool{New: func() any { return &evaluator{ops: make([]op, 0, 128)} }}

const keepOps = 4096 // an evaluator grown larger is left to the garbage collector

// Check does what a receiver does: it decides whether the client may use the
// identity (RFC 7208, Section 4). It asks r, reads no clock but for the time
// limit, and always gives a result; Result.Err says why that is no verdict.
func Check(ctx context.Context, r resolve.Resolver, args Args, opt Options) Result {
	opt.setDefaults()
	e := evaluators.Get().(*evaluator)
	e.r, e.opt, e.lim = r, opt, &limit{parent: ctx, timeout: opt.Timeout}
	domain, err := e.identify(args)
	if err != nil {
		// RFC 7208, Section 4.3: without a well-formed domain there is nothing to check.
		e.res = Result{Status: None, Err: err}
	} else {
		e.res.Domain = domain.name
		e.res.Status = e.run(domain)
	}
	res := e.res
	e.finish()
	return res
}

// run evaluates and asks for the explanation.
func (e *evaluator) run(domain domainName) Status {
	if err := e.lim.parent.Err(); err != nil {
		return e.end(TempError, domain.name, -1, "", err)
	}
	st := e.checkHost(domain, 0)
	if st == PermError || st == TempError || e.res.Term == "" {
		e.res.Term, e.res.Record, e.res.InnerTerm, e.res.InnerRecord = "", resolve.Name{}, "", resolve.Name{}
	}
	return st
}

// finish returns what was borrowed and ends what is under way.
func (e *evaluator) finish() {
	e.lim.stop()
	if e.pre != nil { // nothing asked ahead outlives the call
		e.pre.wg.Wait()
	}
	if cap(e.ops) <= keepOps {
		*e = evaluator{ops: e.ops[:0]}
		evaluators.Put(e)
	}
}

func (o *Options) setDefaults() {
	if o.MaxLookups <= 0 {
		o.MaxLookups = MaxLookups
	}
	if o.MaxVoids == 0 {
		o.MaxVoids = MaxVoids
	}
	if o.MaxNames <= 0 {
		o.MaxNames = MaxNames
	}
	if o.Timeout <= 0 {
		o.Timeout = MaxTime
	}
}

// checkHost is check_host() for one domain.
func (e *evaluator) checkHost(d domainName, depth int) Status {
	var before time.Duration
	watch := depth == 0 && !e.opt.Serial && e.pre == nil
	if watch {
		before = since()
	}
	rs, err := e.ask(d.name, resolve.TypeTXT)
	if err != nil {
		if resolve.StateOf(err) == resolve.Unavailable {
			return e.end(TempError, d.name, -1, "", err) // RFC 7208, Section 4.4
		}
		return None
	}
	text, n := selectAnswer(rs)
	switch {
	case n == 0:
		return None
	case n > 1:
		return e.end(PermError, d.name, -1, "", ErrMultiple) // RFC 7208, Section 4.5
	}
	mark, f := len(e.ops), ok
	var own compiled
	c := &own
	var kept *compiled
	if e.opt.Cache != nil {
		kept = e.opt.Cache.get(text)
	}
	if kept != nil {
		c = kept
	} else if own, e.ops, f = compile(text, e.ops); f != ok {
		_, err := Parse(text)
		return e.end(PermError, d.name, -1, "", err)
	}
	if watch && c.waits() && (e.remote || since()-before > slowAnswer) {
		e.prefetch()
	}
	if e.pre != nil {
		e.pre.record(c, d, 1)
	}
	st := e.evaluate(c, d, depth)
	e.ops = e.ops[:mark]
	return st
}

// evaluate goes through the terms of a record.
func (e *evaluator) evaluate(c *compiled, d domainName, depth int) Status {
	if e.opt.Trace {
		e.res.Trace = append(e.res.Trace, Step{Depth: depth, Domain: d.name, Text: c.text, Term: -1, Lookups: e.res.Lookups, Voids: e.res.Voids})
	}
	for i := range c.ops {
		o := &c.ops[i]
		if o.kind >= opRedirect {
			continue
		}
		var match bool
		var st Status
		switch o.kind {
		case opAll:
			match = true
		case opIP4:
			match = e.ip.inIP4(o.lo, o.bits4)
		case opIP6:
			match = e.ip.inIP6(o.hi, o.lo, o.bits6)
		default:
			if match, st = e.lookup(c, i, d, depth); st != "" {
				return st
			}
		}
		if e.opt.Trace && o.kind.local() {
			e.step(c, i, d, domainName{}, depth, "")
			e.res.Trace[len(e.res.Trace)-1].Match = match
		}
		if !match {
			continue
		}
		term := c.text[o.start:o.end]
		if o.kind != opInclude {
			e.res.InnerTerm, e.res.InnerRecord = term, d.name
		}
		st = Qualifier(o.qual).Status()
		if depth == 0 {
			e.res.Term, e.res.Record = term, d.name
			if st == Fail && c.exp >= 0 {
				e.explain(c, d)
			}
		}
		return st
	}
	if c.redirect < 0 {
		return Neutral // RFC 7208, Section 4.7
	}
	return e.redirect(c, d, depth)
}

// redirect hands the decision over (RFC 7208, Section 6.1). A record with all
// never comes here.
func (e *evaluator) redirect(c *compiled, d domainName, depth int) Status {
	i := c.redirect
	if st := e.count(c, i, d); st != "" {
		return e.step(c, i, d, domainName{}, depth, st)
	}
	t, _, st := e.target(c, i, d)
	if st == "" && single(t.name) {
		st = e.endTerm(PermError, c, i, d, ErrTarget)
	}
	e.step(c, i, d, t, depth, st)
	if st != "" {
		return st
	}
	if st = e.checkHost(t, depth); st == None {
		return e.endTarget(c, i, d, t)
	}
	return st
}

// lookup evaluates a mechanism that needs DNS. A status other than empty ends the
// evaluation.
func (e *evaluator) lookup(c *compiled, i int, d domainName, depth int) (match bool, st Status) {
	var t domainName
	never := false
	if st = e.count(c, i, d); st == "" {
		t, never, st = e.target(c, i, d)
	}
	at := len(e.res.Trace)
	e.step(c, i, d, t, depth, st)
	if st != "" {
		return false, st
	}
	kind := c.ops[i].kind
	if never || t.name.IsZero() && kind != opInclude {
		// RFC 7208, Section 4.8 leaves a target that is no name undefined. As in
		// Section 4.3, there is nothing there and so no match.
		return false, ""
	}
	switch kind {
	case opInclude:
		match, st = e.include(c, i, d, t, depth)
	case opA:
		match, st = e.addresses(c, i, d, t.name)
	case opMX:
		match, st = e.exchangers(c, i, d, t.name)
	case opExists:
		match, st = e.exists(c, i, d, t.name)
	case opPTR:
		match, st = e.pointer(c, i, d, t.name)
	}
	if e.opt.Trace {
		s := &e.res.Trace[at]
		s.Match, s.Lookups, s.Voids = match, e.res.Lookups, e.res.Voids
		if st != "" {
			s.Err = e.res.Err
		}
	}
	return match, st
}

// count counts a term. RFC 7208, Section 4.6.4: at most 10 in one evaluation.
func (e *evaluator) count(c *compiled, i int, d domainName) Status {
	e.res.Lookups++
	if e.res.Lookups > e.opt.MaxLookups {
		return e.endTerm(PermError, c, i, d, ErrTooManyLookups)
	}
	return ""
}

// target finds the name of a term. It is zero if the term leads to no name;
// never says that the term can match nothing at all.
func (e *evaluator) target(c *compiled, i int, d domainName) (t domainName, never bool, st Status) {
	t, x, err := c.target(i, &e.vars, d, "")
	if x == expNeedsPTR {
		// RFC 7208, Section 4.6.4: the macro p counts as a ptr term does.
		if !e.ptrDone {
			if st := e.count(c, i, d); st != "" {
				return domainName{}, false, st
			}
		}
		t, x, err = c.target(i, &e.vars, d, e.pointerName(d.name))
	}
	if err != nil {
		return domainName{}, x == expNoMatch, ""
	}
	return t, false, ""
}

// include evaluates the target's record for the same client and sender.
//
// RFC 7208, Section 5.2: only a pass of the target is a match.
func (e *evaluator) include(c *compiled, i int, d, t domainName, depth int) (match bool, st Status) {
	// RFC 7208, Section 4.3: a malformed or single-label domain has no record.
	if single(t.name) {
		return false, e.endTarget(c, i, d, t)
	}
	switch st = e.checkHost(t, depth+1); st {
	case Pass:
		return true, ""
	case TempError, PermError:
		return false, st
	case None:
		return false, e.endTarget(c, i, d, t)
	}
	return false, ""
}

// ask looks up one name.
func (e *evaluator) ask(n resolve.Name, t resolve.Type) ([]resolve.Record, error) {
	q := resolve.Question{Name: n, Type: t}
	if e.lim.passed() {
		return nil, e.lim.Err()
	}
	if e.pre != nil {
		return e.pre.ask(q)
	}
	a, err := e.r.Resolve(e.lim, q)
	e.remote = e.remote || a.Transport != "" && a.Transport != resolve.File
	return a.Records, err
}

// slowAnswer is how long an answer takes that did not come from memory.
const slowAnswer = time.Millisecond

var epoch = time.Now()

// since is a monotonic clock. It only decides whether to ask ahead, never what
// the result is.
func since() time.Duration { return time.Since(epoch) }
