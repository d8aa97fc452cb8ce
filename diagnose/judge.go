package diagnose

import (
	"slices"

	"github.com/mailcheck-go/mailcheck/diagnose/cause"
	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// judge finds the cause of a reply. operator is an ID that the caller gives, or
// empty.
func judge(r reply, operator string) Result {
	c := load()
	res := Result{Code: r.code, Enhanced: r.enhanced, Text: r.text}
	padded := " " + r.folded + " "
	var sk sketch
	sk.add(padded)
	op := c.operatorOf(&r, operator, &res)
	if i, ok := c.byHint(padded, &sk); ok && res.Operator == "" {
		op, res.Operator, res.OperatorFrom = i, c.operators[i].ID, "wording"
	}
	res.Said = saidBy(&r)
	if r.class() == '2' && !r.failed {
		return c.delivered(res, &r)
	}
	e, from := c.find(&r, padded, &sk, op)
	if e == nil {
		return c.byCode(res, &r)
	}
	if from != "" && res.Operator == "" && c.named(e.op) {
		res.Operator, res.OperatorFrom = e.Operator, "wording"
	}
	res.Cause, res.Entry, res.Meaning, res.Confidence = e.Cause, e.ID, e.Meaning, e.Confidence
	info := e.Cause.Info()
	res.Whose = info.Whose
	if e.Whose != "" {
		res.Whose = e.Whose
	}
	res.Advice, res.Refs = info.Remedy, info.Refs
	if e.Advice != "" {
		res.Advice = e.Advice
	}
	if len(e.Refs) > 0 {
		res.Refs = append(slices.Clone(e.Refs), info.Refs...)
	}
	wording := e.Temporary != nil && *e.Temporary
	res.Temporary, res.RetryUnknown = r.temporary(wording), e.Temporary == nil && r.silent()
	res.finish(e.Checks)
	c.doubts(&res, &r, e, op)
	return res
}

// named tells whether an operator is somebody: a receiver or a gateway.
func (c *catalogue) named(op int) bool {
	k := c.operators[op].Kind
	return k == "receiver" || k == "gateway"
}

// operatorOf tells whose reply it is: what the caller says, or the host that spoke.
func (c *catalogue) operatorOf(r *reply, given string, res *Result) int {
	set := func(i int, from string) int {
		res.Operator, res.OperatorFrom = c.operators[i].ID, from
		return i
	}
	if given != "" {
		if i, ok := c.opIndex[given]; ok {
			return set(i, "given")
		}
	}
	if r.server != "" {
		if i, ok := c.byHost(r.server); ok {
			return set(i, "server")
		}
		if n, err := resolve.ParseName(r.server); err == nil {
			if p, ok := providers.ByMX(n); ok {
				res.Operator, res.OperatorFrom = p.ID, "server"
				return -1
			}
		}
	}
	return -1
}

// find picks the row that fits best: a wording of the known operator, then of
// any software or list, then of another operator, then the operator's codes.
func (c *catalogue) find(r *reply, text string, sk *sketch, op int) (best *Entry, from string) {
	score := 0
	for i := range c.entries {
		e := &c.entries[i]
		if len(e.alts) == 0 {
			continue
		}
		o := &c.operators[e.op]
		same := op == e.op || op >= 0 && o.Family != "" && c.operators[op].Family == o.Family
		if e.Only && !same || e.Strict && !e.codesMatch(r) {
			continue
		}
		s := 2
		switch {
		case op == e.op && o.Kind != "generic":
			s = 5
		case same && o.Kind != "generic":
			s = 4
		case !o.anywhere() && op < 0:
			s = 3
		case !o.anywhere():
			s = 1
		case o.Kind == "list" || o.Kind == "gateway":
			s = 3
		}
		if s <= score {
			continue
		}
		for k := range e.alts {
			if e.alts[k].match(text, sk) {
				best, score, from = e, s, "wording"
				break
			}
		}
	}
	if best != nil && score > 2 || op < 0 {
		return best, from
	}
	if best != nil && c.operators[best.op].Kind == "generic" && r.text != "" {
		return best, from
	}
	for _, i := range c.codeOnly {
		e := &c.entries[i]
		o := &c.operators[e.op]
		same := op == e.op || o.Family != "" && c.operators[op].Family == o.Family
		if same && e.codesMatch(r) {
			return e, ""
		}
	}
	return best, from
}

// delivered is the verdict on a reply of class 2, whatever words are in it.
func (c *catalogue) delivered(res Result, r *reply) Result {
	info := cause.Delivered.Info()
	res.Cause, res.Whose, res.Meaning, res.Advice, res.Refs = info.Cause, info.Whose, info.Meaning, info.Remedy, info.Refs
	res.Confidence = High
	if r.enhanced != "" && r.enhanced[0] != '2' {
		res.Confidence = Low
		res.Notes = append(res.Notes, "the basic code "+r.code+" accepts, the status "+r.enhanced+" does not: sending servers act on the basic code")
	}
	return res
}

// byCode is the verdict when no wording is known.
func (c *catalogue) byCode(res Result, r *reply) Result {
	why, meaning := statusCause(r.enhanced)
	if r.enhanced != "" && why == cause.Unknown && r.code == "" {
		why, _ = cause.Unknown, ""
	}
	res.Confidence = Low
	if why == cause.Unknown {
		if w, m := basicCause(r); w != cause.Unknown || meaning == "" {
			why, meaning = w, m
		}
	} else if specific(r.enhanced) {
		res.Confidence = Medium
	}
	info := why.Info()
	res.Cause, res.Whose, res.Meaning, res.Advice, res.Refs = why, info.Whose, info.Meaning, info.Remedy, info.Refs
	if meaning != "" {
		res.Meaning = meaning
	}
	res.Temporary, res.RetryUnknown = r.temporary(false), r.silent()
	if !sameKind(r.code, r.enhanced) {
		res.Confidence = Low
		res.Notes = append(res.Notes, mixedNote(r))
	}
	if r.class() == '2' {
		res.Notes = append(res.Notes, "the reply accepts the mail, but the notification says that it failed")
	}
	res.finish(nil)
	return res
}

// finish fills what follows from the cause and from what was said.
func (res *Result) finish(checks []cause.Check) {
	info := res.Cause.Info()
	// Copies, since a caller may sort or extend them.
	res.Rules, res.Refs = slices.Clone(info.Rules), slices.Clone(res.Refs)
	if len(checks) == 0 {
		checks = info.Checks
	}
	for _, k := range checks {
		m := Remedy{Check: k}
		switch k {
		case cause.CheckSPF:
			m.Subject, m.Against = res.Said.Domain, res.Said.IP
		case cause.CheckDKIM, cause.CheckDMARC, cause.CheckAlignment, cause.CheckNameList:
			m.Subject = res.Said.Domain
		case cause.CheckPTR, cause.CheckHELO:
			m.Subject = res.Said.IP
		case cause.CheckIPList:
			m.Subject, m.Against = res.Said.IP, res.Said.List
		case cause.CheckTLS, cause.CheckDANE:
			m.Subject = res.Said.Server
		}
		if k == cause.CheckNameList {
			m.Against = res.Said.List
		}
		res.Remedies = append(res.Remedies, m)
	}
}

func mixedNote(r *reply) string {
	return "the basic code " + r.code + " and the status " + r.enhanced + " are of different classes: sending servers act on the basic code"
}

// doubts compares the wording with the codes and lowers the confidence where they
// contradict each other.
func (c *catalogue) doubts(res *Result, r *reply, e *Entry, op int) {
	down := func(note string) {
		res.Notes = append(res.Notes, note)
		if res.Confidence = Low; e.Confidence == High && len(res.Notes) == 1 {
			res.Confidence = Medium
		}
	}
	if !sameKind(r.code, r.enhanced) {
		down(mixedNote(r))
	}
	if e.Temporary != nil && *e.Temporary != res.Temporary && (r.class() != 0 || r.failed || r.delayed) && !e.codesMatch(r) {
		if res.Temporary {
			down("the wording is that of a permanent failure, the code that of a temporary one: it will be tried again")
		} else if !r.failed || r.class() == '5' {
			down("the wording is that of a temporary failure, the code that of a permanent one: it will not be tried again")
		}
	}
	if why, _ := statusCause(r.enhanced); why != cause.Unknown && specific(r.enhanced) && why != e.Cause &&
		!e.hasEnhanced(r.enhanced) && !kin(why, e.Cause) && c.operators[e.op].anywhere() {
		down("the status " + r.enhanced + " means " + string(why) + ", the words mean " + string(e.Cause))
	}
	if r.class() == 0 && len(e.Codes) > 0 && res.Confidence == High && c.operators[e.op].Kind == "generic" {
		res.Confidence = Medium
	}
	if o := &c.operators[e.op]; !o.anywhere() && op >= 0 && op != e.op && (o.Family == "" || c.operators[op].Family != o.Family) && res.OperatorFrom != "wording" {
		down("the wording is known of " + o.Name + ", but another receiver said it")
	}
	if r.class() == '2' {
		down("the reply accepts the mail, but the notification says that it failed")
	}
}
