package zonetest

import (
	"io"
	"strings"
)

// scanner hands the text to the zone parser octet by octet and follows its
// lexical state, so that every record has a place, directives that read files or
// multiply records are refused before the parser acts on them, and an unclosed
// string or parenthesis is reported where it opens.
type scanner struct {
	text string
	file string
	pos  int
	line int // of the next octet, from 1
	bol  int // offset of the line's first octet

	brace                  int
	quote, comment, escape bool
	quoteAt, braceAt       int // offsets
	quoteLine, braceLine   int
	quoteBol, braceBol     int

	size, strings int // octets and quoted strings of this entry

	words   int // words begun in this entry; an entry that begins with a blank starts at 1
	inWord  bool
	word    []byte // the current word, while it is the first or belongs to a directive
	keyword string // directive of this entry

	entered             bool // the entry has a word
	entryLine, entryCol int  // of this entry or, between two, the one before
	entries             int
	origin              string // value of the first $ORIGIN
	hasOrigin           bool

	err  *ParseError
	warn func(line int, format string, args ...any)
}

// Limits of one entry. Some record types take time that grows with the square of
// the length, so no entry may be longer than any record that fits a message.
const (
	maxEntry   = 512 << 10 // octets without comments: 65,535 written as \DDD, and quotes
	maxWords   = 1024      // words without quotes; a key of 16 KiB in base64 has some 400
	maxStrings = 1 << 16   // quoted strings: 65,535 octets of empty ones
)

// maxWord is how much of a word is kept: a name of 255 octets, all escaped.
const maxWord = 4 * 255

// ReadByte implements [io.ByteReader].
func (s *scanner) ReadByte() (byte, error) {
	if s.err != nil {
		return 0, s.err
	}
	c := byte('\n') // a last line without line end gets one
	if s.pos < len(s.text) {
		c = s.text[s.pos]
	} else if s.pos > len(s.text) || s.pos == 0 || s.text[s.pos-1] == '\n' {
		s.atEnd()
		if s.err != nil {
			return 0, s.err
		}
		return 0, io.EOF
	}
	if s.separates(c) {
		s.endWord()
		if s.err != nil {
			return 0, s.err
		}
		return ' ', nil
	}
	s.step(c)
	if s.err == nil && (s.size > maxEntry || s.words > maxWords || s.strings > maxStrings) {
		s.fail(s.entryLine, s.entryCol, "", "entry is too long")
	}
	if s.err != nil {
		return 0, s.err
	}
	s.pos++
	if c == '\n' {
		s.line++
		s.bol = s.pos
	}
	return c, nil
}

// Read is here because the parser takes an [io.Reader]; it calls ReadByte.
func (s *scanner) Read([]byte) (int, error) { return 0, io.ErrNoProgress }

// separates reports a parenthesis, a line end inside of one or a comment right
// after a word. It ends the word, which the zone parser does not know by itself: it would
// read the numbers of a SOA on lines of their own as one.
func (s *scanner) separates(c byte) bool {
	if !s.inWord || !s.plain() {
		return false
	}
	return c == '(' || c == ')' || c == ';' || c == '\n' && s.brace > 0
}

func (s *scanner) step(c byte) {
	if s.inWord || s.quote {
		s.size++
	}
	switch c {
	case ' ', '\t':
		if !s.plain() {
			break
		}
		if s.words == 0 {
			s.endWord()
			s.words = max(s.words, 1)
			return
		}
		s.endWord()
		return
	case ';':
		if s.plain() {
			s.endWord()
			s.comment = true
			return
		}
	case '\r':
		s.escape = false
		return
	case '\n':
		s.newline()
		return
	case '\\':
		if !s.comment {
			s.begin(c)
			s.escape = !s.escape
		}
		return
	case '"':
		if s.comment || s.escape {
			break
		}
		s.endWord()
		s.toggle()
		return
	case '(', ')':
		if s.plain() {
			s.parens(c)
			return
		}
	}
	s.escape = false
	if !s.comment && !s.quote {
		s.begin(c)
	}
}

// plain reports that the octet has its special meaning.
func (s *scanner) plain() bool { return !s.comment && !s.quote && !s.escape }

func (s *scanner) begin(c byte) {
	if s.quote {
		return
	}
	if !s.inWord {
		s.inWord = true
		s.word = s.word[:0]
		s.words++
		s.enter()
	}
	if len(s.word) < maxWord && (s.words == 1 || s.keyword != "") {
		s.word = append(s.word, c)
	}
}

// enter notes the place of an entry's first word.
func (s *scanner) enter() {
	if !s.entered {
		s.entered = true
		s.entryLine, s.entryCol = s.line, s.pos-s.bol+1
		s.entries++
	}
}

func (s *scanner) endWord() {
	if !s.inWord {
		return
	}
	s.inWord = false
	switch {
	case s.words == 1 && s.word[0] == '$':
		s.keyword = strings.ToUpper(string(s.word))
		if s.keyword != "$ORIGIN" && s.keyword != "$TTL" {
			// A file named by the text must not be opened, nor a line multiplied:
			// the text may come from a stranger.
			s.fail(s.entryLine, s.entryCol, string(s.word), "directive is not supported, only $ORIGIN and $TTL are")
		}
	case s.words == 2 && s.keyword == "$ORIGIN" && !s.hasOrigin:
		s.origin, s.hasOrigin = string(s.word), true
	}
}

func (s *scanner) toggle() {
	s.quote = !s.quote
	if s.quote {
		s.enter()
		s.quoteAt, s.quoteLine, s.quoteBol = s.pos, s.line, s.bol
		s.strings++
		s.words = max(s.words, 1)
		return
	}
	if n := octets(s.text[s.quoteAt+1 : s.pos]); n > maxString && s.keyword == "" {
		s.warn(s.quoteLine, "a string of %d octets, the limit is %d: it was split", n, maxString)
	}
}

func (s *scanner) parens(c byte) {
	if c == ')' {
		s.brace--
		return
	}
	if s.brace == 0 {
		s.braceAt, s.braceLine, s.braceBol = s.pos, s.line, s.bol
	}
	s.brace++
}

func (s *scanner) newline() {
	s.escape = false
	if s.quote {
		s.unclosedString()
		return
	}
	if !s.comment {
		s.endWord()
	}
	s.comment = false
	if s.brace == 0 {
		s.words, s.size, s.strings, s.entered, s.keyword = 0, 0, 0, false, ""
	}
}

func (s *scanner) atEnd() {
	if s.err == nil && s.brace > 0 {
		s.fail(s.braceLine, s.braceAt-s.braceBol+1, "(", "parenthesis is not closed")
	}
}

func (s *scanner) unclosedString() {
	s.fail(s.quoteLine, s.quoteAt-s.quoteBol+1, s.text[s.quoteAt:min(s.pos, len(s.text))], "string is not closed on its line")
}

func (s *scanner) fail(line, col int, token, reason string) {
	if s.err == nil {
		s.err = &ParseError{File: s.file, Line: line, Column: col, Token: shorten(token), Reason: reason}
	}
}

// maxString is the length of a character-string (RFC 1035, Section 3.3).
const maxString = 255

// octets counts what a string in master file form stands for.
func octets(s string) int {
	n := 0
	for i := 0; i < len(s); n++ {
		switch {
		case s[i] != '\\':
			i++
		case i+3 < len(s) && digit(s[i+1]) && digit(s[i+2]) && digit(s[i+3]):
			i += 4
		default:
			i += 2
		}
	}
	return n
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func shorten(s string) string {
	const limit = 80
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
