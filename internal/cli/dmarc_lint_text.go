package cli

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/dmarc"
)

func (v *lintView) text(s Streams) error {
	p := newSheet(s)
	if v.Name != "" {
		p.para("%s", v.Name)
		if v.count > 1 {
			p.para("There are %d DMARC records: receivers that follow RFC 9989 discard them all and look further up, others do no DMARC.", v.count)
		}
		p.WriteByte('\n')
	}
	for i := range v.Records {
		if i > 0 {
			p.WriteByte('\n')
		}
		v.Records[i].write(p, v.Name != "")
	}
	return p.flush(s.Out)
}

func (r *recordLint) write(p *sheet, published bool) {
	if r.Record == "" {
		p.para("(empty)")
	} else {
		p.whole("", r.Record)
	}
	if published && !r.IsRecord && !likelyMistake(dmarc.Class(r.Class)) {
		p.para("is no DMARC record (%s), and receivers ignore it", r.Class)
		return
	}
	p.WriteByte('\n')
	if len(r.Problems) == 0 {
		p.para("No problem.")
	}
	for _, f := range r.Problems {
		p.hang("", f.Severity+":", 9, fmt.Sprintf("%s (%s, offset %d)", f.Message, f.Kind, f.Offset))
		excerpt(p, r.text, f.Offset)
		p.hang("    ", "RFC 9989:", 14, f.RFC9989)
		p.hang("    ", "RFC 7489:", 14, f.RFC7489)
		if f.Suggestion != "" {
			p.hang("    ", "meant:", 14, string(f.Suggestion))
		}
		p.WriteByte('\n')
	}
	if len(r.Problems) == 0 {
		p.WriteByte('\n')
	}
	p.field("By RFC 9989", "%s", effectWords(r.RFC9989, true))
	p.field("By RFC 7489", "%s", effectWords(r.RFC7489, false))
	if r.Repaired == "" {
		return
	}
	if r.Remaining > 0 {
		p.WriteString("\nRepaired as far as only one repair is possible:\n")
	} else {
		p.WriteString("\nRepaired:\n")
	}
	p.whole("", string(r.Repaired))
	p.field("By RFC 9989", "%s", effectWords(*r.RepairedEffect, true))
	if r.RepairedEffect.P != r.RFC9989.P && r.RepairedEffect.P != nullable(dmarc.None) && r.RepairedEffect.P != "" {
		p.para("The repair puts a policy in force: make sure first that your own mail passes.")
	}
}

func effectWords(e effectView, now bool) string {
	if !e.Applies {
		return e.Why
	}
	words := fmt.Sprintf("%s for the domain, %s for subdomains", e.P, e.SP)
	switch {
	case e.P == e.SP && (e.SP == e.NP || !now):
		words = fmt.Sprintf("%s for the domain and all names below", e.P)
	case now:
		words = fmt.Sprintf("%s for the domain, %s for subdomains, %s for names that do not exist", e.P, e.SP, e.NP)
	}
	if e.Off || e.Testing || e.Percent != 100 {
		words += ": " + e.Why
	}
	if e.Disputed {
		words += "; receivers are known to differ"
	}
	return words
}

// excerpt shows the part of the text around an offset with a caret below it.
// Octets outside printable ASCII are written \x1b, so that columns can be counted.
func excerpt(p *sheet, text string, offset int) {
	const indent = "    "
	offset = min(offset, len(text))
	room := p.width - len(indent) - 2
	start := max(0, offset-room/3)
	var line strings.Builder
	caret, end := 0, start
	if start > 0 {
		line.WriteString("…")
		caret = 1
	}
	for ; end < len(text); end++ {
		cell := octet(text[end])
		if line.Len()+len(cell) > room {
			break
		}
		if end < offset {
			caret += len(cell)
		}
		line.WriteString(cell)
	}
	if end < len(text) {
		line.WriteString("…")
	}
	mark := "^"
	if offset < end {
		mark += strings.Repeat("~", len(octet(text[offset]))-1)
	}
	for i := offset + 1; i < end && text[i] != ';' && text[i] != ',' && text[i] != '='; i++ {
		mark += strings.Repeat("~", len(octet(text[i])))
	}
	p.WriteString(indent + line.String() + "\n" + indent + strings.Repeat(" ", caret) + mark + "\n")
}

func octet(c byte) string {
	if c < ' ' || c > '~' {
		return fmt.Sprintf(`\x%02x`, c)
	}
	return string(rune(c))
}
