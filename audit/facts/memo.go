package facts

import (
	"context"
	"errors"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Observation is one lookup and how it ended.
type Observation struct {
	Answer resolve.Answer
	Err    error
}

// memo asks each question of one snapshot once. It makes the snapshot
// consistent (two facts never see two answers to one question) and is where the
// evidence comes from.
type memo struct {
	ctx   context.Context // of the snapshot
	next  resolve.Resolver
	mu    sync.Mutex
	calls map[resolve.Question]*call
	order []resolve.Question
}

type call struct {
	done chan struct{}
	Observation
}

func newMemo(ctx context.Context, next resolve.Resolver) *memo {
	return &memo{ctx: ctx, next: next, calls: map[resolve.Question]*call{}}
}

// Resolve implements [resolve.Resolver]. A caller who gives up does not end the
// lookup, as the answer is everybody's: an SPF check that has its match drops what
// it asked for in advance, which the check of the next address may need.
func (m *memo) Resolve(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
	m.mu.Lock()
	c, ok := m.calls[q]
	if !ok {
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

// seen returns the observations in the order in which they were asked.
func (m *memo) seen() []Observation {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]Observation, 0, len(m.order))
	for _, q := range m.order {
		c := m.calls[q]
		select {
		case <-c.done:
			out = append(out, c.Observation)
		default: // still under way when the snapshot was closed
		}
	}
	return out
}

func (m *memo) get(q resolve.Question) (Observation, bool) {
	m.mu.Lock()
	c, ok := m.calls[q]
	m.mu.Unlock()
	if !ok {
		return Observation{}, false
	}
	select {
	case <-c.done:
		return c.Observation, true
	default:
		return Observation{}, false
	}
}
