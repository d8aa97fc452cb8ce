package spf

import (
	"encoding/binary"
	"net/netip"
	"strings"
)

// Parse reads a record, the strings of its TXT joined. Errors are
// [SyntaxErrors]: all of them, each with what was probably meant. The record is
// returned with them, the bad terms as [Invalid], so that the rest can still be
// looked at; receivers refuse such a record as a whole.
func Parse(text string) (Record, error) {
	r := Record{Text: text}
	if !isRecord(text) {
		e := &SyntaxError{Record: text, End: len(text), Term: text, Reason: "not an SPF record", Expected: `"v=spf1" and a space at its start`}
		if m, found := nearMiss(text); found {
			e.Reason, e.Suggestion = m.Reason, repaired(m.Suggestion)
		}
		return r, SyntaxErrors{e}
	}
	var faults []fault
	redirect, exp := false, false
	for i := len(version); i < len(text); {
		if text[i] == ' ' {
			i++
			continue
		}
		o, f := scanTerm(text, i)
		if f == ok {
			f = twice(o.kind, &redirect, &exp)
		}
		r.Terms = append(r.Terms, newTerm(text, o, f))
		if f != ok || faults != nil {
			for len(faults) < len(r.Terms)-1 {
				faults = append(faults, ok)
			}
			faults = append(faults, f)
		}
		i = int(o.end)
	}
	if faults == nil {
		return r, nil
	}
	return r, explainFaults(r, faults)
}

// twice notes redirect and exp. RFC 7208, Section 6: each at most once.
func twice(k opKind, redirect, exp *bool) fault {
	seen := redirect
	switch k {
	case opRedirect:
	case opExp:
		seen = exp
	default:
		return ok
	}
	if *seen {
		return badTwice
	}
	*seen = true
	return ok
}

var kinds = [...]Kind{opNone: Invalid, opAll: All, opInclude: Include, opA: A, opMX: MX, opPTR: PTR, opIP4: IP4,
	opIP6: IP6, opExists: Exists, opRedirect: Redirect, opExp: Exp, opUnknown: Unknown}

func newTerm(text string, o op, f fault) Term {
	t := Term{Kind: Invalid, Text: text[o.start:o.end], Offset: int(o.start), End: int(o.end)}
	if f != ok {
		return t
	}
	t.Kind = kinds[o.kind]
	if !t.IsModifier() {
		t.Qualifier, t.Explicit = Qualifier(o.qual), o.explicit
	}
	if o.from > 0 {
		t.Domain, t.Macro = text[o.from:o.to], o.macro
	}
	switch o.kind {
	case opUnknown:
		t.Name = text[o.start : o.from-1]
	case opIP4, opIP6:
		t.Prefix = o.prefix()
	case opA, opMX:
		t.Bits4, t.Bits6 = o.cidr()
	}
	return t
}

// prefix is the network of an ip4 or ip6 term as written.
func (o op) prefix() netip.Prefix {
	if o.kind == opIP4 {
		return netip.PrefixFrom(addr4(uint32(o.lo)), int(o.bits4))
	}
	return netip.PrefixFrom(addr6(o.hi, o.lo), int(o.bits6))
}

// cidr gives the prefix lengths of a and mx with their defaults.
func (o op) cidr() (bits4, bits6 int) {
	bits4, bits6 = 32, 128
	if o.bits4 != noBits {
		bits4 = int(o.bits4)
	}
	if o.bits6 != noBits {
		bits6 = int(o.bits6)
	}
	return bits4, bits6
}

func addr4(v uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], v)
	return netip.AddrFrom4(b)
}

func addr6(hi, lo uint64) netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], hi)
	binary.BigEndian.PutUint64(b[8:], lo)
	return netip.AddrFrom16(b)
}

func halves(a netip.Addr) (hi, lo uint64) {
	b := a.As16()
	return binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
}

// String is the record as published, or as its terms have it if it was made by
// hand. Parsing it gives the same record.
func (r Record) String() string {
	if r.Text != "" {
		return r.Text
	}
	var b strings.Builder
	b.WriteString(version)
	for _, t := range r.Terms {
		b.WriteByte(' ')
		b.WriteString(t.String())
	}
	return b.String()
}
