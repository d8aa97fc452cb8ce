package spf

import (
	"hash/maphash"
	"math/bits"
	"sync/atomic"
)

// Cache keeps records compiled between evaluations, by their text: it never
// goes stale. It is safe for concurrent use. [NewCache] makes one;
// the zero value keeps nothing.
type Cache struct {
	seed  maphash.Seed
	slots []atomic.Pointer[compiled] // a power of two; a newer record takes the place of an older one
}

const (
	// cacheRecord bounds one cached record, in octets of its text; longer ones
	// are compiled each time.
	cacheRecord = 4 << 10
	cacheSlots  = 4096
)

// NewCache returns a cache for about the given number of records, 4,096 if that
// is not positive. A usual record takes one or two kilobytes; none takes more
// than about 100.
func NewCache(records int) *Cache {
	if records <= 0 {
		records = cacheSlots
	}
	n := 1 << bits.Len(uint(min(records, 1<<24)-1))
	return &Cache{seed: maphash.MakeSeed(), slots: make([]atomic.Pointer[compiled], n)}
}

// nameOf is the target of a term without macros.
type nameOf struct {
	domainName
	err error
}

// get returns the compiled record, nil if text is faulty or not worth a place.
func (c *Cache) get(text string) *compiled {
	if len(c.slots) == 0 {
		return nil
	}
	slot := &c.slots[maphash.String(c.seed, text)&uint64(len(c.slots)-1)]
	if p := slot.Load(); p != nil && p.text == text {
		return p
	}
	if len(text) > cacheRecord {
		return nil
	}
	p, _, f := compile(text, nil)
	if f != ok {
		return nil
	}
	p.names = make([]nameOf, len(p.ops))
	for i, o := range p.ops {
		if o.from > 0 && !o.macro && o.kind != opUnknown {
			n := &p.names[i]
			n.domainName, n.err = targetName(text[o.from:o.to])
		}
	}
	slot.Store(&p)
	return &p
}
