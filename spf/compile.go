package spf

import "github.com/mailcheck-go/mailcheck/resolve"

// compiled is a record ready to be evaluated.
type compiled struct {
	text               string
	ops                []op
	names              []nameOf // one an op, in cached records; nil otherwise
	all, redirect, exp int      // indexes into ops, -1 if absent
}

// compile scans a whole record, its terms appended to ops, which it returns.
//
// RFC 7208, Section 4.6: an error anywhere spoils the record, so all of it is
// read before any of it is evaluated.
func compile(text string, ops []op) (c compiled, all []op, f fault) {
	c = compiled{text: text, all: -1, redirect: -1, exp: -1}
	base := len(ops)
	for i := len(version); i < len(text); {
		if text[i] == ' ' {
			i++
			continue
		}
		at := len(ops) - base
		ops = append(ops, op{})
		o := &ops[len(ops)-1]
		if f := o.scan(text, i); f != ok {
			return c, ops[:base], f
		}
		switch o.kind {
		case opAll:
			if c.all < 0 {
				c.all = at
			}
		case opRedirect:
			if c.redirect >= 0 {
				return c, ops[:base], badTwice // RFC 7208, Section 6
			}
			c.redirect = at
		case opExp:
			if c.exp >= 0 {
				return c, ops[:base], badTwice
			}
			c.exp = at
		}
		i = int(o.end)
	}
	c.ops = ops[base:]
	return c, ops, ok
}

// target is the name that a term leads to, in the domain given when the term
// names none. e is expanded unless the macros prevent it.
func (p *compiled) target(i int, v *vars, d domainName, ptr string) (t domainName, e expansion, err error) {
	o := &p.ops[i]
	if o.from == 0 {
		return d, expanded, nil
	}
	if !o.macro {
		if p.names != nil {
			return p.names[i].domainName, expanded, p.names[i].err
		}
		t, err = targetName(p.text[o.from:o.to])
		return t, expanded, err
	}
	var array [256]byte
	text, e := v.expand(array[:0], p.text[o.from:o.to], d.text, ptr, nil)
	if e != expanded {
		return domainName{}, e, &resolve.NameError{In: p.text[o.start:o.end], At: -1, Reason: "its macros have no value"}
	}
	t, err = targetName(string(text))
	return t, expanded, err
}
