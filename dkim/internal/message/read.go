package message

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
)

// Limits bound what is read of a message; 0 is no limit.
type Limits struct {
	Header int   // octets of the header block
	Body   int64 // octets of the body
	Keep   int   // octets of the body that are kept for a second look; 0 keeps none
}

// Message is a message that was read.
type Message struct {
	Header Header
	Kept   []byte // the body, if it was asked for and fits
	Whole  bool   // Kept is all of the body
	Size   int64  // octets of the body

	HeaderOver bool // the header block is over the limit: the body was not looked at
	BodyOver   bool // the body is over the limit: its hashes are not known

	CRLF, LF, CR int64 // line ends in the body; LF and CR are bare ones

	hashers []*Hasher
	limits  Limits
	count   bool
	prevCR  bool
}

// CountEOL makes Read count the line ends of the body.
func (m *Message) CountEOL() { m.count = true }

var messages = sync.Pool{New: func() any { return new(Message) }}

const readSize = 64 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, readSize); return &b }}

// maxPooled keeps a message of unusual size from staying in memory.
const maxPooled = 256 << 10

// New makes an empty message; call Close when done with it.
func New() *Message {
	m := messages.Get().(*Message)
	h := m.Header
	*m = Message{Header: h, hashers: m.hashers[:0]}
	m.Header.reset()
	return m
}

// Close gives the memory of the message back; nothing of it may be used then.
func (m *Message) Close() {
	for _, h := range m.hashers {
		h.Close()
	}
	m.hashers = m.hashers[:0]
	m.Kept = nil
	if cap(m.Header.Raw) <= maxPooled {
		messages.Put(m)
	}
}

// Read reads a message in one pass. When the header is complete, plan tells what
// is to be hashed of the body; a nil slice ends the reading. Errors are those of
// the reader and of the context.
func (m *Message) Read(ctx context.Context, r io.Reader, limits Limits, plan func() []BodySpec) error {
	m.limits = limits
	in := &intake{m: m, ctx: ctx, plan: plan}
	var err error
	if b, ok := r.(*bytes.Reader); ok { // everything in memory: no copy of the body
		_, err = b.WriteTo(in)
	} else {
		err = in.copy(r)
	}
	if err == nil {
		err = in.end()
	}
	if errors.Is(err, errDone) {
		err = nil
	}
	if err != nil {
		return err
	}
	for _, h := range m.hashers {
		h.Finish()
	}
	return nil
}

// BodySum is the hash for a spec that plan named.
func (m *Message) BodySum(spec BodySpec) (BodySum, bool) {
	if m.BodyOver || m.HeaderOver {
		return BodySum{}, false
	}
	for _, h := range m.hashers {
		if h.relaxed == spec.Relaxed {
			return h.Sum(spec.Length)
		}
	}
	return BodySum{}, false
}

// errDone ends the reading early.
var errDone = errors.New("done")

type intake struct {
	m    *Message
	ctx  context.Context
	plan func() []BodySpec
	line int // start of the current line of the header
	body bool
}

func (in *intake) copy(r io.Reader) error {
	bp := buffers.Get().(*[]byte)
	defer buffers.Put(bp)
	buf := *bp
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if _, werr := in.Write(buf[:n]); werr != nil {
				return werr
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// slice is how much of a body is hashed between two looks at the context.
const slice = 1 << 20

// Write takes the next part of the message.
func (in *intake) Write(p []byte) (int, error) {
	size := len(p)
	if !in.body {
		n, err := in.header(p)
		if err != nil {
			return n, err
		}
		p = p[n:]
	}
	for len(p) > 0 {
		if err := in.ctx.Err(); err != nil {
			return 0, err
		}
		n := min(len(p), slice)
		if err := in.m.body(p[:n]); err != nil {
			return 0, err
		}
		p = p[n:]
	}
	return size, nil
}

// header takes octets up to the empty line and returns how many.
func (in *intake) header(p []byte) (n int, err error) {
	m := in.m
	for n < len(p) {
		i := bytes.IndexByte(p[n:], '\n')
		next := n + i + 1
		if i < 0 {
			next = len(p)
		}
		if limit := m.limits.Header; limit > 0 && len(m.Header.Raw)+next-n > limit {
			m.HeaderOver = true
			return n, in.headerDone()
		}
		m.Header.Raw = append(m.Header.Raw, p[n:next]...)
		n = next
		if i < 0 {
			break
		}
		if line := m.Header.Raw[in.line:]; len(line) == 1 || len(line) == 2 && line[0] == '\r' {
			return n, in.headerDone()
		}
		in.line = len(m.Header.Raw)
	}
	return n, nil
}

func (in *intake) headerDone() error {
	m := in.m
	in.body = true
	m.Header.index()
	specs := in.plan()
	if specs == nil || m.HeaderOver {
		return errDone
	}
	for _, relaxed := range [...]bool{false, true} {
		lengths, any := make([]int64, 0, 8), false
		for _, s := range specs {
			if s.Relaxed == relaxed {
				lengths, any = append(lengths, s.Length), true
			}
		}
		if any {
			m.hashers = append(m.hashers, NewHasher(relaxed, lengths...))
		}
	}
	m.Whole = m.limits.Keep > 0
	return nil
}

// end is called after the last octet.
func (in *intake) end() error {
	if !in.body {
		return in.headerDone()
	}
	return nil
}

func (m *Message) body(p []byte) error {
	m.Size += int64(len(p))
	if m.limits.Body > 0 && m.Size > m.limits.Body {
		m.BodyOver = true
		return errDone
	}
	for _, h := range m.hashers {
		h.Write(p)
	}
	if m.Whole {
		if m.Size > int64(m.limits.Keep) {
			m.Whole, m.Kept = false, nil
		} else {
			m.Kept = append(m.Kept, p...)
		}
	}
	if m.count {
		m.eol(p)
	}
	return nil
}

// eol counts line ends. A CR at the end of a part is settled by the next part.
func (m *Message) eol(p []byte) {
	if len(p) == 0 {
		return
	}
	pairs, bare := int64(0), int64(0)
	for at := 0; ; at++ {
		i := bytes.IndexByte(p[at:], '\n')
		if i < 0 {
			break
		}
		if at += i; at > 0 && p[at-1] == '\r' || at == 0 && m.prevCR {
			pairs++
		} else {
			bare++
		}
	}
	m.CRLF += pairs
	m.LF += bare
	m.CR += int64(bytes.Count(p, cr)) - pairs
	m.prevCR = p[len(p)-1] == '\r'
}

// EOLs are counts of line ends; LF and CR are bare ones.
type EOLs struct{ CRLF, LF, CR int64 }

// CountEOLs counts the line ends of a text.
func CountEOLs(p []byte) EOLs {
	m := Message{}
	m.eol(p)
	return EOLs{m.CRLF, m.LF, m.CR}
}
