package dnssec

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// typeANY is the type of a question for all records.
const typeANY resolve.Type = 255

// Validate asks for q and validates the answer: each alias of a chain, the
// records at its end or the proof that there are none.
func (v *Validator) Validate(ctx context.Context, q resolve.Question) Result {
	ctx, cancel := context.WithTimeout(ctx, v.opt.Timeout)
	defer cancel()
	start := time.Now()
	r := v.newRun()
	res := r.validate(ctx, q)
	res.Question, res.Answer.Question = q, q
	res.Answer.AuthenticData = res.Status == Secure
	res.Answer.At, res.Answer.Elapsed = r.now, time.Since(start)
	return res
}

// validation is the state of Validate as it follows the aliases.
type validation struct {
	*run
	q       resolve.Question
	res     Result
	verdict verdict // of all so far
}

func (r *run) validate(ctx context.Context, q resolve.Question) Result {
	a := &validation{run: r, q: q, verdict: secure}
	a.res.Answer.Question = q
	switch {
	case q.Name.IsZero():
		err := &resolve.Error{Reason: resolve.ErrMalformed, Question: q, Detail: "no name to ask for"}
		a.take(part{verdict: unfetched(q.Name, err)})
		a.res.Err = err
	case q.Type == typeANY || q.Type == resolve.TypeRRSIG:
		// RFC 4035, Section 2.2: an RRSIG set has no signature.
		detail := fmt.Sprintf("answers of type %s are not signed as a whole", q.Type)
		a.take(part{verdict: unknown(ReasonNotSigned, q.Name, detail, nil)})
		a.res.Err = &resolve.Error{Reason: resolve.ErrServFail, Question: q, Detail: detail}
	default:
		at := q.Name
		for !at.IsZero() {
			at = a.step(ctx, at)
		}
	}
	res := a.res
	res.Status, res.Reason, res.Detail, res.At = a.verdict.status, a.verdict.reason, a.verdict.detail, a.verdict.at
	if res.At.IsZero() {
		res.At = res.Answer.Owner()
	}
	if v := a.verdict; (v.status == Bogus || v.status == Indeterminate) && resolve.StateOf(res.Err) != resolve.Unavailable {
		res.Err = &resolve.Error{Reason: resolve.ErrServFail, Question: q, Server: res.Answer.Server, RCode: res.Answer.RCode,
			Detail: fmt.Sprintf("DNSSEC: %s (%s) at %s: %s", v.status, v.reason, res.At, v.detail)}
	}
	return res
}

// take adds the verdict on a part. The chain shown is that of the worst part.
func (a *validation) take(p part) {
	if p.verdict.status.rank() > a.verdict.status.rank() || a.verdict.ok() {
		a.res.Chain = p.chain
	}
	a.verdict = worse(a.verdict, p.verdict)
	a.res.Expires = earlier(a.res.Expires, p.expires)
}

// step asks for the type at one name and follows the aliases in the response. It
// returns the name to ask for next, or none.
func (a *validation) step(ctx context.Context, at resolve.Name) resolve.Name {
	q := resolve.Question{Name: at, Type: a.q.Type}
	rep, err := a.fetch(ctx, q)
	a.envelope(rep)
	if err != nil {
		a.take(part{verdict: unfetched(at, err)})
		a.res.Err = a.lookupError(err)
		return resolve.Name{}
	}
	for {
		if s := rep.answer.get(at, uint16(a.q.Type)); s != nil {
			a.final(ctx, rep, s)
			return resolve.Name{}
		}
		alias := rep.answer.get(at, dns.TypeCNAME)
		if alias == nil {
			break
		}
		to, err := alias.target()
		if err != nil {
			e := &resolve.Error{Reason: resolve.ErrMalformed, Question: a.q, Detail: shorten(err.Error())}
			a.take(part{verdict: unfetched(at, e)})
			a.res.Err = e
			return resolve.Name{}
		}
		a.take(a.alias(ctx, rep, alias, at))
		a.res.Answer.Chain = append(a.res.Answer.Chain, resolve.Alias{Name: at, Target: to, TTL: uint32(alias.ttl(nil) / time.Second)})
		if endless(a.res.Answer.Chain) {
			a.res.Err = &resolve.Error{Reason: resolve.ErrAliasLoop, Question: a.q}
			return resolve.Name{}
		}
		at = to
	}
	if at != q.Name {
		return at // a denial for the end of a chain is clearer when asked for
	}
	a.deny(ctx, rep, q)
	return resolve.Name{}
}

