package lex

import (
	"strings"
	"testing"
)

// TestScanner: RFC 5322, Section 3.2: comments nest, and quotes hide parentheses.
func TestScanner(t *testing.T) {
	tests := []struct {
		in, word, comments string
		open, deep         bool
	}{
		{" (a (b) c) word", "word", "a (b) c", false, false},
		{`(a \) b) word`, "word", "a ) b", false, false},
		{"(a)(b) word", "word", "a|b", false, false},
		{"(a word", "", "a word", true, false},
		{strings.Repeat("(", MaxNesting) + strings.Repeat(")", MaxNesting) + "w", "w", strings.Repeat("(", MaxNesting-1) + strings.Repeat(")", MaxNesting-1), false, false},
		{strings.Repeat("(", MaxNesting+1) + strings.Repeat(")", MaxNesting+1) + "w", "w", strings.Repeat("(", MaxNesting) + strings.Repeat(")", MaxNesting), false, true},
		{"word(c)", "word", "", false, false},
		{"", "", "", false, false},
	}
	for _, tt := range tests {
		s := Scanner{In: tt.in}
		s.Skip()
		word := s.Word(";")
		if got := strings.Join(s.Take(), "|"); word != tt.word || got != tt.comments || s.Open != tt.open || s.Deep != tt.deep {
			t.Errorf("%q: %q, comments %q, open %v, deep %v", tt.in, word, got, s.Open, s.Deep)
		}
	}
	s := Scanner{In: `"a\"(b" c`}
	if got := s.Quoted(); got != `a"(b` || s.Peek() != ' ' {
		t.Errorf("quoted %q", got)
	}
	s = Scanner{In: `"a\`}
	if got := s.Quoted(); got != `a\` || !s.Open || !s.Done() || s.Peek() != 0 {
		t.Errorf("open quoted %q", got)
	}
	s = Scanner{In: strings.Repeat("()", 1000)}
	if s.Skip(); len(s.Comments) != maxComments || !s.Done() {
		t.Errorf("%d comments", len(s.Comments))
	}
}
