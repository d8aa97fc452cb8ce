package set

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// lookup evaluates a mechanism that needs DNS.
func (e *evaluation) lookup(n *spf.Node, i int, in []class) (match, rest []class, ended []outcome) {
	t, info := n.Record.Terms[i], &n.Terms[i]
	in, ended = e.count(t, in)
	if len(in) == 0 {
		return nil, nil, ended
	}
	var more []outcome
	switch {
	case info.Unevaluated:
		match, rest, more = e.fork(in, identity(t, n.Domain), t.Kind == spf.Exists)
	case t.Kind == spf.Include:
		match, rest, more = e.include(info, in)
	case info.Target.IsZero():
		rest = in // RFC 7208, Section 4.8: no name, so no match
	case t.Kind == spf.A:
		match, rest, more = e.addresses(info.Target, t, in)
	case t.Kind == spf.MX:
		match, rest, more = e.exchangers(info.Target, t, in)
	case t.Kind == spf.Exists:
		match, rest, more = e.exists(info.Target, in)
	default:
		rest = in
	}
	return match, rest, append(ended, more...)
}

// count counts a term for each class. RFC 7208, Section 4.6.4: at most 10, and
// the macro p counts as a ptr term does.
func (e *evaluation) count(t spf.Term, in []class) (rest []class, ended []outcome) {
	usesP := uses(t.Domain, "p")
	for _, c := range in {
		c.lookups++
		if usesP && !c.ptr && c.lookups <= e.opt.MaxLookups {
			c.lookups++
		}
		c.ptr = c.ptr || usesP || t.Kind == spf.PTR
		if c.lookups > e.opt.MaxLookups {
			ended = append(ended, c.ends(spf.PermError))
		} else {
			rest = append(rest, c)
		}
	}
	return rest, ended
}

// void counts a lookup without an answer.
func (e *evaluation) void(in []class) (rest []class, ended []outcome) {
	for _, c := range in {
		c.voids++
		if e.opt.MaxVoids >= 0 && c.voids > e.opt.MaxVoids {
			ended = append(ended, c.ends(spf.PermError))
		} else {
			rest = append(rest, c)
		}
	}
	return rest, ended
}

// fork goes on both ways of a term that depends on the sender. A term that stood
// on the path before comes out as it did there.
func (e *evaluation) fork(in []class, term string, exists bool) (match, rest []class, ended []outcome) {
	var no []class
	for _, c := range in {
		at := slices.IndexFunc(c.path, func(k Condition) bool { return k.Term == term })
		if at >= 0 {
			if c.path[at].Match {
				match = append(match, c)
			} else {
				no = append(no, c)
			}
			continue
		}
		yes := c
		yes.path = append(slices.Clone(c.path), Condition{term, true})
		c.path = append(slices.Clone(c.path), Condition{term, false})
		match, no = append(match, yes), append(no, c)
	}
	if exists {
		rest, ended = e.void(no)
		return match, rest, ended
	}
	return match, no, nil
}

// include enters the target's record. RFC 7208, Section 5.2: only a pass of the
// target is a match.
func (e *evaluation) include(info *spf.TermInfo, in []class) (match, rest []class, ended []outcome) {
	for _, o := range e.enter(info, in) {
		switch {
		case o.by != "":
			yes, no, _ := e.fork([]class{o.class}, o.by+" passes", false)
			match, rest = append(match, yes...), append(rest, no...)
		case o.status == spf.Pass:
			match = append(match, o.class)
		case o.status == spf.TempError || o.status == spf.PermError:
			ended = append(ended, o)
		default:
			rest = append(rest, o.class)
		}
	}
	return match, rest, ended
}

// redirect hands the decision over (RFC 7208, Section 6.1).
func (e *evaluation) redirect(n *spf.Node, i int, in []class) []outcome {
	t, info := n.Record.Terms[i], &n.Terms[i]
	in, out := e.count(t, in)
	if info.Unevaluated {
		for _, c := range in {
			out = append(out, outcome{class: c, by: identity(t, n.Domain)})
		}
		return out
	}
	return append(out, e.enter(info, in)...)
}

