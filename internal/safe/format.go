package safe

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// CSV is [Text] for a cell of a table that may be opened in a spreadsheet: a
// cell that would be taken for a formula gets an apostrophe in front. It is for
// foreign text; a negative number of our own does not need it. The quoting of
// the CSV format itself is left to the writer.
func CSV(s string) string {
	t := Text(s)
	// Leading spaces are looked through, as importers trim them.
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " "))
	switch r {
	// The full-width forms are formulas to East Asian versions of spreadsheets.
	case '=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠':
		return "'" + t
	}
	return t
}

// Markdown is [Text] for running text or a table cell of GitHub flavoured
// Markdown: no markup, no HTML, no link and no mention comes out of s. It is not
// for code spans and code blocks, where escapes are shown as they are.
func Markdown(s string) string {
	s = Text(s)
	if !strings.ContainsAny(s, "\\`*_{}[]()<>#+-=!|~$&@:.0123456789 ") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	opening := true // still in what could begin a list or an underline
	for i := range len(s) {
		c := s[i]
		switch {
		case opening && c == ' ':
			b.WriteString("&#32;") // four leading spaces would be a code block
			continue
		case opening && (c == '-' || c == '+' || c == '=' || listMark(s, i)):
			b.WriteByte('\\')
			b.WriteByte(c)
			opening = c >= '0' && c <= '9'
			continue
		}
		opening = opening && c >= '0' && c <= '9'
		switch c {
		case '\\', '`', '*', '_', '{', '}', '[', ']', '(', ')', '#', '!', '|', '~', '$':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		case '@': // a mention, or an address that becomes a link
			b.WriteString("&#64;")
		case ':': // a bare URL becomes a link
			b.WriteString(entity(c, strings.HasPrefix(s[i:], "://")))
		case '.':
			b.WriteString(entity(c, i >= 3 && strings.EqualFold(s[i-3:i], "www")))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// listMark reports whether s[i], after digits only, makes them a list number.
func listMark(s string, i int) bool {
	return (s[i] == '.' || s[i] == ')') && i > 0 && (i+1 == len(s) || s[i+1] == ' ')
}

func entity(c byte, yes bool) string {
	if yes {
		return fmt.Sprintf("&#%d;", c)
	}
	return string(rune(c))
}

// Nagios is [Text] for the status line of a monitoring plugin, where a vertical
// bar begins the performance data. It becomes a slash.
func Nagios(s string) string { return strings.ReplaceAll(Text(s), "|", "/") }

var promLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// PromLabel is [Text] for a label value of the Prometheus text format, without
// the quotes around it.
func PromLabel(s string) string { return promLabel.Replace(Text(s)) }

// JSON rewrites a JSON document so that it is safe to show: whatever [Text] would
// escape, line feeds and indentation apart, becomes \uXXXX, which is the same
// value to a reader of JSON. Package encoding/json leaves DEL, C1 and bidi
// controls as they are. It returns doc itself when there is nothing to do.
func JSON(doc []byte) []byte {
	at := bytes.IndexFunc(doc, func(r rune) bool { return r > '~' })
	if at < 0 {
		return doc
	}
	out := make([]byte, at, len(doc)+32)
	copy(out, doc)
	marks := 0
	for i := at; i < len(doc); {
		r, size := utf8.DecodeRune(doc[i:])
		marks = count(marks, r)
		switch {
		case r == utf8.RuneError && size <= 1:
			out = append(out, `\ufffd`...)
		case r < 0x7f || shown(r, size) && marks <= maxMarks:
			out = append(out, doc[i:i+size]...)
		case r > 0xffff:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += size
	}
	return out
}
