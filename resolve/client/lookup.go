package client

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// lookup asks the configured servers for q and follows aliases that a response
// leaves open.
func (c *Client) lookup(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
	budget := c.opt.Timeout
	return chase(ctx, q, func(ctx context.Context, q resolve.Question) outcome {
		return c.ask(ctx, inOrder(c.servers), query{q: q, dnssec: c.opt.DNSSEC, cd: c.opt.CheckingDisabled}, &budget)
	})
}

// hop answers a question as far as one place can.
type hop func(ctx context.Context, q resolve.Question) outcome

// chase follows an alias chain from one hop to the next.
func chase(ctx context.Context, q resolve.Question, ask hop) (resolve.Answer, error) {
	o := ask(ctx, q)
	for o.more {
		prev := o.a
		o = ask(ctx, resolve.Question{Name: prev.Owner(), Type: q.Type})
		o.a.Question, o.a.Chain = q, append(prev.Chain, o.a.Chain...)
		o.a.AuthenticData = o.a.AuthenticData && prev.AuthenticData
		o.a.Truncated = o.a.Truncated || prev.Truncated
		o.a.Elapsed += prev.Elapsed
		if endless(o.a.Chain) {
			o.a.Records, o.a.Signatures, o.a.SOA = nil, nil, nil
			return o.a, &resolve.Error{Reason: resolve.ErrAliasLoop, Question: q, Server: o.a.Server, RCode: o.a.RCode}
		}
	}
	if e, ok := errors.AsType[*resolve.Error](o.err); ok && e.Question != q {
		n := *e
		n.Question, n.Detail = q, joinDetail("at "+e.Question.Name.String(), e.Detail)
		o.err = &n
	}
	return o.a, o.err
}

// outcome is what one server said, or did not say.
type outcome struct {
	a    resolve.Answer
	err  error
	more bool // the alias chain leads to a name of which nothing was said
	raw  []byte
}

// final reports an outcome that no other server could better.
func (o outcome) final() bool {
	return o.err == nil || o.more || errors.Is(o.err, resolve.ErrReferral) || errors.Is(o.err, resolve.ErrAbsent) || errors.Is(o.err, resolve.ErrAliasLoop)
}

// weight orders failures by what they prove: a SERVFAIL comes from a server that
// works, a timeout could be anything.
func (o outcome) weight() int {
	switch reason := resolve.ReasonOf(o.err); {
	case reason == resolve.ErrCanceled:
		return 0
	case reason == resolve.ErrTimeout:
		return 1
	case reason == resolve.ErrNetwork && !o.a.Truncated:
		return 2
	case reason == resolve.ErrMalformed || reason == resolve.ErrNetwork:
		return 3
	}
	return 4
}

// ask puts a query to the servers in order until one gives a final answer. The
// time taken comes off budget; waiting for a free slot is not counted, so that a
// large audit does not time out in its own queue.
func (c *Client) ask(ctx context.Context, order []*server, qy query, budget *time.Duration) outcome {
	if err := order[0].acquire(ctx); err != nil {
		return outcome{a: resolve.Answer{Question: qy.q}, err: gaveUp(qy.q, err)}
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, *budget)
	defer cancel()
	var best outcome
	if len(order) == 1 {
		best = c.try(ctx, order[0], qy)
	} else {
		best = c.race(ctx, cancel, order, qy)
	}
	took := time.Since(start)
	*budget -= took
	best.a.Elapsed, best.a.At = took, c.opt.Now()
	return best
}

// inOrder lists servers as given, but those that have been silent last.
func inOrder(servers []*server) []*server {
	if len(servers) == 1 {
		return servers
	}
	now := time.Now()
	out, silent := make([]*server, 0, len(servers)), []*server(nil)
	for _, s := range servers {
		if s.isDown(now) {
			silent = append(silent, s)
		} else {
			out = append(out, s)
		}
	}
	return append(out, silent...)
}

