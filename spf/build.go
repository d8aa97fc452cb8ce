package spf

import (
	"net/netip"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// builder turns what was gathered into the tree and its sums, in the order of
// evaluation. It does no I/O.
type builder struct {
	g     *gatherer
	a     Analysis
	nodes int
	terms int
	path  []resolve.Name        // names being evaluated
	seen  map[resolve.Name]bool // names with a node
	root  int                   // term of the root record being followed
	hit   bool                  // a directive before this point can match
	nets  netSet
	ptr   bool // the client's names have been looked up
	// pass says that every include on the path has the qualifier pass, so that
	// what passes below passes at the root.
	pass bool
}

func (b *builder) build(domain resolve.Name) Analysis {
	b.seen = make(map[resolve.Name]bool)
	b.pass, b.root = true, -1
	a := &b.a
	a.Domain, a.Questions = domain, b.g.list
	p := b.g.got[resolve.Question{Name: domain, Type: resolve.TypeTXT}]
	a.Answer, a.Err = p.ans, p.err
	a.State = resolve.StateOf(p.err)
	if a.State == resolve.Present {
		a.Records, a.Near = p.sel.Records, p.sel.Near
		a.LongestTXT, a.AnswerSize = sizes(p.ans)
		if len(a.Records) == 0 {
			a.State = resolve.Absent
		}
	}
	switch {
	case a.State == resolve.Unavailable:
		a.Unknown = append(a.Unknown, Problem{Domain: domain, Term: -1, Err: p.err})
	case len(a.Records) > 1:
		a.Problems = append(a.Problems, Problem{Domain: domain, Term: -1, Err: ErrMultiple})
	case len(a.Records) == 1:
		a.Root = b.node(domain, "", 0, p)
		a.Lookups, a.Voids = a.Root.Lookups, a.Root.Voids
		if n := lastResort(a.Root); n != nil {
			a.All = n.Record.Terms[n.Record.AllIndex()].Qualifier
		}
	}
	a.Truncated = a.Truncated || b.g.over
	a.Complete = len(a.Unknown) == 0 && !a.Truncated && !b.open(a.Root)
	a.IPv4, a.IPv4Count = b.nets.v4()
	a.IPv6 = b.nets.v6()
	a.IPv4Share = float64(a.IPv4Count) / (1 << 32)
	return b.a
}

// open reports whether a term of the tree depends on the sender.
func (b *builder) open(n *Node) bool {
	if n == nil {
		return false
	}
	for i := range n.Terms {
		if t := &n.Terms[i]; t.Unevaluated && !t.Ignored || b.open(t.Child) {
			return true
		}
	}
	return false
}

// lastResort is the record whose all decides when nothing else matches.
func lastResort(n *Node) *Node {
	for n != nil {
		if n.Record.AllIndex() >= 0 {
			return n
		}
		i := n.Record.RedirectIndex()
		if i < 0 || i >= len(n.Terms) {
			return nil
		}
		n = n.Terms[i].Child
	}
	return nil
}

// node builds the tree below the record of a name.
func (b *builder) node(name resolve.Name, via string, depth int, p *reply) *Node {
	n := &Node{Domain: name, Via: via, Depth: depth, State: resolve.StateOf(p.err), Err: p.err, Answer: p.ans, Records: p.sel.Records}
	n.Repeated = b.seen[name]
	b.seen[name] = true
	b.nodes++
	if n.State == resolve.Present && len(n.Records) == 0 {
		n.State = resolve.Absent
	}
	if p.rec == nil {
		return n
	}
	n.Text, n.Record, n.Syntax = p.rec.Text, *p.rec, p.bad
	for _, s := range p.bad {
		if len(b.a.Problems) == maxProblems {
			break
		}
		b.problem(Problem{Domain: name, Term: n.Record.at(s.Offset), Text: s.Term, Err: s})
	}
	b.path = append(b.path, name)
	n.Terms = make([]TermInfo, min(len(n.Record.Terms), max(maxTerms-b.terms, 0)))
	b.terms += len(n.Terms)
	if len(n.Terms) < len(n.Record.Terms) {
		b.a.Truncated = true
	}
	last, all := -1, n.Record.AllIndex()
	for i := range n.Terms {
		if n.Record.Terms[i].Kind == Redirect && last < 0 {
			last = i
			continue
		}
		b.term(n, i, all)
	}
	if last >= 0 { // RFC 7208, Section 6.1: when nothing else matched
		b.term(n, last, all)
	}
	b.path = b.path[:len(b.path)-1]
	return n
}

// at is the index of the term at an offset.
func (r *Record) at(offset int) int {
	for i, t := range r.Terms {
		if t.Offset <= offset && offset < t.End {
			return i
		}
	}
	return -1
}

func (b *builder) problem(p Problem) {
	for _, q := range b.a.Problems { // a repeated include has its problems once
		if q.Domain == p.Domain && q.Term == p.Term && q.Text == p.Text && q.Err.Error() == p.Err.Error() {
			return
		}
	}
	if len(b.a.Problems) < maxProblems {
		p.Every = !b.hit
		b.a.Problems = append(b.a.Problems, p)
	}
}

func (b *builder) unknown(p Problem) {
	b.hit = true // it may match: who knows
	for _, q := range b.a.Unknown {
		if q.Domain == p.Domain && q.Term == p.Term && q.Target == p.Target {
			return
		}
	}
	if len(b.a.Unknown) < maxProblems {
		b.a.Unknown = append(b.a.Unknown, p)
	}
}

// term fills in one term of a node and adds it to the sums.
func (b *builder) term(n *Node, i, all int) {
	t := n.Record.Terms[i]
	info := &n.Terms[i]
	info.Index, info.Running = i, b.a.Lookups
	if n.Depth == 0 && len(b.path) == 1 {
		b.root = i
	}
	if t.ignored(i, all) {
		info.Ignored = true
		info.Target, _ = t.target(n.Domain)
		return
	}
	var open bool
	info.Target, open = t.target(n.Domain)
	if t.Looks() {
		info.Cost = 1
		b.count(n, i)
		// RFC 7208, Section 4.6.4: the macro p counts as a ptr term does; the
		// client's names are looked up once.
		if ptr, _ := t.macros(); ptr && !b.ptr {
			info.Cost = 2
			b.count(n, i)
		}
		b.ptr = b.ptr || t.Kind == PTR || info.Cost == 2
	}
	voids := b.a.Voids
	switch {
	case open || t.Kind == PTR:
		info.Unevaluated = true
		b.hit = true
	case t.Kind == IP4 || t.Kind == IP6:
		info.State = resolve.Present
		info.Networks = []netip.Prefix{t.Prefix.Masked()}
	case t.Kind == All:
		info.State = resolve.Present
		info.Networks = everything
	case !t.Looks():
		info.State = resolve.Present
	case info.Target.IsZero():
		info.State, info.Err = resolve.Absent, ErrTarget
		if t.Kind == Include || t.Kind == Redirect {
			b.problem(Problem{Domain: n.Domain, Term: i, Text: t.Text, Err: ErrTarget})
		}
	case t.Kind == Include || t.Kind == Redirect:
		b.enter(n, i)
	default:
		b.evidence(n, i)
	}
	b.match(n, t, info)
	info.Lookups += info.Cost
	info.Running = b.a.Lookups
	n.Lookups += info.Lookups
	n.Voids += b.a.Voids - voids
}

// count adds one lookup and notes where the limit is passed.
func (b *builder) count(n *Node, i int) {
	b.a.Lookups++
	if b.a.Lookups != b.g.opt.MaxLookups+1 {
		return
	}
	t := n.Record.Terms[i]
	b.a.Break = &Break{TermRef: TermRef{Domain: n.Domain, Term: i, Text: t.Text, Root: b.root}, Every: !b.hit}
	b.problem(Problem{Domain: n.Domain, Term: i, Text: t.Text, Err: ErrTooManyLookups})
}

// void adds lookups without an answer.
func (b *builder) void(n *Node, i, count int) {
	n.Terms[i].Voids += count
	before := b.a.Voids
	b.a.Voids += count
	if limit := b.g.opt.MaxVoids; limit >= 0 && before <= limit && b.a.Voids > limit {
		t := n.Record.Terms[i]
		b.problem(Problem{Domain: n.Domain, Term: i, Text: t.Text, Target: n.Terms[i].Target, Err: ErrTooManyVoids})
	}
}

// match adds what a term authorizes.
func (b *builder) match(n *Node, t Term, info *TermInfo) {
	if len(info.Networks) == 0 {
		return
	}
	if t.Kind != All {
		b.hit = true
	}
	if t.Qualifier != '+' || !b.pass {
		return
	}
	if !b.nets.add(info.Networks) {
		b.a.Truncated = true
	}
	for _, p := range info.Networks {
		b.nets.widest(p, func() {
			b.a.Widest = &TermRef{Domain: n.Domain, Term: info.Index, Text: t.Text, Root: b.root}
		})
	}
}
