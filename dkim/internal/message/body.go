package message

import (
	"cmp"
	"crypto/sha256"
	"hash"
	"slices"
	"sync"
)

// BodySpec says what of a body is hashed.
type BodySpec struct {
	Relaxed bool
	Length  int64 // octets in canonical form (l=), negative for all
}

// BodySum is the hash of a body for one [BodySpec].
type BodySum struct {
	Sum    [sha256.Size]byte
	Length int64 // of the whole body in canonical form
	Short  bool  // the body is shorter than BodySpec.Length: there is no Sum
}

// Hasher hashes a body in one canonical form for any number of lengths. It holds
// a few octets of state whatever the body is.
type Hasher struct {
	relaxed bool
	h       hash.Hash
	total   int64 // octets hashed
	crlfs   int64 // line ends seen and not yet hashed
	space   bool  // white space seen and not yet hashed
	cr      bool  // a CR seen of which the LF may follow
	buf     []byte
	want    []BodySpec
	sums    []BodySum
	next    int // of want, ordered by length
}

const hashBuffer = 2048

var hashers = sync.Pool{New: func() any {
	return &Hasher{h: sha256.New(), buf: make([]byte, 0, hashBuffer)}
}}

// NewHasher makes a hasher for the lengths; call Close when done with it.
func NewHasher(relaxed bool, lengths ...int64) *Hasher {
	x := hashers.Get().(*Hasher)
	x.h.Reset()
	*x = Hasher{h: x.h, buf: x.buf[:0], want: x.want[:0], sums: x.sums[:0], relaxed: relaxed}
	for _, l := range lengths {
		if l >= 0 {
			x.want = append(x.want, BodySpec{relaxed, l})
		}
	}
	slices.SortFunc(x.want, func(a, b BodySpec) int { return cmp.Compare(a.Length, b.Length) })
	x.want = slices.Compact(x.want)
	x.reached()
	return x
}

// Close gives the hasher back.
func (x *Hasher) Close() { hashers.Put(x) }

// Write takes the next part of the body.
func (x *Hasher) Write(p []byte) (int, error) {
	if x.relaxed {
		x.writeRelaxed(p)
	} else {
		x.writeSimple(p)
	}
	return len(p), nil
}

// emit hashes canonical text.
func (x *Hasher) emit(p []byte) {
	if x.next == len(x.want) && len(p) < hashBuffer/4 && len(x.buf)+len(p) <= hashBuffer {
		x.total += int64(len(p))
		x.buf = append(x.buf, p...)
		return
	}
	for x.next < len(x.want) {
		room := x.want[x.next].Length - x.total
		if int64(len(p)) < room {
			break
		}
		x.put(p[:room])
		p = p[room:]
		x.reached()
	}
	x.put(p)
}

func (x *Hasher) put(p []byte) {
	x.total += int64(len(p))
	if len(p) < hashBuffer/4 {
		if len(x.buf)+len(p) > hashBuffer {
			x.h.Write(x.buf)
			x.buf = x.buf[:0]
		}
		x.buf = append(x.buf, p...)
		return
	}
	x.h.Write(x.buf)
	x.buf = x.buf[:0]
	x.h.Write(p)
}

// reached takes the sum for the lengths that are full now.
func (x *Hasher) reached() {
	for x.next < len(x.want) && x.want[x.next].Length == x.total {
		x.sums = append(x.sums, BodySum{Sum: x.sum()})
		x.next++
	}
}

func (x *Hasher) sum() (out [sha256.Size]byte) {
	x.h.Write(x.buf)
	x.buf = x.buf[:0]
	x.h.Sum(out[:0])
	return out
}

// Prefix is the sum that the body would have if it ended here.
func (x *Hasher) Prefix() [sha256.Size]byte {
	s := sha256.New()
	if c, ok := x.h.(hash.Cloner); ok {
		if h, err := c.Clone(); err == nil {
			s = h
		}
	}
	s.Write(x.buf)
	if x.total > 0 || !x.relaxed {
		s.Write(crlf)
	}
	var out [sha256.Size]byte
	s.Sum(out[:0])
	return out
}

// Finish ends the body.
func (x *Hasher) Finish() {
	if x.cr { // a bare CR at the end
		x.cr = false
		x.flush()
		x.emit(cr)
	}
	x.crlfs, x.space = 0, false
	// RFC 6376, Section 3.4.3: an empty body is one CRLF; Section 3.4.4: or nothing.
	// Any other ends in one.
	if x.total > 0 || !x.relaxed {
		x.emit(crlf)
	}
	x.want = append(x.want, BodySpec{x.relaxed, -1})
	for x.next < len(x.want)-1 {
		x.sums = append(x.sums, BodySum{Short: true})
		x.next++
	}
	x.sums = append(x.sums, BodySum{Sum: x.sum()})
	for i := range x.sums {
		x.sums[i].Length = x.total
	}
}

// Sum is the hash for a length that the hasher was made for, or for all of the
// body, after Finish.
func (x *Hasher) Sum(length int64) (BodySum, bool) {
	length = max(length, -1)
	for i, s := range x.want {
		if s.Length == length {
			return x.sums[i], true
		}
	}
	return BodySum{}, false
}
