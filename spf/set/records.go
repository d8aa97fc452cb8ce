package set

import (
	"context"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// WithRecords returns a resolver that answers TXT questions for the given names
// with one record each, and asks r everything else. It shows what a record would
// do before it is published.
func WithRecords(r resolve.Resolver, records map[resolve.Name]string) resolve.Resolver {
	return resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		text, mine := records[q.Name]
		if !mine || q.Type != resolve.TypeTXT {
			return r.Resolve(ctx, q)
		}
		return resolve.Answer{Question: q, Transport: resolve.File, Records: []resolve.Record{
			{Name: q.Name, Type: q.Type, Data: resolve.SplitTXT(text)},
		}}, nil
	})
}

// Once returns a resolver that asks r each question once. Several maps made with
// it rest on the same answers.
func Once(r resolve.Resolver) resolve.Resolver {
	return &memo{r: r, got: make(map[resolve.Question]reply)}
}

type memo struct {
	r   resolve.Resolver
	mu  sync.Mutex
	got map[resolve.Question]reply
}

type reply struct {
	ans resolve.Answer
	err error
}

func (m *memo) Resolve(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
	m.mu.Lock()
	p, found := m.got[q]
	m.mu.Unlock()
	if found {
		return p.ans, p.err
	}
	p.ans, p.err = m.r.Resolve(ctx, q)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got[q] = p
	return p.ans, p.err
}
