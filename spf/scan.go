package spf

import (
	"strings"
)

// op is a term as the evaluator wants it: positions instead of strings, and
// addresses as integers. It holds no pointer.
type op struct {
	kind       opKind
	qual       byte // '+', '-', '~' or '?'
	explicit   bool
	macro      bool  // the domain-spec holds a macro-expand
	bits4      uint8 // noBits if not written
	bits6      uint8
	start, end int32 // the term with its qualifier
	from, to   int32 // the domain-spec or the value of a modifier; from 0 means none
	hi, lo     uint64
}

type opKind uint8

const (
	opNone opKind = iota
	opAll
	opInclude
	opA
	opMX
	opPTR
	opIP4
	opIP6
	opExists
	opRedirect
	opExp
	opUnknown
)

// local reports whether a term is decided without DNS.
func (k opKind) local() bool { return k == opAll || k == opIP4 || k == opIP6 }

const noBits = 255

// fault tells why a term does not fit the grammar.
type fault uint8

const (
	ok fault = iota
	badVersion
	badChar
	badMechanism
	badNoArgument
	badArgument
	badEmpty
	badIP4
	badIP6
	badPrefix
	badDomain
	badMacro
	badMacroLetter
	badName
	badQualified
	badTwice
)

// Character classes.
const (
	clAlpha = 1 << iota
	clDigit
	clName    // may follow the first character of a modifier's name
	clLiteral // macro-literal
	clDelim   // delimiter of a macro
)

var class = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			t[c] |= clAlpha | clName
		case c >= '0' && c <= '9':
			t[c] |= clDigit | clName
		case c == '-' || c == '_' || c == '.':
			t[c] |= clName
		}
		if c >= 0x21 && c <= 0x7e && c != '%' {
			t[c] |= clLiteral
		}
		switch c {
		case '.', '-', '+', ',', '/', '_', '=':
			t[c] |= clDelim
		}
	}
	return t
}()

// fold reports whether s is word in any case; word is lower case letters, digits
// and '='.
func fold(s, word string) bool {
	if len(s) != len(word) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// isRecord reports whether a TXT is an SPF record.
//
// RFC 7208, Section 4.5: the version is terminated by a space or the end of the
// record; "v=spf10" is something else.
func isRecord(s string) bool {
	return len(s) >= len(version) && (len(s) == len(version) || s[len(version)] == ' ') && fold(s[:len(version)], version)
}

const version = "v=spf1"

// scanTerm reads the term that begins at text[i]. The positions of the term are
// set even if it is faulty.
func scanTerm(text string, i int) (o op, f fault) {
	f = o.scan(text, i)
	return o, f
}

// scan is scanTerm into o.
func (o *op) scan(text string, i int) fault {
	// Nine in ten terms are networks: try them before anything else.
	if len(text)-i > len("ip4:") && text[i]|0x20 == 'i' && text[i+1]|0x20 == 'p' && text[i+2] == '4' && text[i+3] == ':' {
		if end, f := scanIP4(text, i+len("ip4:"), o); f == ok && (end == len(text) || text[end] == ' ') {
			o.kind, o.qual, o.start, o.end, o.bits6 = opIP4, '+', int32(i), int32(end), noBits
			return ok
		}
	}
	end := strings.IndexByte(text[i:], ' ')
	if end < 0 {
		end = len(text)
	} else {
		end += i
	}
	*o = op{qual: '+', bits4: noBits, bits6: noBits, start: int32(i), end: int32(end)}
	switch text[i] {
	case '+', '-', '~', '?':
		o.qual, o.explicit = text[i], true
		i++
	}
	j, sep := i, byte(0)
	for ; j < end; j++ {
		if c := text[j]; c == ':' || c == '/' || c == '=' {
			sep = c
			break
		}
	}
	if sep == '=' {
		return o.scanModifier(text, i, j)
	}
	o.kind = mechanism(text[i:j])
	switch o.kind {
	case opIP4, opIP6:
		if sep != ':' {
			return badNoArgument
		}
		if j+1 == end {
			return badEmpty
		}
		if o.kind == opIP6 {
			return o.scanIP6(text[j+1 : end])
		}
		if to, f := scanIP4(text, j+1, o); f != ok || to != end {
			return max(f, badIP4)
		}
		return ok
	case opAll:
		if sep != 0 {
			return badArgument
		}
		return ok
	case opA, opMX:
		return o.scanHost(text, j, end, sep)
	case opPTR:
		if sep == 0 {
			return ok
		}
		if sep != ':' {
			return badArgument
		}
	case opInclude, opExists:
		if sep != ':' {
			return badNoArgument
		}
	default:
		return badMechanism
	}
	return o.scanSpec(text, j+1, end)
}

func mechanism(name string) opKind {
	switch len(name) {
	case 1:
		if name[0]|0x20 == 'a' {
			return opA
		}
	case 2:
		if fold(name, "mx") {
			return opMX
		}
	case 3:
		switch {
		case fold(name, "ip4"):
			return opIP4
		case fold(name, "ip6"):
			return opIP6
		case fold(name, "all"):
			return opAll
		case fold(name, "ptr"):
			return opPTR
		}
	case 6:
		if fold(name, "exists") {
			return opExists
		}
	case 7:
		if fold(name, "include") {
			return opInclude
		}
	}
	return opNone
}

// scanModifier reads a term whose '=' at j comes before any ':' or '/' (RFC
// 7208, Section 4.6.1).
func (o *op) scanModifier(text string, i, j int) fault {
	o.from, o.to = int32(j+1), o.end
	if o.explicit {
		return badQualified
	}
	if i == j || class[text[i]]&clAlpha == 0 {
		return badName
	}
	for _, c := range []byte(text[i:j]) {
		if class[c]&clName == 0 {
			return badName
		}
	}
	// RFC 7208, Section 6: redirect and exp are never taken for unknown modifiers,
	// however wrong their value is.
	switch {
	case fold(text[i:j], "redirect"):
		o.kind = opRedirect
		return o.scanSpec(text, j+1, int(o.end))
	case fold(text[i:j], "exp"):
		o.kind = opExp
		return o.scanSpec(text, j+1, int(o.end))
	}
	o.kind = opUnknown
	macro, _, f := scanMacros(text[j+1:o.end], false)
	o.macro = macro
	return f
}