// endless reports a chain that is too long or comes back to one of its names.
func endless(chain []resolve.Alias) bool {
	last := chain[len(chain)-1].Target
	for _, c := range chain {
		if c.Name == last {
			return true
		}
	}
	return len(chain) > resolve.MaxChain
}

// envelope keeps how the last response came.
func (a *validation) envelope(rep *reply) {
	if rep == nil {
		return
	}
	m, old := rep.meta, a.res.Answer
	m.Question, m.Records, m.Signatures, m.SOA, m.Chain = a.q, nil, nil, nil, old.Chain
	m.Truncated = m.Truncated || old.Truncated
	a.res.Answer = m
}

// lookupError makes the error of a lookup on the way one of the question.
func (a *validation) lookupError(err error) error {
	e, ok := errors.AsType[*resolve.Error](err)
	if !ok {
		return &resolve.Error{Reason: resolve.ErrNetwork, Question: a.q, Err: err}
	}
	n := *e
	if n.Question != a.q {
		n.Detail = strings.TrimSuffix("at "+n.Question.String()+": "+n.Detail, ": ")
		n.Question = a.q
	}
	if errors.Is(err, resolve.ErrAbsent) {
		// An exchange returns messages, so this is its mistake and no proof.
		n.Reason, n.Err = resolve.ErrServFail, nil
	}
	return &n
}

// final takes the records at the end of the chain.
func (a *validation) final(ctx context.Context, rep *reply, s *set) {
	if rep.rcode == dns.RcodeNameError {
		e := &resolve.Error{Reason: resolve.ErrMalformed, Question: a.q, RCode: resolve.NXDomain, Detail: "NXDOMAIN with records"}
		a.take(part{verdict: unfetched(s.name, e)})
		a.res.Err = e
		return
	}
	p := a.positive(ctx, rep, s, placeOf(s.name, s.typ))
	a.take(p)
	records, err := s.records()
	if err != nil {
		e := &resolve.Error{Reason: resolve.ErrMalformed, Question: a.q, Detail: shorten(err.Error())}
		a.take(part{verdict: unfetched(s.name, e)})
		a.res.Err = e
		return
	}
	if p.verdict.ok() {
		for i := range records {
			records[i].TTL = min(records[i].TTL, uint32(p.ttl/time.Second))
		}
	}
	a.res.Answer.Records, a.res.Answer.Signatures = records, s.signatures()
}

// deny takes the denial at the end of the chain.
func (a *validation) deny(ctx context.Context, rep *reply, q resolve.Question) {
	p := a.negative(ctx, rep, q)
	a.take(p)
	e := &resolve.Error{Reason: resolve.ErrNoData, Question: a.q, Server: rep.meta.Server, RCode: rep.meta.RCode}
	if rep.rcode == dns.RcodeNameError {
		e.Reason = resolve.ErrNXDomain
	} else if referral(rep, q) {
		e.Reason, e.Detail = resolve.ErrServFail, "a referral in place of an answer"
	}
	a.res.Err = e
	for _, s := range rep.authority.order {
		if s.typ != dns.TypeSOA || !q.Name.Within(s.name) {
			continue
		}
		if p.verdict.ok() {
			if _, v := a.verify(s, p.zone.name, p.zone.keys); !v.ok() {
				continue // the denial stands without it
			}
		}
		if records, err := s.records(); err == nil && len(records) == 1 {
			a.res.Answer.SOA = &records[0]
			break
		}
	}
}
