package dmarc

import (
	"context"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// memo asks each question once, as the walks of one evaluation share their upper
// names. It lives as long as one call and is not a cache of DNS.
type memo struct {
	next resolve.Resolver
	mu   sync.Mutex
	seen map[resolve.Question]*reply
}

type reply struct {
	once   sync.Once
	answer resolve.Answer
	err    error
}

func newMemo(r resolve.Resolver) *memo {
	if m, ok := r.(*memo); ok {
		return m
	}
	return &memo{next: r, seen: map[resolve.Question]*reply{}}
}

// Resolve implements [resolve.Resolver].
func (m *memo) Resolve(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
	m.mu.Lock()
	e := m.seen[q]
	if e == nil {
		e = &reply{}
		m.seen[q] = e
	}
	m.mu.Unlock()
	e.once.Do(func() { e.answer, e.err = m.next.Resolve(ctx, q) })
	return e.answer, e.err
}

// remember puts in what is known from before.
func (m *memo) remember(steps []Step) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range steps {
		q := resolve.Question{Name: steps[i].Name, Type: resolve.TypeTXT}
		if q.Name.IsZero() || m.seen[q] != nil {
			continue
		}
		e := &reply{answer: steps[i].Answer, err: steps[i].Err}
		e.once.Do(func() {})
		m.seen[q] = e
	}
}
