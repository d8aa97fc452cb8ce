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
	next  resolve.Resolver
	mu    sync.Mutex
	calls map[resolve.Question]*call
	order []resolve.Question
}

type call struct {
	done chan struct{}
	Observation
}

func newMemo(next resolve.Resolver) *memo {
	return &memo{next: next, calls: map[resolve.Question]*call{}}
}

// Resolve implements [resolve.Resolver].
func (m *memo) Resolve(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
	m.mu.Lock()
	c, ok := m.calls[q]
	if !ok {
		c = &call{done: make(chan struct{})}
		m.calls[q] = c
		m.order = append(m.order, q)
		m.mu.Unlock()
		c.Answer, c.Err = m.next.Resolve(ctx, q)
		if c.Answer.Question != q { // evidence is filed under its question
			c.Answer.Question = q
		}
		close(c.done)
		return c.Answer, c.Err
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
