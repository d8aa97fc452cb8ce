package diagnose

import "strings"

// alternative is a compiled wording: pieces of text in order, with anything
// between them. Matching takes the first place of every piece, which is enough for
// literals, so the time is linear in the text for each piece.
//
// A piece that begins with a letter or digit matches only where a word begins, so
// that "ip" is not found in "multiple"; it may end inside of a word ("throttl"),
// unless a space stands before the "*" that follows it.
type alternative struct {
	pieces     []piece
	start, end bool   // anchored
	need       string // the longest literal, tried first
	marks      marks
}

type piece struct {
	lits  []string // with digits between them
	whole bool     // ends where a word ends
}

// sketch is a set of the groups of three octets in a text, as a Bloom filter: most
// of the catalogue's wordings are ruled out by two looks into it.
type sketch [64]uint64

// marks are the places in a sketch of the first and the last three octets of a
// literal; on is false for a literal that is too short.
type marks struct {
	a, b uint16
	on   bool
}

func gram(s string, i int) uint16 {
	h := uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16
	return uint16(h * 0x9e3779b1 >> 20) // 12 bits: 4096 places
}

func marksOf(s string) marks {
	if len(s) < 3 {
		return marks{}
	}
	return marks{gram(s, 0), gram(s, len(s)-3), true}
}

func (sk *sketch) add(text string) {
	for i := 0; i+3 <= len(text); i++ {
		g := gram(text, i)
		sk[g>>6] |= 1 << (g & 63)
	}
}

// may tells whether a literal may be in the text.
func (sk *sketch) may(m marks) bool {
	return !m.on || sk[m.a>>6]&(1<<(m.a&63)) != 0 && sk[m.b>>6]&(1<<(m.b&63)) != 0
}

func compile(s string) alternative {
	var a alternative
	s, a.start = strings.CutPrefix(s, "^")
	s, a.end = strings.CutSuffix(s, "$")
	for p := range strings.SplitSeq(strings.ReplaceAll(s, "* ", "*"), "*") {
		p, whole := strings.CutSuffix(p, " ")
		if whole && len(a.pieces) == strings.Count(s, "*") { // a space at the very end
			p, whole = p+" ", false
		}
		lits := strings.Split(p, "#")
		a.pieces = append(a.pieces, piece{lits, whole})
		for _, l := range lits {
			if len(l) > len(a.need) {
				a.need = l
			}
		}
	}
	a.marks = marksOf(a.need)
	return a
}

// match reports whether the wording is in the text, which has one space at both
// ends.
func (a *alternative) match(text string, sk *sketch) bool {
	if !sk.may(a.marks) || !strings.Contains(text, a.need) {
		return false
	}
	pos := 0
	for i, p := range a.pieces {
		anchored := i == 0 && a.start
		if anchored {
			pos = 1
		}
		last := i == len(a.pieces)-1 && a.end
		if pos = p.find(text, pos, anchored, last); pos < 0 {
			return false
		}
	}
	return true
}

// find looks for the piece from pos on and returns where it ends, or -1.
func (p *piece) find(text string, pos int, here, last bool) int {
	first := p.lits[0]
	for at := pos; at <= len(text); {
		i := strings.Index(text[at:], first)
		if i < 0 || here && i > 0 {
			return -1
		}
		i += at
		if i == 0 || first == "" || !isWord(first[0]) || !isWord(text[i-1]) {
			end := follow(text, i+len(first), p.lits[1:])
			if end >= 0 && (!last || end >= len(text)-1) && (!p.whole || end >= len(text) || !isWord(text[end])) {
				return end
			}
		}
		if here {
			return -1
		}
		at = i + 1
	}
	return -1
}

func isWord(c byte) bool { return isLetter(c) || isDigit(c) }

// follow reads digits and the next literal, for each literal.
func follow(text string, at int, lits []string) int {
	for _, l := range lits {
		from := at
		for at < len(text) && isDigit(text[at]) {
			at++
		}
		if at == from || !strings.HasPrefix(text[at:], l) {
			return -1
		}
		at += len(l)
	}
	return at
}

// codesMatch tells whether one of the listed codes is the reply's.
func (e *Entry) codesMatch(r *reply) bool {
	for _, c := range e.Codes {
		if c == r.code || len(c) == 3 && c[1:] == "xx" && r.code != "" && c[0] == r.code[0] {
			return true
		}
	}
	return r.enhanced != "" && e.hasEnhanced(r.enhanced)
}

// hasEnhanced tells whether an enhanced code is among the row's, ranges included.
func (e *Entry) hasEnhanced(code string) bool {
	for _, c := range e.Enhanced {
		if c == code || inRange(c, code) {
			return true
		}
	}
	return false
}

// inRange tells whether code is in a range such as "5.7.606-649".
func inRange(r, code string) bool {
	lo, hi, ok := strings.Cut(r, "-")
	if !ok {
		return false
	}
	i, j := strings.LastIndexByte(lo, '.'), strings.LastIndexByte(code, '.')
	if i < 0 || j < 0 || lo[:i] != code[:j] {
		return false
	}
	n := number(code[j+1:])
	return n >= number(lo[i+1:]) && n <= number(hi)
}

// number reads up to three digits.
func number(s string) int {
	n := 0
	for i := 0; i < len(s) && i < 3; i++ {
		n = n*10 + int(s[i]-'0')
	}
	return n
}
