package spf

import (
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// maxAhead bounds the questions asked ahead in one evaluation. Ten terms with
// ten MX names each would be 110; real records need a dozen.
const maxAhead = 64

// prefetcher asks what a record will need before it is needed. It never decides
// anything: the evaluator asks it instead of the resolver, in the order of the
// RFC, and counts for itself.
type prefetcher struct {
	e  *evaluator
	wg sync.WaitGroup

	mu   sync.Mutex
	got  map[resolve.Question]*future
	left int
}

type future struct {
	done chan struct{}
	ans  resolve.Answer
	err  error
}

func (e *evaluator) prefetch() {
	e.lim.real()
	e.pre = &prefetcher{e: e, got: make(map[resolve.Question]*future), left: maxAhead}
}

// waits reports whether asking ahead can save time: two terms need lookups, or
// one leads to a record or to MX names.
func (c *compiled) waits() bool {
	n := 0
	for i := range c.ops {
		switch c.ops[i].kind {
		case opAll:
			return n > 1
		case opA, opExists, opPTR:
			n++
		case opInclude, opMX, opRedirect:
			n += 2
		}
	}
	return n > 1
}

// record asks for what the terms of a record lead to. level is 1 for a record
// that is being evaluated, more for one that only may be.
func (p *prefetcher) record(c *compiled, d domainName, level int) {
	if level > p.e.opt.MaxLookups {
		return
	}
	for i := range c.ops {
		o := &c.ops[i]
		if o.kind == opAll {
			return // RFC 7208, Section 5.1: what follows is not evaluated
		}
		var kind resolve.Type
		switch o.kind {
		case opInclude, opRedirect:
			kind = resolve.TypeTXT
		case opA:
			kind = p.e.family()
		case opExists:
			kind = resolve.TypeA
		case opMX:
			kind = resolve.TypeMX
		default:
			continue
		}
		t, x, err := c.target(i, &p.e.vars, d, "")
		if err != nil || x != expanded {
			continue
		}
		p.start(resolve.Question{Name: t.name, Type: kind}, func(ans resolve.Answer) { p.follow(ans, t, level) })
	}
}

// follow asks for what an answer leads to.
func (p *prefetcher) follow(ans resolve.Answer, t domainName, level int) {
	switch ans.Question.Type {
	case resolve.TypeTXT:
		if text, n := selectAnswer(ans.Records); n == 1 {
			if c, _, f := compile(text, nil); f == ok {
				p.record(&c, t, level+1)
			}
		}
	case resolve.TypeMX:
		for k, host := range exchangers(ans.Records) {
			if k == p.e.opt.MaxNames {
				return
			}
			p.start(resolve.Question{Name: host, Type: p.e.family()}, func(resolve.Answer) {})
		}
	}
}

// start asks a question unless it is asked already or enough were.
func (p *prefetcher) start(q resolve.Question, then func(resolve.Answer)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.got[q] != nil || p.left == 0 {
		return
	}
	p.left--
	f := &future{done: make(chan struct{})}
	p.got[q] = f
	p.wg.Go(func() {
		f.ans, f.err = p.e.r.Resolve(p.e.lim, q)
		close(f.done)
		if f.err == nil {
			f.ans.Question = q
			then(f.ans)
		}
	})
}

// ask waits for an answer under way, or asks now. Answers are kept: the same
// question has one answer in one evaluation.
func (p *prefetcher) ask(q resolve.Question) ([]resolve.Record, error) {
	p.mu.Lock()
	f := p.got[q]
	if f == nil {
		f = &future{done: make(chan struct{})}
		p.got[q] = f
		p.mu.Unlock()
		f.ans, f.err = p.e.r.Resolve(p.e.lim, q)
		close(f.done)
		return f.ans.Records, f.err
	}
	p.mu.Unlock()
	<-f.done
	return f.ans.Records, f.err
}
