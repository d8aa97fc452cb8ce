package spf

import "net/netip"

// Kind names what a term is.
type Kind string

// The mechanisms (RFC 7208, Section 5) and modifiers (Section 6).
const (
	All      Kind = "all"
	Include  Kind = "include"
	A        Kind = "a"
	MX       Kind = "mx"
	PTR      Kind = "ptr"
	IP4      Kind = "ip4"
	IP6      Kind = "ip6"
	Exists   Kind = "exists"
	Redirect Kind = "redirect"
	Exp      Kind = "exp"
	Unknown  Kind = "unknown" // a modifier this package does not know; receivers ignore it
	Invalid  Kind = "invalid" // not a term: it makes the whole record permerror
)

// Qualifier is the character that says what a match means: '+' pass, '-' fail,
// '~' softfail or '?' neutral. It is 0 for modifiers and invalid terms.
type Qualifier byte

// String is the character itself, empty for none.
func (q Qualifier) String() string {
	if q == 0 {
		return ""
	}
	return string(rune(q))
}

// MarshalText writes String.
func (q Qualifier) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

// Status is the result that a match with this qualifier gives.
func (q Qualifier) Status() Status {
	switch q {
	case '-':
		return Fail
	case '~':
		return SoftFail
	case '?':
		return Neutral
	}
	return Pass
}

// Record is a parsed record. It is plain data; [Parse] makes it.
type Record struct {
	Text  string // as published; empty in a record made by hand
	Terms []Term // in order, the invalid ones included
}

// Term is one directive or modifier.
type Term struct {
	Kind      Kind
	Qualifier Qualifier // '+' where none is written
	Explicit  bool      // the qualifier is written

	Name   string // of an unknown modifier, as written
	Domain string // the domain-spec with its macros, or the value of an unknown modifier; empty if absent
	Macro  bool   // Domain holds a macro-expand

	// Prefix is the network of ip4 and ip6 with the address as written: host
	// bits may be set. Prefix.Masked() is what matches.
	Prefix netip.Prefix
	// Bits4 and Bits6 are the prefix lengths of a and mx: 32 and 128 unless written.
	Bits4, Bits6 int

	Text        string // as written, qualifier included; empty in a term made by hand
	Offset, End int    // octets in Record.Text; End is exclusive
}

// IsModifier reports whether the term is a modifier.
func (t Term) IsModifier() bool {
	return t.Kind == Redirect || t.Kind == Exp || t.Kind == Unknown
}

// Looks reports whether the term costs a lookup when it is evaluated.
//
// RFC 7208, Section 4.6.4: include, a, mx, ptr, exists and redirect do.
func (t Term) Looks() bool {
	switch t.Kind {
	case Include, A, MX, PTR, Exists, Redirect:
		return true
	}
	return false
}

// AllIndex is the index of the first all, -1 without one.
//
// RFC 7208, Section 5.1: what follows it is never evaluated.
func (r Record) AllIndex() int { return r.index(All) }

// RedirectIndex is the index of redirect, -1 without one. It has no effect when
// the record has all (RFC 7208, Section 6.1).
func (r Record) RedirectIndex() int { return r.index(Redirect) }

func (r Record) index(k Kind) int {
	for i := range r.Terms {
		if r.Terms[i].Kind == k {
			return i
		}
	}
	return -1
}
