package aggregate

import (
	"bytes"
	"slices"
	"strconv"
)

func contains[T comparable](list []T, v T) bool { return slices.Contains(list, v) }

func quoteText(s string) string { return strconv.Quote(quote([]byte(s))) }

// begin opens element e where it stands, closing what cannot hold it.
func (p *parser) begin(e elem, t tagParts) error {
	top := len(p.stack) - 1
	st := p.stack[top].state
	a := actions[st][e]
	if a == (action{}) && st != sSkip && e != eUnknown {
		for i := top - 1; i >= 1; i-- {
			if a = actions[p.stack[i].state][e]; a != (action{}) {
				p.closeTo(i)
				break
			}
		}
	}
	switch {
	case a.field != 0:
		return p.beginValue(e, a, t)
	case a.state != 0:
		return p.beginContainer(e, a, t)
	}
	return p.beginUnknown(e, t)
}

// closeTo ends the elements above frame i, whose end tags are missing.
func (p *parser) closeTo(i int) {
	for len(p.stack)-1 > i {
		top := p.stack[len(p.stack)-1]
		if top.state != sSkip {
			p.note(Unclosed, p.place(), nil)
		} else {
			p.note(Unclosed, p.place(), []byte(top.name))
		}
		p.pop()
	}
}

func (p *parser) beginValue(e elem, a action, t tagParts) error {
	if a.loose {
		p.note(Misplaced, a.field.path(), nil)
	}
	if len(t.attrs) > 0 {
		if lang, ok := attribute(t.attrs, "lang"); ok && len(lang) < 36 {
			p.lang = lang // RFC 5646, Section 4.4.1: 35 characters are enough
		}
	}
	defer func() { p.lang = "" }()
	if t.empty {
		p.set(a.field, nil)
		return nil
	}
	return p.leaf(e, a.field)
}

func (p *parser) beginContainer(e elem, a action, t tagParts) error {
	if a.loose {
		p.note(Misplaced, statePaths[a.state], nil)
	}
	switch a.state {
	case sFeedback:
		if p.rooted {
			p.note(SecondReport, "", nil)
			a.state = sSkip
			break
		}
		p.rooted = true
		p.root(t.attrs)
	case sPolicy:
		p.beginPolicy()
	case sRecord:
		if err := p.beginRecord(); err != nil {
			return err
		}
	case sDKIM:
		if len(p.rec.DKIM) == maxResults {
			p.note(TooMany, statePaths[sDKIM], nil)
			a.state = sSkip
			break
		}
		p.rec.DKIM = append(p.rec.DKIM, DKIM{})
	case sSPF:
		if len(p.rec.SPF) == maxResults {
			p.note(TooMany, statePaths[sSPF], nil)
			a.state = sSkip
			break
		}
		p.rec.SPF = append(p.rec.SPF, SPF{})
	case sReason:
		if len(p.rec.Evaluated.Reasons) == maxResults {
			p.note(TooMany, statePaths[sReason], nil)
			a.state = sSkip
			break
		}
		p.rec.Evaluated.Reasons = append(p.rec.Evaluated.Reasons, Reason{})
	case sSkip:
		p.only9990 = p.only9990 || len(p.stack) == 2
	}
	if a.state == sRecord || a.state == sPolicy || a.state == sReason || a.state == sDKIM || a.state == sSPF {
		p.seen &^= scopes[a.state]
	}
	return p.push(frame{state: a.state, elem: e}, t.empty)
}

func (p *parser) beginUnknown(e elem, t tagParts) error {
	name := elemNames[e]
	if name == "" || len(t.name) > 0 {
		name = quote(t.name)
	}
	st := p.stack[len(p.stack)-1].state
	if st != sSkip {
		p.note(UnknownElement, p.place(), []byte(name))
		if st != sOutside || p.rooted {
			st = sSkip
		}
	}
	return p.push(frame{state: st, elem: e, name: name}, t.empty)
}

func (p *parser) push(f frame, empty bool) error {
	if len(p.stack) > p.limits.Depth {
		return p.fail(ErrLimit, "more than %d open elements", p.limits.Depth)
	}
	p.stack = append(p.stack, f)
	if empty {
		p.pop()
	}
	return nil
}

// root reads the attributes of feedback.
func (p *parser) root(attrs []byte) {
	name := "xmlns"
	if p.prefix != "" {
		name += ":" + p.prefix[:len(p.prefix)-1]
	}
	if ns, ok := attribute(attrs, name); ok {
		p.report.Namespace = quote([]byte(ns))
	}
}

