package render

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fatih/color"
	"golang.org/x/text/width"
)

// palette holds the colours of one printer. Each is switched for itself, so
// that printers with other settings, and the package's global switch, have no
// part in it.
type palette struct {
	bad, risk, better, good, dim, strong *color.Color
}

func newPalette(on bool) palette {
	ink := func(attrs ...color.Attribute) *color.Color {
		c := color.New(attrs...)
		if c.EnableColor(); !on {
			c.DisableColor()
		}
		return c
	}
	return palette{
		bad: ink(color.FgRed, color.Bold), risk: ink(color.FgYellow, color.Bold), better: ink(color.FgCyan),
		good: ink(color.FgGreen), dim: ink(color.Faint), strong: ink(color.Bold),
	}
}

// page collects the lines of one report.
type page struct {
	bytes.Buffer
	width int
}

// Columns of the page.
const (
	defaultWidth = 80
	minWidth     = 40 // below, prose cannot be set
	minText      = 20 // columns left to a text however far it is indented
)

// para sets text to the right of a head that stands at column indent; the text
// hangs at column hang, and without a head begins at indent. ink colours the
// head.
func (p *page) para(indent, hang int, ink *color.Color, head, text string) {
	lines := wrap(text, max(p.width-hang, minText))
	p.WriteString(strings.Repeat(" ", indent))
	at := indent
	if head != "" {
		p.WriteString(ink.Sprint(head))
		if at += cells(head); at >= hang && len(lines) > 0 {
			p.WriteByte('\n') // the head is too long to have something beside it
			at = 0
		}
		p.WriteString(strings.Repeat(" ", max(hang-at, 0)))
	}
	for i, l := range lines {
		if i > 0 {
			p.WriteString("\n" + strings.Repeat(" ", hang))
		}
		p.WriteString(l)
	}
	p.WriteByte('\n')
}

// raw writes a line as it is: a record has to be copied in one piece.
func (p *page) raw(line string) {
	p.WriteString(line)
	p.WriteByte('\n')
}

// wrap breaks text into lines of at most n columns, at spaces if it can.
func wrap(text string, n int) []string {
	var lines []string
	var line strings.Builder
	used := 0
	flush := func() {
		lines = append(lines, line.String())
		line.Reset()
		used = 0
	}
	for _, word := range strings.Fields(text) {
		w := cells(word)
		if line.Len() > 0 && used+1+w > n {
			flush()
		}
		for w > n { // a word wider than a line
			head := fit(word, n)
			line.WriteString(word[:head])
			flush()
			word = word[head:]
			w = cells(word)
		}
		if line.Len() > 0 {
			line.WriteByte(' ')
			used++
		}
		line.WriteString(word)
		used += w
	}
	if line.Len() > 0 {
		flush()
	}
	return lines
}

// cells is the number of terminal columns that s takes.
func cells(s string) int {
	n := 0
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			n++
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		n += cell(r)
		i += size
	}
	return n
}

func cell(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// fit is the length in octets of the part of s that takes at most n columns,
// and at least one rune.
func fit(s string, n int) int {
	used := 0
	for i, r := range s {
		if used += cell(r); used > n && i > 0 {
			return i
		}
	}
	return len(s)
}
