package arc

import (
	"context"
	"sync"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/internal/signature"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// keys asks for keys while the body is hashed, once for each selector.
type keys struct {
	ctx      context.Context
	resolver resolve.Resolver
	slots    chan struct{}
	wg       sync.WaitGroup
	list     []*keyResult
}

type keyResult struct {
	domain   resolve.Name
	selector string
	result   dkim.Result
}

// inFlight bounds the questions that are open at a time.
const inFlight = 16

func newKeys(ctx context.Context, r resolve.Resolver) *keys {
	return &keys{ctx: ctx, resolver: r, slots: make(chan struct{}, inFlight)}
}

func (k *keys) find(f *signature.Field) *keyResult {
	for _, r := range k.list {
		if r.domain == f.Name && r.selector == f.Selector {
			return r
		}
	}
	return nil
}

func (k *keys) start(f *signature.Field) {
	if k.find(f) != nil {
		return
	}
	r := &keyResult{domain: f.Name, selector: f.Selector}
	k.list = append(k.list, r)
	k.wg.Go(func() {
		k.slots <- struct{}{}
		defer func() { <-k.slots }()
		r.result = dkim.Lookup(k.ctx, k.resolver, r.domain, r.selector)
	})
}

func (k *keys) wait() { k.wg.Wait() }

func (k *keys) get(f *signature.Field) dkim.Result {
	if r := k.find(f); r != nil {
		return r.result
	}
	return dkim.Result{}
}
