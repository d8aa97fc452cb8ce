package dnsbl

import (
	"context"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Test is the outcome of testing a list: it has to hold one entry and must not hold
// another (RFC 5782, Section 5).
type Test struct {
	List   string // ID
	Zone   resolve.Name
	Kind   Kind
	Usable bool
	Why    string // why it is not usable; safe to show

	// Temporary says that the list may be usable another time: it did not answer.
	Temporary bool

	Positive, Negative       resolve.Answer // of the two entries, if they were asked
	PositiveErr, NegativeErr error
}

// Controls keeps the tests of lists, so that each is made once in a run. The zero
// value is ready for use. It is safe for concurrent use.
type Controls struct {
	mu    sync.Mutex
	tests map[control]*entry
}

type control struct {
	zone   resolve.Name
	kind   Kind
	public bool
}

type entry struct {
	done chan struct{}
	test Test
}

// test makes the test of a list, or waits for the one under way.
func (c *checker) test(ctx context.Context, l List, k Kind) Test {
	key := control{l.Zone, k, c.opt.Public}
	k0 := c.opt.Controls
	k0.mu.Lock()
	if k0.tests == nil {
		k0.tests = make(map[control]*entry)
	}
	e, known := k0.tests[key]
	if !known {
		e = &entry{done: make(chan struct{})}
		k0.tests[key] = e
	}
	k0.mu.Unlock()
	if !known {
		e.test = c.tested(ctx, l, k)
		close(e.done)
		if ctx.Err() != nil {
			// The caller gave up: the next one has to ask again.
			k0.mu.Lock()
			delete(k0.tests, key)
			k0.mu.Unlock()
		}
		return e.test
	}
	select {
	case <-e.done:
		return e.test
	case <-ctx.Done():
		return Test{List: l.ID, Zone: l.Zone, Kind: k, Temporary: true, Why: "there was no time to test it"}
	}
}

func (c *checker) tested(ctx context.Context, l List, k Kind) Test {
	t := Test{List: l.ID, Zone: l.Zone, Kind: k}
	switch {
	case l.Dropped != "":
		t.Why = "it ended in " + l.Dropped
		return t
	case c.opt.Public && !l.Public:
		t.Why = "it does not answer public resolvers, or not on its terms: a resolver of one's own is needed"
		return t
	}
	positive, negative, err := l.controls(k)
	if err != nil {
		t.Why = "no test can be made: the names would be too long"
		return t
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.Negative, t.NegativeErr = c.ask(ctx, resolve.Question{Name: negative, Type: resolve.TypeA})
	}()
	t.Positive, t.PositiveErr = c.ask(ctx, resolve.Question{Name: positive, Type: resolve.TypeA})
	<-done
	t.judge(l)
	return t
}

// judge decides whether the list can be believed.
func (t *Test) judge(l List) {
	yes, no := l.read(t.Positive.Addrs()), l.read(t.Negative.Addrs())
	up, down := resolve.StateOf(t.PositiveErr), resolve.StateOf(t.NegativeErr)
	switch {
	case up == resolve.Present && yes.refused != "":
		t.Why = yes.refused
	case down == resolve.Present && no.refused != "":
		t.Why = no.refused
	case down == resolve.Present && no.foreign != "":
		t.Why = no.foreign
	case down == resolve.Present:
		// RFC 5782, Section 5: it names what it must not name, so it names everything.
		t.Why = "it lists its negative test entry, so it lists everything"
	case up == resolve.Present && len(yes.hits) == 0:
		t.Why = yes.foreign
		if t.Why == "" {
			t.Why = "its test entry holds no address"
		}
	case up == resolve.Absent:
		t.Why = "its test entry is not listed: it is dead, or does not answer this resolver"
	case up == resolve.Unavailable, down == resolve.Unavailable:
		t.Why, t.Temporary = "it did not answer its test", true
	default:
		t.Usable = true
	}
}

// tests collects the tests behind results.
func (c *checker) tests(results []Result) []Test {
	var out []Test
	seen := make(map[control]bool)
	c.opt.Controls.mu.Lock()
	defer c.opt.Controls.mu.Unlock()
	for _, r := range results {
		key := control{r.List.Zone, r.kind(), c.opt.Public}
		if e := c.opt.Controls.tests[key]; e != nil && !seen[key] {
			select {
			case <-e.done:
				out = append(out, e.test)
			default:
			}
		}
		seen[key] = true
	}
	return out
}
