package zonetest

import (
	"context"
	"maps"
	"sync/atomic"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Fault is a misbehaviour for the questions of a name. Delay goes with any of
// the others; of those, the first one set in the order below counts. The zero
// value is no fault.
type Fault struct {
	Delay time.Duration // wait, then go on

	// Timeout: no reply. Resolve waits for the context's deadline, or fails at once
	// if there is none, with [resolve.ErrTimeout].
	Timeout bool
	// Drop: the server closes the TCP connection, and over UDP does not reply.
	// Resolve fails with [resolve.ErrNetwork].
	Drop bool
	// Malformed: the reply is not a DNS message; [resolve.ErrMalformed].
	Malformed bool
	// RCode other than NoError: the reply has this code and no records.
	RCode resolve.RCode

	// The following matter to a [Server] only.
	Truncate      bool // over UDP, the reply is empty and truncated
	NoTCP         bool // TCP connections that ask for the name are closed
	WrongID       bool // the reply has another ID
	WrongQuestion bool // the reply repeats another question

	// Times is how many questions are hit before the fault is over. 0: all.
	Times int
}

type faultKey struct {
	name resolve.Name
	typ  resolve.Type // 0: any
}

type faultState struct {
	Fault
	left *atomic.Int64 // nil: unlimited
}

type faultMap map[faultKey]faultState

func (m faultMap) join(other *faultMap) faultMap {
	if other == nil {
		return m
	}
	if m == nil {
		m = faultMap{}
	}
	maps.Copy(m, *other)
	return m
}

// Inject makes questions for a name and type fail from now on, also those that
// an alias leads there. Type 0 means all types that have no fault of their own;
// the zero Fault ends the misbehaviour. The name need not exist.
func (z *Zone) Inject(name resolve.Name, typ resolve.Type, f Fault) {
	z.mu.Lock()
	defer z.mu.Unlock()
	m := faultMap{}.join(z.faults.Load())
	if f == (Fault{}) {
		delete(m, faultKey{name, typ})
	} else {
		s := faultState{Fault: f}
		if f.Times > 0 {
			s.left = new(atomic.Int64)
			s.left.Store(int64(f.Times))
		}
		m[faultKey{name, typ}] = s
	}
	if len(m) == 0 {
		z.faults.Store(nil)
		return
	}
	z.faults.Store(&m)
}

// faultAt finds the fault for a question and counts it as suffered.
func (z *Zone) faultAt(name resolve.Name, typ resolve.Type) *Fault {
	m := z.faults.Load()
	if m == nil {
		return nil
	}
	for _, t := range [...]resolve.Type{typ, 0} {
		if s, ok := (*m)[faultKey{name, t}]; ok && (s.left == nil || s.left.Add(-1) >= 0) {
			return &s.Fault
		}
	}
	return nil
}

// suffer acts out a fault for a lookup in memory; no error means to go on.
func (z *Zone) suffer(ctx context.Context, f *Fault, q resolve.Question, chain []resolve.Alias) (resolve.Answer, error) {
	a := resolve.Answer{Question: q, Chain: chain}
	if f.Delay > 0 {
		if err := wait(ctx, f.Delay); err != nil {
			return a, z.gaveUp(q, err)
		}
	}
	e := &resolve.Error{Question: q, Server: z.file}
	switch {
	case f.Timeout:
		return a, z.timeout(ctx, q)
	case f.Drop:
		e.Reason = resolve.ErrNetwork
		return a, e
	case f.Malformed:
		e.Reason = resolve.ErrMalformed
	case f.RCode == resolve.NoError:
		return a, nil
	case f.RCode == resolve.NXDomain:
		e.Reason = resolve.ErrNXDomain
	case f.RCode == resolve.Refused:
		e.Reason = resolve.ErrRefused
	default:
		e.Reason = resolve.ErrServFail
	}
	e.RCode = f.RCode
	b := z.blank(q, chain, nil)
	b.RCode, b.Authoritative = f.RCode, f.RCode == resolve.NXDomain
	return b, e
}

func (z *Zone) timeout(ctx context.Context, q resolve.Question) error {
	if _, ok := ctx.Deadline(); ok {
		<-ctx.Done()
		return z.gaveUp(q, ctx.Err())
	}
	return &resolve.Error{Reason: resolve.ErrTimeout, Question: q, Server: z.file}
}
