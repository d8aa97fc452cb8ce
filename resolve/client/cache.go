package client

import (
	"slices"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Limits of the cache.
const (
	defaultCacheSize = 100_000
	cacheOctets      = 16 << 20       // of all answers together, estimated
	maxTTL           = 24 * time.Hour // RFC 8767, Section 4, suggests a cap of days; an auditor wants fresh facts
	maxNegativeTTL   = 3 * time.Hour  // RFC 2308, Section 5: one to three hours
)

// cache keeps answers in two generations: a full young one becomes the old one
// and the old one is dropped, so the size is bounded and eviction costs nothing.
// What is used stays.
type cache struct {
	mu         sync.Mutex
	limit      int // entries of one generation
	octets     int // of one generation
	size       int // octets of young
	young, old map[resolve.Question]cached
}

type cached struct {
	answer resolve.Answer
	err    *resolve.Error // of a negative answer
	until  time.Time
	size   int
}

// newCache returns nil, which keeps nothing, for a negative count.
func newCache(entries int) *cache {
	if entries < 0 {
		return nil
	}
	if entries == 0 {
		entries = defaultCacheSize
	}
	return &cache{limit: max(entries/2, 1), octets: cacheOctets / 2, young: map[resolve.Question]cached{}}
}

// get returns the answer as it is now: TTLs have gone down since it came.
func (c *cache) get(q resolve.Question, now time.Time) (resolve.Answer, error, bool) {
	if c == nil {
		return resolve.Answer{}, nil, false
	}
	c.mu.Lock()
	e, ok := c.young[q]
	if !ok {
		if e, ok = c.old[q]; ok && now.Before(e.until) {
			c.add(q, e)
		}
	}
	c.mu.Unlock()
	if !ok || !now.Before(e.until) {
		return resolve.Answer{}, nil, false
	}
	a := clone(e.answer)
	age := uint32(max(0, now.Sub(a.At)/time.Second))
	for _, rs := range [][]resolve.Record{a.Records, a.Signatures} {
		for i := range rs {
			rs[i].TTL -= min(age, rs[i].TTL)
		}
	}
	for i := range a.Chain {
		a.Chain[i].TTL -= min(age, a.Chain[i].TTL)
	}
	if a.SOA != nil {
		a.SOA.TTL -= min(age, a.SOA.TTL)
	}
	a.Cached, a.Elapsed = true, 0
	if e.err == nil {
		return a, nil, true
	}
	return a, e.err, true
}

// put keeps an answer or a proven absence as long as its TTL allows. Failures
// are never kept: the next lookup has to ask again.
func (c *cache) put(a resolve.Answer, err error) {
	if c == nil {
		return
	}
	ttl, ok := lifetime(a, err)
	if !ok {
		return
	}
	e := cached{answer: clone(a), until: a.At.Add(ttl), size: estimate(a)}
	e.err, _ = err.(*resolve.Error)
	c.mu.Lock()
	c.add(a.Question, e)
	c.mu.Unlock()
}

func (c *cache) add(q resolve.Question, e cached) {
	if e.size > c.octets {
		return
	}
	if len(c.young) >= c.limit || c.size+e.size > c.octets {
		c.old, c.young, c.size = c.young, map[resolve.Question]cached{}, 0
	}
	if was, ok := c.young[q]; ok {
		c.size -= was.size
	}
	c.young[q] = e
	c.size += e.size
}

// lifetime is how long an answer may be kept.
func lifetime(a resolve.Answer, err error) (time.Duration, bool) {
	ttl := maxTTL
	lower := func(seconds uint32) { ttl = min(ttl, time.Duration(seconds)*time.Second) }
	for _, c := range a.Chain {
		lower(c.TTL)
	}
	switch resolve.StateOf(err) {
	case resolve.Present:
		for i := range a.Records {
			lower(a.Records[i].TTL)
		}
	case resolve.Absent:
		// RFC 2308, Section 5: without SOA a negative answer is not kept; with it,
		// for the lesser of its TTL and its minimum field.
		if a.SOA == nil {
			return 0, false
		}
		d, ok := a.SOA.Data.(resolve.SOA)
		if !ok {
			return 0, false
		}
		lower(a.SOA.TTL)
		lower(d.Minimum)
		ttl = min(ttl, maxNegativeTTL)
	default:
		return 0, false
	}
	return ttl, ttl > 0
}

// clone copies what a caller could change.
func clone(a resolve.Answer) resolve.Answer {
	a.Records = slices.Clone(a.Records)
	a.Chain = slices.Clone(a.Chain)
	a.Signatures = slices.Clone(a.Signatures)
	a.Extended = slices.Clone(a.Extended)
	if a.SOA != nil {
		soa := *a.SOA
		a.SOA = &soa
	}
	return a
}

// estimate is about what an answer takes in memory.
func estimate(a resolve.Answer) int {
	const fixed, perRecord, perAlias = 512, 96, 96
	n := fixed + 2*len(a.Question.Name.String()) + perAlias*len(a.Chain)
	for _, c := range a.Chain {
		n += len(c.Target.String())
	}
	for _, rs := range [][]resolve.Record{a.Records, a.Signatures} {
		for i := range rs {
			n += perRecord + 2*len(rs[i].Name.String())
			switch d := rs[i].Data.(type) {
			case resolve.TXT:
				n += d.WireLen() + 16*len(d.Strings)
			case resolve.Raw:
				n += len(d.Text)
			case resolve.TLSA:
				n += len(d.Association)
			case resolve.CAA:
				n += len(d.Tag) + len(d.Value)
			default:
				n += 64
			}
		}
	}
	for _, e := range a.Extended {
		n += 24 + len(e.Text)
	}
	return n
}