// endTag closes the innermost element of that name.
func (p *parser) endTag(name []byte) {
	prefix, local := split(name)
	e := lookup(local)
	if len(prefix) > 0 && string(prefix) != p.prefix {
		e = eUnknown
	}
	top := len(p.stack) - 1
	if f := &p.stack[top]; top > 0 && e == f.elem && e != eUnknown && f.name == "" {
		p.pop()
		return
	}
	if i := p.match(e, name); i > 0 {
		p.closeTo(i)
		p.pop()
		return
	}
	if e == eUnknown {
		lower := bytes.ToLower(local)
		if e = lookup(lower); e == eUnknown {
			e = spellings[string(lower)]
		}
		if i := p.match(e, nil); e != eUnknown && i > 0 {
			p.closeTo(i)
			p.pop()
			return
		}
	}
	if p.rooted && !p.closed && (e == eRecord || e == eRow || e == eAuth || e == eIdentifiers || e == eEvaluated) {
		// The end of a record whose start is not there: a part of the document is gone.
		p.note(ContentLost, elemNames[e], name)
		return
	}
	if p.rooted {
		p.note(StrayEnd, p.place(), name)
	}
}

// match finds the innermost open element with the name.
func (p *parser) match(e elem, name []byte) int {
	for i := len(p.stack) - 1; i > 0; i-- {
		f := &p.stack[i]
		if f.name == "" && f.elem == e && e != eUnknown || f.name != "" && f.name == quote(name) {
			return i
		}
	}
	return 0
}

// pop ends the innermost element.
func (p *parser) pop() {
	top := len(p.stack) - 1
	f := p.stack[top]
	p.stack = p.stack[:top]
	switch f.state {
	case sFeedback:
		p.closed = true
	case sMetadata:
		p.missing(sMetadata)
	case sPolicy:
		p.missing(sPolicy)
	case sReason:
		last := len(p.rec.Evaluated.Reasons) - 1
		if p.rec.Evaluated.Reasons[last] == (Reason{}) {
			// <reason/> says nothing.
			p.note(EmptyValue, statePaths[sReason], nil)
			p.rec.Evaluated.Reasons = p.rec.Evaluated.Reasons[:last]
		} else {
			p.missing(sReason)
		}
	case sDKIM:
		p.missing(sDKIM)
	case sSPF:
		p.missing(sSPF)
	case sRecord:
		p.missing(sRecord)
		p.endRecord()
	}
}

var required = func() (out uint64) {
	for f := range numFields {
		if f.def().required {
			out |= f.bit()
		}
	}
	return out
}()

// missing notes the required elements that did not come.
func (p *parser) missing(s state) {
	gone := scopes[s] & required &^ p.seen
	if gone == 0 {
		return
	}
	for f := range numFields {
		if gone&f.bit() != 0 {
			p.absent(MissingElement, f)
		}
	}
}

func (p *parser) beginPolicy() {
	rep := p.report
	if p.policy != &rep.Policy || rep.Policy != (Published{}) {
		p.note(SecondPolicy, "policy_published", nil)
		if len(rep.MorePolicies) < maxErrors {
			rep.MorePolicies = append(rep.MorePolicies, Published{})
			p.policy = &rep.MorePolicies[len(rep.MorePolicies)-1]
		} else {
			p.note(TooMany, "policy_published", nil)
			p.policy = new(Published)
		}
	}
}

func (p *parser) beginRecord() error {
	if p.callHead(); p.err != nil {
		return p.err
	}
	if p.report.Records == p.limits.Records {
		return p.fail(ErrLimit, "more than %d records", p.limits.Records)
	}
	p.rec.reset()
	p.rec.Number = p.report.Records + 1
	p.inRecord = true
	return nil
}

func (p *parser) endRecord() {
	if len(p.rec.DKIM) == 0 && len(p.rec.SPF) == 0 {
		p.note(MissingElement, "record/auth_results", nil)
	}
	rep := p.report
	rep.Records++
	if rep.Messages += p.rec.Count; rep.Messages < 0 {
		rep.Messages = maxCount
	}
	p.inRecord = false
	if p.err == nil && p.each != nil {
		p.err = p.each(&p.rec)
	}
}

// callHead completes the head of the report and hands it out, once.
func (p *parser) callHead() {
	if p.headDone {
		return
	}
	p.headDone = true
	p.setFormat()
	if p.report.Metadata.OrgName == "" && p.report.Metadata.Email != "" {
		p.note(OrgFromEmail, fOrgName.path(), nil)
	}
	if p.head != nil {
		p.err = p.head(p.report)
	}
}

func (p *parser) setFormat() {
	rep := p.report
	switch ns := rep.Namespace; {
	case ns == Namespace9990 || p.only9990:
		rep.Format = RFC9990
	case rep.Version == "0.1":
		rep.Format = Draft
	default:
		rep.Format = RFC7489
	}
}
