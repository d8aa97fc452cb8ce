// Package signature reads DKIM-Signature, ARC-Message-Signature and ARC-Seal
// fields (RFC 6376, Section 3.5; RFC 8617, Sections 4.1.2 and 4.1.3) and checks
// them against a key.
package signature

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"

	"github.com/mailcheck-go/mailcheck/dkim/internal/message"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Kind is the kind of field.
type Kind uint8

// The kinds.
const (
	DKIM Kind = iota // DKIM-Signature
	AMS              // ARC-Message-Signature: no v=, i= is the instance
	Seal             // ARC-Seal: covers header fields only
)

// Reasons why a field cannot be used.
const (
	Syntax           = "syntax"
	MissingTag       = "missing-tag"
	DuplicateTag     = "duplicate-tag"
	Version          = "version"
	Algorithm        = "algorithm"
	Canonicalization = "canonicalization"
	Query            = "query-method"
	Domain           = "domain"
	Selector         = "selector"
	Identity         = "identity"
	FromUnsigned     = "from-unsigned"
	ExpiryOrder      = "expiry-order"
	Limit            = "limit"
)

// Fault is a field that cannot be used.
type Fault struct {
	Reason string
	Detail string // in words, foreign text quoted
}

func (f *Fault) Error() string { return f.Detail }

func fault(reason, format string, args ...any) *Fault {
	return &Fault{reason, fmt.Sprintf(format, args...)}
}

// MaxNames bounds the names of h=. Signers that sign every field twice need about
// 100; the RFCs set no limit.
const MaxNames = 1000

// maxB bounds b=: the signature of a key of 16384 bits.
const maxB = 2048

// Unset stands for a time or length that is not given.
const Unset = -1

// Field is a signature field.
type Field struct {
	Index int // of the field in the header
	Kind  Kind
	Text  string // its value, folded

	Version       string
	Algorithm     string
	Domain        string // d= as written
	Name          resolve.Name
	Selector      string
	Identity      string // i= as written, empty if absent
	IdentityName  resolve.Name
	Instance      int // i= of an ARC field
	CV            string
	RelaxedHeader bool
	RelaxedBody   bool
	Names         []string // h= as written
	Length        int64    // l=, or Unset
	Time          int64    // t=, or Unset
	Expires       int64    // x=, or Unset
	Copied        string   // z=

	BodyHash  [sha256.Size]byte
	Signature []byte

	short    bool // bh= has the size of SHA-1
	cut, end int  // b= and the white space around it, in the header
	seen     uint32
}

// Parse reads field i of a header. The Field is filled as far as it can be read.
func Parse(h *message.Header, i int, kind Kind) (*Field, *Fault) {
	raw := h.Value(i)
	s := &Field{Index: i, Kind: kind, Text: string(raw), Length: Unset, Time: Unset, Expires: Unset}
	var spans [24]message.Span
	tags, err := message.ParseTags(raw, spans[:0])
	var first *Fault
	if err != nil {
		e, _ := errors.AsType[*message.TagError](err)
		first = &Fault{Syntax, "tag list " + err.Error()}
		if e != nil && e.Duplicate {
			first.Reason = DuplicateTag
		}
	}
	var tagFault *Fault
	for _, t := range tags {
		name := s.Text[t.Name:t.NameEnd]
		value := s.Text[t.Value:max(t.Value, t.End)]
		if name == "b" {
			s.cut, s.end = h.Fields[i].Value+t.Eq+1, h.Fields[i].Value+t.Semi
		}
		if f := s.tag(name, value); f != nil && tagFault == nil {
			tagFault = f
		}
	}
	switch {
	case first != nil:
		return s, first
	case kind == DKIM && s.seen&bit('v') != 0 && s.Version != "1":
		// RFC 6376, Section 6.1.1: another version is another protocol.
		return s, fault(Version, "v=%+.20q is not version 1", s.Version)
	}
	if f := s.required(); f != nil {
		return s, f
	}
	if tagFault != nil {
		return s, tagFault
	}
	return s, s.relations()
}

func bit(name byte) uint32 { return 1 << (name - 'a') }

// required checks that the tags are there that must be.
func (s *Field) required() *Fault {
	need := "v a b bh d h s"
	switch s.Kind {
	case AMS:
		need = "i a b bh d h s"
	case Seal:
		need = "i a b cv d s"
	}
	for name := range strings.SplitSeq(need, " ") {
		if s.seen&tagBit(name) == 0 {
			return fault(MissingTag, "%s= is missing", name)
		}
	}
	return nil
}

const (
	bitBH = 1 << 26
	bitCV = 1 << 27
)

func tagBit(name string) uint32 {
	switch name {
	case "bh":
		return bitBH
	case "cv":
		return bitCV
	}
	return bit(name[0])
}

// relations checks what tags say about each other.
func (s *Field) relations() *Fault {
	if s.Kind == Seal {
		return nil
	}
	if s.short != (s.Algorithm == "rsa-sha1") {
		return fault(Syntax, "bh= has not the size that a=%s needs", s.Algorithm)
	}
	// RFC 6376, Section 5.4: the From field must be signed.
	signed := false
	for _, n := range s.Names {
		signed = signed || strings.EqualFold(n, "from")
	}
	if !signed {
		return fault(FromUnsigned, "h= does not list From")
	}
	// RFC 6376, Section 3.5: the domain of i= is d= or below it.
	if s.Kind == DKIM && s.Identity != "" && !s.IdentityName.Within(s.Name) {
		return fault(Identity, "i=%+.80q is not within d=%+.80q", s.Identity, s.Domain)
	}
	// RFC 6376, Section 3.5: x= is later than t=.
	if s.Expires != Unset && s.Time != Unset && s.Expires <= s.Time {
		return fault(ExpiryOrder, "x=%d is not after t=%d", s.Expires, s.Time)
	}
	return nil
}

// Hash is the hash that the signature of a DKIM-Signature or ARC-Message-Signature
// was made over.
// RFC 6376, Section 3.7: the fields of h=, then the field itself without b=.
func (s *Field) Hash(h *message.Header) (out [sha256.Size]byte) {
	w := sums.Get().(hash.Hash)
	w.Reset()
	h.Begin()
	for _, name := range s.Names {
		if i := h.Pick(name); i >= 0 {
			h.Write(w, i, s.RelaxedHeader)
		}
	}
	s.WriteSelf(w, h)
	w.Sum(out[:0])
	sums.Put(w)
	return out
}

var sums = sync.Pool{New: func() any { return sha256.New() }}

// WriteSelf hashes the field itself with b= emptied and without its CRLF.
func (s *Field) WriteSelf(w hash.Hash, h *message.Header) {
	h.WriteBlank(w, s.Index, s.cut, s.end, s.RelaxedHeader || s.Kind == Seal)
}

// Cut is where b= and the white space around it stand in the header.
func (s *Field) Cut() (start, end int) { return s.cut, s.end }

// Body is what of the body the field covers.
func (s *Field) Body() message.BodySpec {
	return message.BodySpec{Relaxed: s.RelaxedBody, Length: s.Length}
}

// KeyType is the type of key that the algorithm needs.
func (s *Field) KeyType() string {
	t, _, _ := strings.Cut(s.Algorithm, "-")
	return t
}
