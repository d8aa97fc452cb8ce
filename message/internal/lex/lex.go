// Package lex reads the pieces that structured header fields are made of (RFC
// 5322, Section 3.2): white space, comments and quoted strings.
package lex

import "strings"

// MaxNesting is the number of comments in each other. No mail system nests more
// than two or three.
const MaxNesting = 16

// Scanner reads a field from the left. It never goes back and never fails: what
// does not end is told by Open, and what nests too deep by Deep.
type Scanner struct {
	In       string
	Pos      int
	Comments []string // texts of the comments passed since the last call of Take
	Open     bool     // a comment or a quoted string does not end
	Deep     bool     // comments nest more than MaxNesting
}

const maxComments = 64 // kept between two calls of Take

// Skip passes white space and comments.
func (s *Scanner) Skip() {
	for s.Pos < len(s.In) {
		switch s.In[s.Pos] {
		case ' ', '\t', '\r', '\n':
			s.Pos++
		case '(':
			text := s.comment()
			if len(s.Comments) < maxComments {
				s.Comments = append(s.Comments, text)
			}
		default:
			return
		}
	}
}

// Take returns the comments passed so far and forgets them.
func (s *Scanner) Take() []string {
	c := s.Comments
	s.Comments = nil
	return c
}

// Done reports whether nothing is left.
func (s *Scanner) Done() bool { return s.Pos >= len(s.In) }

// Peek is the next octet, 0 at the end.
func (s *Scanner) Peek() byte {
	if s.Done() {
		return 0
	}
	return s.In[s.Pos]
}

// comment reads a comment. RFC 5322, Section 3.2.2: comments nest, and a backslash
// quotes the next octet. One that does not end takes all that is left: what is
// behind an open parenthesis is never read as anything else.
func (s *Scanner) comment() string {
	start, depth := s.Pos+1, 0
	for i := s.Pos; i < len(s.In); i++ {
		switch s.In[i] {
		case '\\':
			i++
		case '(':
			if depth++; depth > MaxNesting {
				s.Deep = true
			}
		case ')':
			if depth--; depth == 0 {
				s.Pos = i + 1
				return unquote(s.In[start:i])
			}
		}
	}
	s.Open = true
	s.Pos = len(s.In)
	return unquote(s.In[start:])
}

// Quoted reads a quoted-string at a quote. One that does not end takes all that is
// left.
func (s *Scanner) Quoted() string {
	start := s.Pos + 1
	for i := start; i < len(s.In); i++ {
		switch s.In[i] {
		case '\\':
			i++
		case '"':
			s.Pos = i + 1
			return unquote(s.In[start:i])
		}
	}
	s.Open = true
	s.Pos = len(s.In)
	return unquote(s.In[start:])
}

// Word reads up to white space, a comment, a quote or one of the octets of stop.
func (s *Scanner) Word(stop string) string {
	start := s.Pos
	for s.Pos < len(s.In) {
		c := s.In[s.Pos]
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '(' || c == '"' || strings.IndexByte(stop, c) >= 0 {
			break
		}
		s.Pos++
	}
	return s.In[start:s.Pos]
}

func unquote(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
