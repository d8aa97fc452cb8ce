package spf

import (
	"context"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// gatherer asks everything that a domain's record can lead to, level by level:
// what one level needs is asked together, so that an audit takes as long as the
// tree is deep and not as it is wide.
type gatherer struct {
	ctx   context.Context
	r     resolve.Resolver
	opt   Options
	got   map[resolve.Question]*reply
	list  []resolve.Question // in the order asked
	over  bool               // more was wanted than may be asked
	terms int                // in all records read
}

type reply struct {
	ans resolve.Answer
	err error
	rec *Record
	bad SyntaxErrors
	sel Selection
}

// Analyze walks all that the record of domain leads to and counts what the
// worst case costs (RFC 7208, Section 4.6.4). It needs no sender: terms whose
// macros depend on one are counted and marked as not evaluated. Only
// Options.MaxLookups, MaxVoids, MaxNames and Timeout matter here.
//
// The error is ctx's, if it ended before all was asked; the analysis is then
// what is known so far.
func Analyze(ctx context.Context, r resolve.Resolver, domain resolve.Name, opt Options) (Analysis, error) {
	opt.setDefaults()
	within, cancel := context.WithTimeout(ctx, analysisTime(opt))
	defer cancel()
	g := &gatherer{ctx: within, r: r, opt: opt, got: make(map[resolve.Question]*reply)}
	g.walk(domain)
	b := builder{g: g}
	return b.build(domain), ctx.Err()
}

// analysisTime is the time for the whole tree: the levels follow each other, and
// each may wait for the slowest server on it.
func analysisTime(opt Options) time.Duration { return 3 * opt.Timeout }

// walk asks level after level until nothing new is wanted.
func (g *gatherer) walk(domain resolve.Name) {
	level := []resolve.Question{{Name: domain, Type: resolve.TypeTXT}}
	for depth := 0; len(level) > 0 && depth <= maxDepth; depth++ {
		if room := maxQuestions - len(g.list); len(level) > room {
			level, g.over = level[:room], true
		}
		g.list = append(g.list, level...)
		g.ask(level)
		var next []resolve.Question
		seen := make(map[resolve.Question]bool)
		want := func(n resolve.Name, t resolve.Type) {
			q := resolve.Question{Name: n, Type: t}
			if !n.IsZero() && g.got[q] == nil && !seen[q] {
				seen[q] = true
				next = append(next, q)
			}
		}
		for _, q := range level {
			g.follow(q, want)
		}
		level = next
	}
	g.over = g.over || len(level) > 0
}

// ask asks the questions of a level at the same time.
func (g *gatherer) ask(level []resolve.Question) {
	replies := make([]reply, len(level))
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxFlight)
	for i, q := range level {
		slots <- struct{}{}
		wg.Go(func() {
			replies[i].ans, replies[i].err = g.r.Resolve(g.ctx, q)
			<-slots
		})
	}
	wg.Wait()
	for i, q := range level {
		g.got[q] = &replies[i]
	}
}

// follow notes what the answer to a question leads to.
func (g *gatherer) follow(q resolve.Question, want func(resolve.Name, resolve.Type)) {
	p := g.got[q]
	switch {
	case p.err != nil:
	case q.Type == resolve.TypeMX:
		for i, host := range exchangers(p.ans.Records) {
			if i == g.opt.MaxNames {
				break
			}
			want(host, resolve.TypeA)
			want(host, resolve.TypeAAAA)
		}
	case q.Type == resolve.TypeTXT:
		p.read()
		if p.rec == nil {
			return
		}
		if g.terms += len(p.rec.Terms); g.terms > maxTerms {
			g.over = true
			return
		}
		all := p.rec.AllIndex()
		for i, t := range p.rec.Terms {
			if !t.ignored(i, all) {
				g.wanted(t, q.Name, want)
			}
		}
	}
}

// wanted asks for what a term needs.
func (g *gatherer) wanted(t Term, domain resolve.Name, want func(resolve.Name, resolve.Type)) {
	n, open := t.target(domain)
	if open || n.IsZero() {
		return
	}
	switch t.Kind {
	case Include, Redirect:
		want(n, resolve.TypeTXT)
	case A:
		want(n, resolve.TypeA)
		want(n, resolve.TypeAAAA)
	case MX:
		want(n, resolve.TypeMX)
	case Exists:
		want(n, resolve.TypeA)
	}
}

// read selects and parses the record of a TXT answer.
func (p *reply) read() {
	var txts []string
	for _, t := range p.ans.TXT() {
		txts = append(txts, t.Joined())
	}
	p.sel = Select(txts)
	if len(p.sel.Records) == 1 {
		r, err := Parse(p.sel.Records[0])
		p.rec = &r
		p.bad, _ = err.(SyntaxErrors)
	}
}

// ignored reports whether evaluation can never come to term i, given the index
// of the first all.
//
// RFC 7208, Section 5.1: what follows all is ignored, and so is redirect beside
// it (Section 6.1).
func (t Term) ignored(i, all int) bool {
	if all < 0 {
		return false
	}
	switch t.Kind {
	case Exp, Unknown:
		return false
	case Redirect:
		return true
	}
	return i > all
}

// target is the name that a term leads to in a domain's record. It is open if it
// depends on the sender, and zero if the term has none or it is no name.
func (t Term) target(domain resolve.Name) (n resolve.Name, open bool) {
	switch t.Kind {
	case Include, A, MX, PTR, Exists, Redirect, Exp:
	default:
		return resolve.Name{}, false
	}
	if t.Domain == "" {
		return domain, false
	}
	text := t.Domain
	if t.Macro {
		// Only the current domain is known without a sender.
		v := vars{}
		for i := 0; i+2 < len(text); i++ {
			if text[i] != '%' {
				continue
			}
			if text[i+1] == '{' && text[i+2]|0x20 != 'd' {
				return resolve.Name{}, true
			}
			i++
		}
		b, _ := v.expand(nil, text, domain.String(), "", nil)
		text = string(b)
	}
	d, err := targetName(text)
	if err != nil {
		return resolve.Name{}, false
	}
	return d.name, false
}
