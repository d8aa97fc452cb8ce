package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// windowFactor bounds how far finished reports may run ahead of a slow domain,
// as a multiple of the domains audited at a time. It keeps memory flat.
const windowFactor = 4

// job is one domain on its way. report may be read once done is closed.
type job struct {
	name   resolve.Name
	done   chan struct{}
	report audit.Report
	ok     bool // finished before the run was stopped
}

// ordered audits names concurrently and emits the reports in input order, each
// as soon as those before it are out. When the context ends, audits under way
// are dropped, and what is finished is still emitted.
func ordered(parent context.Context, names []resolve.Name, workers int, one func(context.Context, resolve.Name) audit.Report, emit func(audit.Report) error) error {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	workers = min(workers, len(names))
	work, queue := make(chan *job), make(chan *job, workers*windowFactor)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(queue)
		defer close(work)
		for _, n := range names {
			j := &job{name: n, done: make(chan struct{})}
			for _, c := range []chan<- *job{queue, work} {
				select {
				case c <- j:
				case <-ctx.Done():
					return
				}
			}
		}
	})
	for range workers {
		wg.Go(func() {
			for j := range work {
				r := one(ctx, j.name)
				if ctx.Err() == nil { // else the report tells of the interruption, not of the domain
					j.report, j.ok = r, true
				}
				close(j.done)
			}
		})
	}
	var failed error
	for j := range queue {
		select {
		case <-j.done:
		case <-ctx.Done():
			wg.Wait() // audits return at once when their context ends
		}
		if j.ok && failed == nil {
			if failed = emit(j.report); failed != nil {
				cancel() // the reader of the reports is gone
			}
		}
	}
	wg.Wait()
	return failed
}

// progress shows on a terminal how far a run is, once it takes long.
type progress struct {
	mu    sync.Mutex
	s     Streams
	total int
	begun time.Time
	shown bool
}

const progressAfter = 2 * time.Second

func newProgress(s Streams, total int) *progress {
	return &progress{s: s, total: total, begun: time.Now()}
}

func (p *progress) step(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.s.ErrTTY || p.total < 2 || time.Since(p.begun) < progressAfter {
		return
	}
	p.shown = true
	fmt.Fprintf(p.s.Err, "\r\x1b[K%d of %d domains", n, p.total)
}

func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.s.Err, "\r\x1b[K")
	}
}
