package mail

import (
	"context"
	"errors"
	"sync"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// maxQuestions bounds what one mail can make us ask. A usual mail needs some 15
// questions; twenty signatures and an SPF record at its limits need about 150.
const maxQuestions = 400

// memo asks each question of one mail once, so that two verdicts never rest on two
// answers, and keeps the answers as evidence.
type memo struct {
	ctx   context.Context // of all facts of the mail
	next  resolve.Resolver
	mu    sync.Mutex
	calls map[resolve.Question]*call
	order []resolve.Question
}

type call struct {
	done chan struct{}
	facts.Observation
}

// errTooMany ends what a hostile mail would make us ask.
var errTooMany = errors.New("mail: one mail asks for more lookups than are made for it")

// Resolve implements [resolve.Resolver]. A caller who gives up does not end the
// lookup: the answer is for all who ask.
func (m *memo) Resolve(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
	m.mu.Lock()
	c, ok := m.calls[q]
	if !ok {
		if len(m.order) >= maxQuestions {
			m.mu.Unlock()
			return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrCanceled, Question: q, Err: errTooMany}
		}
		c = &call{done: make(chan struct{})}
		m.calls[q] = c
		m.order = append(m.order, q)
		go func() {
			defer close(c.done)
			c.Answer, c.Err = m.next.Resolve(m.ctx, q)
			c.Answer.Question = q // evidence is filed under its question
		}()
	}
	m.mu.Unlock()
	select {
	case <-c.done:
		return c.Answer, c.Err
	case <-ctx.Done():
		reason := resolve.ErrCanceled
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			reason = resolve.ErrTimeout
		}
		return resolve.Answer{Question: q}, &resolve.Error{Reason: reason, Question: q, Err: ctx.Err()}
	}
}

func (m *memo) get(q resolve.Question) (facts.Observation, bool) {
	m.mu.Lock()
	c, ok := m.calls[q]
	m.mu.Unlock()
	if !ok {
		return facts.Observation{}, false
	}
	select {
	case <-c.done:
		return c.Observation, true
	default:
		return facts.Observation{}, false
	}
}

func (m *memo) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.order)
}
