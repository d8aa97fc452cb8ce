package dnssec

import (
	"context"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Times for which the place of a name is remembered.
const (
	minKeep     = 5 * time.Second  // bounds the work for zones with a TTL of 0
	maxKeep     = time.Hour        // an auditor wants fresh facts
	keepDenied  = 5 * time.Minute  // that there is no DS
	keepBogus   = time.Minute      // RFC 4035, Section 4.7: bad data is kept for a short time
	keepUnknown = 15 * time.Second // a dead server must not cost its timeout for each name
	maxCached   = 4096             // names
)

// nodeCache remembers nodes. Who asks for one that is being found out waits for
// it.
type nodeCache struct {
	mu      sync.Mutex
	nodes   map[resolve.Name]*node
	flights map[resolve.Name]*nodeFlight
}

type nodeFlight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int // guarded by nodeCache.mu
	node    *node
}

// get returns the node of name, from the cache or by find. find goes on as long
// as anybody waits for it.
func (c *nodeCache) get(ctx context.Context, name resolve.Name, now time.Time, find func(context.Context) *node) *node {
	c.mu.Lock()
	if n := c.nodes[name]; n != nil && now.Before(n.until) {
		c.mu.Unlock()
		return n
	}
	f := c.flights[name]
	if f == nil {
		fctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		f = &nodeFlight{done: make(chan struct{}), cancel: cancel}
		if c.flights == nil {
			c.flights = map[resolve.Name]*nodeFlight{}
		}
		c.flights[name] = f
		go c.fly(fctx, name, f, find)
	}
	f.waiting++
	c.mu.Unlock()
	select {
	case <-f.done:
		return f.node
	case <-ctx.Done():
	}
	c.mu.Lock()
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		if c.flights[name] == f {
			delete(c.flights, name) // who comes now needs a new one
		}
	}
	c.mu.Unlock()
	q := resolve.Question{Name: name, Type: resolve.TypeDS}
	err := &resolve.Error{Reason: resolve.ErrTimeout, Question: q, Err: ctx.Err()}
	if ctx.Err() == context.Canceled {
		err.Reason = resolve.ErrCanceled
	}
	return &node{name: name, verdict: unfetched(name, err)}
}

func (c *nodeCache) fly(ctx context.Context, name resolve.Name, f *nodeFlight, find func(context.Context) *node) {
	defer f.cancel()
	f.node = find(ctx)
	c.mu.Lock()
	// What was cut short says nothing about the zone.
	if ctx.Err() == nil && f.node.verdict.reason != ReasonLimit {
		if c.nodes == nil || len(c.nodes) >= maxCached {
			c.nodes = map[resolve.Name]*node{}
		}
		c.nodes[name] = f.node
	}
	if c.flights[name] == f {
		delete(c.flights, name)
	}
	c.mu.Unlock()
	close(f.done)
}
