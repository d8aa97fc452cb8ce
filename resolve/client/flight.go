package client

import (
	"context"
	"errors"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// flights merges identical questions that are under way.
type flights struct {
	mu     sync.Mutex
	m      map[resolve.Question]*flight
	closed bool
}

// flight is one lookup and those who wait for it.
type flight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int // guarded by flights.mu; at 0 the lookup is canceled
	answer  resolve.Answer
	err     error
	sole    bool // nobody shares the answer; set before done is closed
}

// do waits for the answer to q, asked by this call or by another one. The lookup
// ends early only when every caller has given up, so that one who is in a hurry
// does not spoil it for the others.
func (fs *flights) do(ctx context.Context, c *Client, q resolve.Question) (resolve.Answer, error) {
	if err := ctx.Err(); err != nil {
		return resolve.Answer{Question: q}, gaveUp(q, err)
	}
	fs.mu.Lock()
	if fs.closed {
		fs.mu.Unlock()
		return resolve.Answer{Question: q}, isClosed(q)
	}
	f := fs.m[q]
	if f != nil {
		f.waiting++
		c.stats.merged.Add(1)
	} else {
		fctx, cancel := context.WithCancel(c.base)
		f = &flight{done: make(chan struct{}), cancel: cancel, waiting: 1}
		fs.m[q] = f
		c.busy.Add(1)
		go fs.fly(fctx, c, q, f)
	}
	fs.mu.Unlock()
	select {
	case <-f.done:
		if f.sole {
			return f.answer, f.err
		}
		return clone(f.answer), f.err
	case <-ctx.Done():
	}
	fs.mu.Lock()
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		if fs.m[q] == f {
			delete(fs.m, q) // who comes now needs a new lookup
		}
	}
	fs.mu.Unlock()
	return resolve.Answer{Question: q}, gaveUp(q, ctx.Err())
}

func (fs *flights) fly(ctx context.Context, c *Client, q resolve.Question, f *flight) {
	defer c.busy.Done()
	defer f.cancel()
	f.answer, f.err = c.lookup(ctx, q)
	c.cache.put(f.answer, f.err)
	fs.mu.Lock()
	if fs.m[q] == f {
		delete(fs.m, q)
	}
	f.sole = f.waiting <= 1 // nobody can join any more
	fs.mu.Unlock()
	close(f.done)
}

func (fs *flights) close() {
	fs.mu.Lock()
	fs.closed = true
	fs.mu.Unlock()
}

func isClosed(q resolve.Question) error {
	return &resolve.Error{Reason: resolve.ErrCanceled, Question: q, Detail: "the client is closed"}
}

// begin ties work that a caller does itself to the life of the client. done has
// to be called at its end.
func (c *Client) begin(ctx context.Context, q resolve.Question) (_ context.Context, done func(), err error) {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	if c.flights.closed {
		return nil, nil, isClosed(q)
	}
	c.busy.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.base, cancel)
	return ctx, func() {
		stop()
		cancel()
		c.busy.Done()
	}, nil
}

// gaveUp is the error of a caller whose context ended.
func gaveUp(q resolve.Question, err error) error {
	reason := resolve.ErrCanceled
	if errors.Is(err, context.DeadlineExceeded) {
		reason = resolve.ErrTimeout
	}
	return &resolve.Error{Reason: reason, Question: q, Err: err}
}
