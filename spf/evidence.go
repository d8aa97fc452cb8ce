package spf

import (
	"fmt"
	"net/netip"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// enter follows include and redirect.
func (b *builder) enter(n *Node, i int) {
	t, info := n.Record.Terms[i], &n.Terms[i]
	where := Problem{Domain: n.Domain, Term: i, Text: t.Text, Target: info.Target}
	p := b.g.got[resolve.Question{Name: info.Target, Type: resolve.TypeTXT}]
	if p == nil {
		info.Skipped, b.a.Truncated = true, true
		return
	}
	info.State, info.Err = resolve.StateOf(p.err), p.err
	info.Answers = []resolve.Answer{p.ans}
	switch {
	case info.State == resolve.Unavailable:
		where.Err = p.err
		b.unknown(where)
		info.Child = b.leaf(n, info.Target, t.Text, p)
		return
	case info.State == resolve.Absent:
		b.void(n, i, 1)
		where.Err = fmt.Errorf("%w: %w", ErrNoRecord, p.err)
	case single(info.Target):
		where.Err = ErrTarget // RFC 7208, Section 4.3: a single label is none
	case len(p.sel.Records) == 0:
		where.Err = ErrNoRecord
	case len(p.sel.Records) > 1:
		where.Domain, where.Term, where.Err = info.Target, -1, ErrMultiple
	case b.active(info.Target):
		where.Err = ErrLoop
	}
	if where.Err != nil {
		if len(p.sel.Records) == 0 && info.State == resolve.Present {
			info.State = resolve.Absent
		}
		info.Err = where.Err
		b.problem(where)
		info.Child = b.leaf(n, info.Target, t.Text, p)
		return
	}
	if b.nodes >= maxNodes || n.Depth >= maxDepth {
		info.Skipped, b.a.Truncated = true, true
		return
	}
	pass, lookups := b.pass, b.a.Lookups
	if t.Kind == Include {
		b.pass = pass && t.Qualifier == '+'
	}
	info.Child = b.node(info.Target, t.Text, n.Depth+1, p)
	b.pass = pass
	info.Lookups = b.a.Lookups - lookups
}

// leaf is the node of a name that is not gone into.
func (b *builder) leaf(parent *Node, name resolve.Name, via string, p *reply) *Node {
	b.nodes++
	n := &Node{Domain: name, Via: via, Depth: parent.Depth + 1, State: resolve.StateOf(p.err), Err: p.err, Answer: p.ans, Records: p.sel.Records, Loop: b.active(name), Repeated: b.seen[name]}
	if n.State == resolve.Present && len(n.Records) == 0 {
		n.State = resolve.Absent
	}
	if len(n.Records) == 1 {
		n.Text, n.Record, n.Syntax = p.rec.Text, *p.rec, p.bad
	}
	b.seen[name] = true
	return n
}

func (b *builder) active(n resolve.Name) bool {
	for _, p := range b.path {
		if p == n {
			return true
		}
	}
	return false
}

// evidence fills in a, mx and exists.
func (b *builder) evidence(n *Node, i int) {
	t, info := n.Record.Terms[i], &n.Terms[i]
	switch t.Kind {
	case A:
		b.hosts(n, i, []resolve.Name{info.Target})
	case Exists:
		ans, state, err := b.look(n, i, info.Target, resolve.TypeA)
		info.State, info.Err = state, err
		switch {
		case state == resolve.Absent:
			b.void(n, i, 1)
		case len(ans.Records) > 0:
			info.Networks = everything
		}
	case MX:
		ans, state, err := b.look(n, i, info.Target, resolve.TypeMX)
		info.State, info.Err = state, err
		switch state {
		case resolve.Absent:
			b.void(n, i, 1)
		case resolve.Present:
			info.Hosts = exchangers(ans.Records)
			if limit := b.g.opt.MaxNames; len(info.Hosts) > limit {
				b.problem(Problem{Domain: n.Domain, Term: i, Text: t.Text, Target: info.Target, Err: ErrTooManyMX})
				b.hosts(n, i, info.Hosts[:limit])
				return
			}
			b.hosts(n, i, info.Hosts)
		}
	}
}

// look fetches one answer from what was gathered and keeps it as evidence.
func (b *builder) look(n *Node, i int, name resolve.Name, kind resolve.Type) (resolve.Answer, resolve.State, error) {
	info := &n.Terms[i]
	p := b.g.got[resolve.Question{Name: name, Type: kind}]
	if p == nil {
		info.Skipped, b.a.Truncated = true, true
		return resolve.Answer{}, resolve.Unavailable, nil
	}
	info.Answers = append(info.Answers, p.ans)
	if resolve.StateOf(p.err) == resolve.Unavailable {
		b.unknown(Problem{Domain: n.Domain, Term: i, Text: n.Record.Terms[i].Text, Target: name, Err: p.err})
	}
	return p.ans, resolve.StateOf(p.err), p.err
}

// hosts adds the addresses of names. A name with addresses of one family only is
// no void lookup: which family is asked for depends on the client.
func (b *builder) hosts(n *Node, i int, names []resolve.Name) {
	t, info := n.Record.Terms[i], &n.Terms[i]
	for _, name := range names {
		a4, s4, e4 := b.look(n, i, name, resolve.TypeA)
		a6, s6, e6 := b.look(n, i, name, resolve.TypeAAAA)
		for _, d := range a4.Addrs() {
			info.network(d.Addr, t.Bits4)
		}
		for _, d := range a6.Addrs() {
			info.network(d.Addr, t.Bits6)
		}
		if s4 == resolve.Absent && s6 == resolve.Absent {
			b.void(n, i, 1)
		}
		if t.Kind == A {
			info.State, info.Err = either(s4, s6, e4, e6)
		}
	}
}

// either is the state of a name of which one address is enough.
func either(s4, s6 resolve.State, e4, e6 error) (resolve.State, error) {
	switch {
	case s4 == resolve.Present || s6 == resolve.Present:
		return resolve.Present, nil
	case s4 == resolve.Unavailable:
		return s4, e4
	}
	return s6, e6
}

func (t *TermInfo) network(a netip.Addr, bits int) {
	if p, err := a.Prefix(bits); err == nil {
		t.Networks = append(t.Networks, p)
	}
}

var everything = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// sizes measures the TXT records of an answer.
func sizes(ans resolve.Answer) (longest, total int) {
	const header, question, fixed, opt = 12, 4, 12, 11 // RFC 1035, Section 4; owner as a pointer; RFC 6891
	total = header + len(ans.Question.Name.String()) + 2 + question + opt
	for _, c := range ans.Chain {
		total += fixed + len(c.Target.String()) + 2
	}
	for _, t := range ans.TXT() {
		longest = max(longest, len(t.Joined()))
		total += fixed + t.WireLen()
	}
	return longest, total
}