// race asks the first server, and the next one whenever the last one failed or
// left two queries without a response; the earlier ones may still win. The slot
// of the first server is held already.
func (c *Client) race(ctx context.Context, cancel context.CancelFunc, order []*server, qy query) outcome {
	results := make(chan outcome, len(order))
	next, pending := 0, 0
	begin := func() {
		s, held := order[next], next == 0
		next++
		pending++
		go func() {
			if !held {
				if err := s.acquire(ctx); err != nil {
					results <- outcome{a: resolve.Answer{Question: qy.q}, err: gaveUp(qy.q, err)}
					return
				}
			}
			results <- c.try(ctx, s, qy)
		}()
	}
	begin()
	patience := time.NewTimer(2 * order[0].retransmitAfter())
	defer patience.Stop()
	var best outcome
	won := false
	for pending > 0 {
		select {
		case o := <-results:
			pending--
			if won {
				continue
			}
			if o.final() {
				best, won = o, true
				cancel() // the others stop at once
				continue
			}
			if best.err == nil || o.weight() >= best.weight() {
				best = o
			}
		case <-patience.C:
			order[next-1].silent(time.Now())
		}
		if !won && next < len(order) && ctx.Err() == nil {
			patience.Reset(2 * order[next].retransmitAfter())
			begin()
		}
	}
	if e, ok := best.err.(*resolve.Error); ok && !won && next > 1 {
		e.Detail = joinDetail(e.Detail, askedOf(order[:next]))
	}
	return best
}

// askedOf names the servers of a lookup that all of them failed.
func askedOf(servers []*server) string {
	names := make([]string, len(servers))
	for i, s := range servers {
		names[i] = s.addr
	}
	return "asked " + strings.Join(names, ", ")
}

// try asks one server, of which a slot is held, and gives the slot back.
func (c *Client) try(ctx context.Context, s *server, qy query) outcome {
	held := &slot{s: s}
	defer held.release()
	qy.slot = held
	m, err := c.exchange(ctx, s, qy)
	if err != nil {
		return c.failure(ctx, s, qy.q, err)
	}
	o := m.interpret(qy.q, qy.zone)
	switch {
	case qy.raw:
		o = m.verbatim(qy.q, qy.zone)
	case qy.refer:
		o = m.verbatim(qy.q, resolve.Name{}) // RFC 1034, Section 4.3.2: a referral has no authority
	}
	o.a.Server = s.addr
	if e, ok := o.err.(*resolve.Error); ok {
		e.Server = s.addr
	}
	return o
}

// failure sorts the error of an exchange into the reasons.
func (c *Client) failure(ctx context.Context, s *server, q resolve.Question, err error) outcome {
	o := outcome{a: resolve.Answer{Question: q, Server: s.addr, Transport: s.transport}}
	e := &resolve.Error{Question: q, Server: s.addr, Err: err}
	o.err = e
	if t, ok := errors.AsType[*truncatedError](err); ok {
		o.a.Truncated, o.a.RCode, o.a.Size, o.a.Transport = true, t.msg.rcode, t.msg.size, resolve.TCP
		o.a.Authoritative, o.a.RecursionAvailable = t.msg.has(bitAA), t.msg.has(bitRA)
		e.Reason, e.RCode = resolve.ErrNetwork, t.msg.rcode
		e.Detail = "the UDP response was truncated and TCP failed: " + cause(t.err)
		if errors.Is(ctx.Err(), context.Canceled) {
			e.Reason = resolve.ErrCanceled
		}
		return o
	}
	bad, isBad := errors.AsType[malformed](err)
	nerr, isNet := errors.AsType[net.Error](err)
	switch {
	case isBad:
		e.Reason, e.Detail, e.Err = resolve.ErrMalformed, string(bad), nil
	case errors.Is(ctx.Err(), context.Canceled):
		e.Reason = resolve.ErrCanceled
	case ctx.Err() != nil || isNet && nerr.Timeout():
		e.Reason = resolve.ErrTimeout
		s.silent(time.Now())
	default:
		e.Reason, e.Detail = resolve.ErrNetwork, cause(err)
		s.silent(time.Now())
	}
	return o
}

// cause words a system error without the addresses that are in it anyway.
func cause(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		err = op.Err
	}
	text := strings.ToValidUTF8(err.Error(), "\ufffd")
	return shorten(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text))
}
