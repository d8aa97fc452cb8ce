package spf

import (
	"net/netip"
	"strings"
)

// scanSpec reads the domain-spec text[from:to].
func (o *op) scanSpec(text string, from, to int) fault {
	o.from, o.to = int32(from), int32(to)
	if from == to {
		return badEmpty
	}
	macro, tail, f := scanMacros(text[from:to], false)
	if f != ok {
		return f
	}
	o.macro = macro
	if tail == to-from { // ends with a macro-expand
		return ok
	}
	if !endsInTopLabel(text[from+tail : to]) {
		return badDomain
	}
	return ok
}

// scanMacros checks a macro-string (RFC 7208, Section 7.1) and tells whether it
// has a macro-expand and where the last one ends. The letters c, r and t are for
// explanations only (Section 7.2); there, spaces are fine too.
func scanMacros(s string, explain bool) (macro bool, tail int, f fault) {
	for i := 0; i < len(s); i++ {
		if class[s[i]]&clLiteral != 0 {
			continue
		}
		if s[i] != '%' {
			if explain && s[i] == ' ' {
				continue
			}
			return macro, tail, badChar
		}
		n, f := macroLen(s[i:], explain)
		if f != ok {
			return macro, tail, f
		}
		i += n - 1
		macro, tail = true, i+1
	}
	return macro, tail, ok
}

// macroLen is the length of the macro-expand that s begins with.
func macroLen(s string, explain bool) (int, fault) {
	if len(s) < 2 {
		return 0, badMacro
	}
	switch s[1] {
	case '%', '_', '-':
		return 2, ok
	case '{':
	default:
		return 0, badMacro
	}
	if len(s) < 4 {
		return 0, badMacro
	}
	switch s[2] | 0x20 {
	case 's', 'l', 'o', 'd', 'i', 'p', 'h', 'v':
	case 'c', 'r', 't':
		if !explain {
			return 0, badMacroLetter
		}
	default:
		return 0, badMacro
	}
	i, zero := 3, true
	for ; i < len(s) && class[s[i]]&clDigit != 0; i++ {
		zero = zero && s[i] == '0'
	}
	// RFC 7208, Section 7.3: the number of parts must not be zero.
	if i > 3 && zero {
		return 0, badMacro
	}
	if i < len(s) && s[i]|0x20 == 'r' {
		i++
	}
	for i < len(s) && class[s[i]]&clDelim != 0 {
		i++
	}
	if i == len(s) || s[i] != '}' {
		return 0, badMacro
	}
	return i + 1, ok
}

// endsInTopLabel reports whether s, the literal end of a domain-spec, is closed
// by "." toplabel [ "." ] (RFC 7208, Section 7.1).
func endsInTopLabel(s string) bool {
	s = strings.TrimSuffix(s, ".")
	i := len(s)
	alpha, dash := false, false
	for ; i > 0; i-- {
		c := s[i-1]
		if c == '-' {
			dash = true
		} else if class[c]&clAlpha != 0 {
			alpha = true
		} else if class[c]&clDigit == 0 {
			break
		}
	}
	if i == 0 || i == len(s) || s[i-1] != '.' {
		return false
	}
	return (alpha || dash) && s[i] != '-' && s[len(s)-1] != '-'
}

// scanHost reads what follows the name of a or mx at text[j].
func (o *op) scanHost(text string, j, end int, sep byte) fault {
	if sep == 0 {
		return ok
	}
	from := j
	if sep == ':' {
		from++
	}
	to, f := scanDualCIDR(text, o, from, end)
	if sep == ':' {
		if from == to {
			return badEmpty
		}
		return max(o.scanSpec(text, from, to), f)
	}
	if to != j {
		return badPrefix
	}
	return f
}

// scanDualCIDR takes a dual-cidr-length off the end of text[from:to] and returns
// where it begins.
func scanDualCIDR(text string, o *op, from, to int) (int, fault) {
	k := slashDigits(text, from, to)
	if k == to {
		return to, ok
	}
	if k == from || text[k-1] != '/' {
		var f fault
		o.bits4, f = prefixLen(text[k+1:to], 32)
		return k, f
	}
	bits6, f6 := prefixLen(text[k+1:to], 128)
	o.bits6 = bits6
	end := k - 1
	k = slashDigits(text, from, end)
	if k == end {
		return end, f6
	}
	bits4, f4 := prefixLen(text[k+1:end], 32)
	o.bits4 = bits4
	return k, max(f4, f6)
}

// slashDigits is the position of the slash of a "/digits" that ends text[from:to],
// and to if there is none.
func slashDigits(text string, from, to int) int {
	k := to
	for k > from && class[text[k-1]]&clDigit != 0 {
		k--
	}
	if k == to || k == from || text[k-1] != '/' {
		return to
	}
	return k - 1
}

// prefixLen reads a prefix length without leading zeros.
func prefixLen(s string, limit int) (uint8, fault) {
	if s == "" || len(s) > 3 || len(s) > 1 && s[0] == '0' {
		return noBits, badPrefix
	}
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return noBits, badPrefix
		}
		n = n*10 + int(c-'0')
	}
	if n > limit {
		return noBits, badPrefix
	}
	return uint8(n), ok
}

// scanIP4 reads an ip4-network and its prefix length at text[i] and returns
// where it ends. RFC 7208, Section 5.6: all four parts, no leading zeros.
func scanIP4(text string, i int, o *op) (int, fault) {
	var v uint32
	for part := range 4 {
		if part > 0 {
			if i == len(text) || text[i] != '.' {
				return i, badIP4
			}
			i++
		}
		var n uint32
		at := i
		for i < len(text) && text[i]-'0' <= 9 && i < at+3 {
			n = n*10 + uint32(text[i]-'0')
			i++
		}
		if i == at || n > 255 || i > at+1 && text[at] == '0' {
			return i, badIP4
		}
		v = v<<8 | n
	}
	o.lo, o.bits4 = uint64(v), 32
	if i == len(text) || text[i] != '/' {
		return i, ok
	}
	at := i + 1
	for i = at; i < len(text) && text[i] != ' '; i++ {
	}
	b, f := prefixLen(text[at:i], 32)
	o.bits4 = b
	return i, f
}

// scanIP6 reads an ip6-network and its prefix length.
func (o *op) scanIP6(s string) fault {
	addr, length, slash := strings.Cut(s, "/")
	a, err := netip.ParseAddr(addr)
	if err != nil || !a.Is6() || a.Zone() != "" {
		return badIP6
	}
	o.hi, o.lo = halves(a)
	o.bits6 = 128
	if !slash {
		return ok
	}
	b, f := prefixLen(length, 128)
	o.bits6 = b
	return f
}
