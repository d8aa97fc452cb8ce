package resolve

import (
	"context"
	"errors"
)

// Zone is a resolver that holds some names itself. Resolve returns
// [ErrReferral] for a name it delegates, and with a non-empty chain when an
// alias leads to a name it does not hold.
type Zone interface {
	Resolver
	Holds(n Name) bool
}

// Overlay answers names that Zone holds from it and all others from Next, alias
// by alias: a CNAME may lead from one to the other. It lets records be audited
// before they are published.
type Overlay struct {
	Zone Zone
	Next Resolver // nil: nothing else is asked, other names are [ErrOffline]
}

// Resolve implements [Resolver].
func (o Overlay) Resolve(ctx context.Context, q Question) (Answer, error) {
	var chain []Alias
	at := q
	for {
		a, err := o.hop(ctx, at)
		// An alias that enters names the zone holds ends there: what the network
		// says of them is what the zone is about to replace.
		entered := -1
		for i, c := range a.Chain {
			if o.Zone.Holds(c.Target) && !o.Zone.Holds(c.Name) {
				entered = i
				break
			}
		}
		left := errors.Is(err, ErrReferral) && len(a.Chain) > 0
		if entered < 0 && !left {
			a.Question, a.Chain = q, append(chain, a.Chain...)
			return a, rename(err, q)
		}
		if entered >= 0 {
			a.Chain = a.Chain[:entered+1]
		}
		chain = append(chain, a.Chain...)
		if len(chain) > MaxChain || loops(chain) {
			a.Question, a.Chain, a.Records = q, chain, nil
			return a, &Error{Reason: ErrAliasLoop, Question: q, Server: a.Server, RCode: a.RCode}
		}
		at.Name = chain[len(chain)-1].Target
	}
}

func (o Overlay) hop(ctx context.Context, q Question) (Answer, error) {
	if o.Zone.Holds(q.Name) {
		a, err := o.Zone.Resolve(ctx, q)
		if !errors.Is(err, ErrReferral) || len(a.Chain) > 0 {
			return a, err
		}
	}
	if o.Next == nil {
		return Answer{Question: q}, &Error{Reason: ErrOffline, Question: q}
	}
	return o.Next.Resolve(ctx, q)
}

// rename makes an error speak of the question that the caller asked.
func rename(err error, q Question) error {
	if e, ok := errors.AsType[*Error](err); ok && e.Question != q {
		c := *e
		c.Question = q
		if c.Detail == "" {
			c.Detail = "at " + e.Question.Name.String()
		}
		return &c
	}
	return err
}

func loops(chain []Alias) bool {
	last := chain[len(chain)-1].Target
	for _, c := range chain {
		if c.Name == last {
			return true
		}
	}
	return false
}

// Offline is the resolver that asks nothing: every answer is [ErrOffline].
var Offline Resolver = Func(func(_ context.Context, q Question) (Answer, error) {
	return Answer{Question: q}, &Error{Reason: ErrOffline, Question: q}
})
