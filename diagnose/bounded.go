package diagnose

import (
	"math"
	"math/bits"
	"slices"
	"strings"
)

// queue remembers who sent a mail until its attempts are read. The oldest entries
// go first.
type queue struct {
	index map[string]int
	ring  []queued
	limit int
	next  int
}

type queued struct {
	key                               string
	sender, client, recipient, parent string
}

func newQueue(n int) *queue {
	return &queue{index: make(map[string]int), limit: n}
}

// note keeps what a line tells of a mail.
func (q *queue) note(l *Line) {
	i, ok := q.index[l.QueueID]
	if !ok {
		i = q.slot(cap50(l.QueueID))
	}
	e := &q.ring[i]
	for _, p := range []struct {
		to   *string
		from string
	}{{&e.sender, l.Sender}, {&e.client, l.Client}, {&e.recipient, l.Recipient}, {&e.parent, l.parent}} {
		if p.from != "" {
			// A copy, as the line would stay in memory otherwise.
			*p.to = strings.Clone(cut(p.from, maxKey))
		}
	}
}

func cap50(s string) string { return strings.Clone(cut(s, 50)) }

// slot makes room for a key.
func (q *queue) slot(key string) int {
	if len(q.ring) < q.limit {
		q.ring = append(q.ring, queued{key: key})
		q.index[key] = len(q.ring) - 1
		return len(q.ring) - 1
	}
	i := q.next
	q.next = (q.next + 1) % len(q.ring)
	delete(q.index, q.ring[i].key)
	q.ring[i] = queued{key: key}
	q.index[key] = i
	return i
}

// complete adds to an attempt what earlier lines told.
func (q *queue) complete(l *Line) {
	i, ok := q.index[l.QueueID]
	if !ok {
		return
	}
	e := q.ring[i]
	if l.Recipient == "" {
		l.Recipient = e.recipient
	}
	if e.parent != "" {
		if j, ok := q.index[e.parent]; ok {
			e.sender, e.client = q.ring[j].sender, q.ring[j].client
		}
	}
	if l.Sender == "" {
		l.Sender = e.sender
	}
	if l.Client == "" {
		l.Client = e.client
	}
}

// top keeps the most frequent names: when it is full, the rarest one gives its
// place and its count to a new one (the space-saving algorithm), so a frequent name
// is never lost and a count is never too low.
type top struct{ counts []Count }

func (t *top) add(name string) {
	if name == "" {
		return
	}
	least := 0
	for i := range t.counts {
		if t.counts[i].Name == name {
			t.counts[i].N++
			return
		}
		if t.counts[i].N < t.counts[least].N {
			least = i
		}
	}
	name = strings.Clone(cut(name, maxKey))
	if len(t.counts) < topEntries {
		t.counts = append(t.counts, Count{name, 1})
		return
	}
	t.counts[least] = Count{name, t.counts[least].N + 1}
}

func (t *top) list() []Count {
	slices.SortFunc(t.counts, func(a, b Count) int {
		if a.N != b.N {
			return int(max(-1, min(1, b.N-a.N)))
		}
		return strings.Compare(a.Name, b.Name)
	})
	return t.counts
}

// distinct estimates how many different strings came: exactly up to exactLimit,
// then by HyperLogLog with 256 registers (standard error 6.5 %).
type distinct struct {
	exact []uint64
	regs  *[256]uint8
}

const exactLimit = 32

func (d *distinct) add(s string) {
	h := hash(s)
	if d.regs == nil {
		if slices.Contains(d.exact, h) {
			return
		}
		if len(d.exact) < exactLimit {
			d.exact = append(d.exact, h)
			return
		}
		d.regs = new([256]uint8)
		for _, x := range d.exact {
			d.reg(x)
		}
		d.exact = nil
	}
	d.reg(h)
}

func (d *distinct) reg(h uint64) {
	i := h >> 56
	if n := uint8(bits.LeadingZeros64(h<<8|1<<7) + 1); n > d.regs[i] {
		d.regs[i] = n
	}
}

func (d *distinct) count() int64 {
	if d.regs == nil {
		return int64(len(d.exact))
	}
	const m = 256.0
	sum, zero := 0.0, 0
	for _, r := range d.regs {
		sum += math.Pow(2, -float64(r))
		if r == 0 {
			zero++
		}
	}
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if e < 2.5*m && zero > 0 {
		e = m * math.Log(m/float64(zero))
	}
	return int64(math.Round(e))
}

// hash is FNV-1a with a final mix, the same in every run, so that reports are too.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
