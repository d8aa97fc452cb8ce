package dkim

import (
	"context"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// lookups asks for keys while the body is hashed, once for each selector.
type lookups struct {
	list []*pending
	wg   sync.WaitGroup
}

type pending struct {
	domain   resolve.Name
	selector string
	result   Result
}

// start asks for a key in the background. The limits on signatures and ARC sets
// bound how many questions are open.
func (l *lookups) start(ctx context.Context, r resolve.Resolver, domain resolve.Name, selector string) {
	if l.find(domain, selector) != nil {
		return
	}
	p := &pending{domain: domain, selector: selector}
	l.list = append(l.list, p)
	l.wg.Go(func() { p.result = Lookup(ctx, r, domain, selector) })
}

func (l *lookups) find(domain resolve.Name, selector string) *pending {
	for _, p := range l.list {
		if p.domain == domain && p.selector == selector {
			return p
		}
	}
	return nil
}

func (l *lookups) wait() { l.wg.Wait() }

// get is the result for a key that was asked for, after wait.
func (l *lookups) get(domain resolve.Name, selector string) Result {
	if p := l.find(domain, selector); p != nil {
		return p.result
	}
	return Result{}
}