// enter evaluates the record that include or redirect leads to. No record there
// is permerror (RFC 7208, Sections 5.2 and 6.1). So is a loop: all that comes to
// its end comes there again, until the lookups are used up.
func (e *evaluation) enter(info *spf.TermInfo, in []class) []outcome {
	switch {
	case len(in) == 0:
		return nil
	case info.Target.NumLabels() < 2:
		return all(in, spf.PermError) // RFC 7208, Section 4.3: a single label is no target
	case info.Skipped || info.Child == nil && info.Err == nil:
		return e.cut(in)
	case info.Err != nil && info.State == resolve.Unavailable:
		return e.fails(in, info.Err)
	case info.Err != nil:
		return all(in, spf.PermError)
	}
	return e.record(info.Child, in)
}

// look asks for the records of a term. None is a void lookup, and a failure is
// temperror for all (RFC 7208, Sections 4.6.4 and 5).
func (e *evaluation) look(name resolve.Name, t resolve.Type, in []class) (records resolve.Answer, rest []class, ended []outcome) {
	a, err := e.m.Resolve(e.ctx, resolve.Question{Name: name, Type: t})
	switch {
	case err == nil && len(a.Records) > 0:
		return a, in, nil
	case resolve.StateOf(err) == resolve.Unavailable:
		return a, nil, e.fails(in, err)
	}
	rest, ended = e.void(in)
	return resolve.Answer{}, rest, ended
}

// addresses evaluates a, and the names of mx (RFC 7208, Section 5.3).
func (e *evaluation) addresses(name resolve.Name, t spf.Term, in []class) (match, rest []class, ended []outcome) {
	a, rest, ended := e.look(name, e.qtype, in)
	var nets []netip.Prefix
	for _, d := range a.Addrs() {
		bits := t.Bits4
		if d.Is6() {
			bits = t.Bits6
		}
		nets = append(nets, netip.PrefixFrom(d.Addr, bits))
	}
	match, rest = divide(rest, Of(nets...))
	return match, rest, ended
}

// exchangers evaluates mx (RFC 7208, Section 5.4).
func (e *evaluation) exchangers(name resolve.Name, t spf.Term, in []class) (match, rest []class, ended []outcome) {
	a, rest, ended := e.look(name, resolve.TypeMX, in)
	mxs := a.MX()
	slices.SortStableFunc(mxs, func(a, b resolve.MX) int { return int(a.Preference) - int(b.Preference) })
	k := 0
	for _, m := range mxs {
		if m.Host.IsRoot() || m.Host.IsZero() {
			continue // RFC 7505: a null MX
		}
		if len(rest) == 0 {
			break
		}
		// RFC 7208, Section 4.6.4: at most 10 MX names of one mx are looked up.
		if k++; k > e.opt.MaxNames {
			return match, nil, append(ended, all(rest, spf.PermError)...)
		}
		yes, no, more := e.addresses(m.Host, t, rest)
		match, rest, ended = append(match, yes...), no, append(ended, more...)
	}
	return match, rest, ended
}

// exists evaluates exists of a fixed name. RFC 7208, Section 5.7: an A record,
// whatever the client's address family.
func (e *evaluation) exists(name resolve.Name, in []class) (match, rest []class, ended []outcome) {
	a, rest, ended := e.look(name, resolve.TypeA, in)
	if len(a.Records) > 0 {
		return rest, nil, ended
	}
	return nil, rest, ended
}

// identity names a term so that two that always come out the same have one name.
func identity(t spf.Term, owner resolve.Name) string {
	id := string(t.Kind)
	if t.Kind == spf.Redirect {
		id += "="
	} else if t.Domain != "" {
		id += ":"
	}
	id += t.Domain
	if t.Bits4 != 32 && t.Bits4 != 0 || t.Bits6 != 128 && t.Bits6 != 0 {
		if i := strings.LastIndexByte(t.Text, '/'); i >= 0 && (t.Kind == spf.A || t.Kind == spf.MX) {
			id = strings.TrimLeft(t.Text, "+-~?")
		}
	}
	if t.Domain == "" || uses(t.Domain, "dp") {
		id += " of " + owner.String()
	}
	return id
}

// uses reports whether a domain-spec has one of the macros.
func uses(spec, letters string) bool {
	for i := 0; i+2 < len(spec); i++ {
		if spec[i] != '%' {
			continue
		}
		if spec[i+1] == '{' && strings.IndexByte(letters, spec[i+2]|0x20) >= 0 {
			return true
		}
		i++
	}
	return false
}
