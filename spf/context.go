package spf

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// limit is a context with the time limit of an evaluation. The timer is made
// when somebody first waits for it: a resolver in memory never does, and a timer
// costs more than the whole evaluation of a plain record.
type limit struct {
	parent  context.Context
	timeout time.Duration

	timed  atomic.Bool // ctx is made
	mu     sync.Mutex
	ctx    context.Context
	cancel context.CancelFunc
}

func (l *limit) real() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx == nil {
		l.ctx, l.cancel = context.WithTimeout(l.parent, l.timeout)
		l.timed.Store(true)
	}
	return l.ctx
}

func (l *limit) Deadline() (time.Time, bool) { return l.real().Deadline() }
func (l *limit) Done() <-chan struct{}       { return l.real().Done() }
func (l *limit) Err() error                  { return l.real().Err() }

func (l *limit) Value(key any) any {
	if l.timed.Load() {
		return l.real().Value(key)
	}
	return l.parent.Value(key)
}

// passed reports whether the time is over, as far as anybody is watching it.
func (l *limit) passed() bool { return l.timed.Load() && l.real().Err() != nil }

func (l *limit) stop() {
	if l.timed.Load() {
		l.cancel()
	}
}
