package spf

import (
	"slices"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// found asks for the records of a term. A name without them is a void lookup
// (RFC 7208, Section 4.6.4) and matches nothing; a failed lookup ends the
// evaluation (Section 5).
func (e *evaluator) found(c *compiled, i int, d domainName, n resolve.Name, t resolve.Type) ([]resolve.Record, Status) {
	rs, err := e.ask(n, t)
	if err == nil && len(rs) > 0 {
		return rs, ""
	}
	if err != nil && resolve.StateOf(err) == resolve.Unavailable {
		return nil, e.endTerm(TempError, c, i, d, err)
	}
	e.res.Voids++
	if e.opt.MaxVoids >= 0 && e.res.Voids > e.opt.MaxVoids {
		return nil, e.endTerm(PermError, c, i, d, ErrTooManyVoids)
	}
	return nil, ""
}

// family is the type of address that the client has.
func (e *evaluator) family() resolve.Type {
	if e.ip.v4 {
		return resolve.TypeA
	}
	return resolve.TypeAAAA
}

// addresses evaluates a, and the names of mx (RFC 7208, Section 5.3).
func (e *evaluator) addresses(c *compiled, i int, d domainName, n resolve.Name) (bool, Status) {
	rs, st := e.found(c, i, d, n, e.family())
	bits4, bits6 := c.ops[i].cidr()
	for k := range rs {
		if a, isAddr := rs[k].Data.(resolve.Addr); isAddr && e.ip.near(a.Addr, bits4, bits6) {
			return true, st
		}
	}
	return false, st
}

// exchangers evaluates mx (RFC 7208, Section 5.4): without MX records nothing
// matches, the name's own addresses do not count.
func (e *evaluator) exchangers(c *compiled, i int, d domainName, n resolve.Name) (bool, Status) {
	rs, st := e.found(c, i, d, n, resolve.TypeMX)
	if st != "" {
		return false, st
	}
	hosts := exchangers(rs)
	for k, host := range hosts {
		// RFC 7208, Section 4.6.4: at most 10 MX names of one mx are looked up.
		if k == e.opt.MaxNames {
			return false, e.endTerm(PermError, c, i, d, ErrTooManyMX)
		}
		if match, st := e.addresses(c, i, d, host); match || st != "" {
			return match, st
		}
	}
	return false, ""
}

// exchangers lists the MX names in order of preference, without a null MX (RFC
// 7505).
func exchangers(rs []resolve.Record) []resolve.Name {
	mxs := resolve.Answer{Records: rs}.MX()
	slices.SortStableFunc(mxs, func(a, b resolve.MX) int { return int(a.Preference) - int(b.Preference) })
	names := make([]resolve.Name, 0, len(mxs))
	for _, m := range mxs {
		if !m.Host.IsRoot() && !m.Host.IsZero() {
			names = append(names, m.Host)
		}
	}
	return names
}

// exists evaluates exists. RFC 7208, Section 5.7: an A record, whatever the
// client's address family.
func (e *evaluator) exists(c *compiled, i int, d domainName, n resolve.Name) (bool, Status) {
	rs, st := e.found(c, i, d, n, resolve.TypeA)
	return len(rs) > 0, st
}

// pointer evaluates ptr (RFC 7208, Section 5.5): a validated name of the client
// is the target or lies below it. A failed PTR lookup is no match.
func (e *evaluator) pointer(c *compiled, i int, d domainName, n resolve.Name) (bool, Status) {
	for _, name := range e.pointers() {
		if name.Within(n) && e.validates(name) {
			return true, ""
		}
	}
	return false, ""
}

// pointers asks once for the names of the client.
func (e *evaluator) pointers() []resolve.Name {
	if e.ptrDone {
		return e.ptr
	}
	e.ptrDone = true
	n, err := resolve.NameFromText(e.ip.reverse())
	if err != nil {
		return nil
	}
	rs, err := e.ask(n, resolve.TypePTR)
	if err != nil {
		return nil
	}
	for _, h := range (resolve.Answer{Records: rs}).Hosts() {
		// RFC 7208, Section 4.6.4: names after the tenth are ignored.
		if len(e.ptr) == e.opt.MaxNames {
			break
		}
		e.ptr = append(e.ptr, h.Name)
	}
	return e.ptr
}

// validates reports whether a name of the client leads back to it. A name that
// cannot be looked up is skipped (RFC 7208, Section 5.5).
func (e *evaluator) validates(n resolve.Name) bool {
	rs, err := e.ask(n, e.family())
	if err != nil {
		return false
	}
	for k := range rs {
		if a, isAddr := rs[k].Data.(resolve.Addr); isAddr && e.ip.near(a.Addr, 32, 128) {
			return true
		}
	}
	return false
}

// pointerName is the value of the macro p.
//
// RFC 7208, Section 7.3: the domain itself, else a name below it, else any
// validated name, else "unknown".
func (e *evaluator) pointerName(d resolve.Name) string {
	names := slices.Clone(e.pointers())
	rank := func(n resolve.Name) int {
		switch {
		case n == d:
			return 0
		case n.Within(d):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(names, func(a, b resolve.Name) int { return rank(a) - rank(b) })
	for _, n := range names {
		if e.validates(n) {
			return n.String()
		}
	}
	return "unknown"
}
