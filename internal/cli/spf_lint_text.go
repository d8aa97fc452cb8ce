package cli

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/spf"
)

func (v *spfLintView) text(s Streams) error {
	p := newSheet(s)
	if v.Domain != "" {
		p.para("%s", v.Domain)
		if len(v.Records) > 1 {
			p.para("There are %d SPF records: receivers take none of them, and the result is permerror (RFC 7208, Section 4.5).", len(v.Records))
		}
		p.WriteByte('\n')
	}
	for i := range v.Records {
		if i > 0 {
			p.WriteByte('\n')
		}
		v.Records[i].write(p, string(v.Domain))
	}
	for _, n := range v.Near {
		p.head("Meant as SPF, and read by nobody: " + n.Reason)
		p.whole("  ", n.Text)
		if n.Suggestion != "" {
			p.WriteString("meant:\n")
			p.whole("  ", string(n.Suggestion))
		}
	}
	writeSPFProblems(p, "Evaluation ends without a verdict", v.Problems)
	writeSPFProblems(p, "Unknown, as a lookup failed", v.Unknown)
	if v.Lookups != nil && len(v.Records) == 1 {
		p.WriteByte('\n')
		p.para("At worst %d of %d lookups, %d of %d without an answer.", *v.Lookups, spf.MaxLookups, *v.Voids, spf.MaxVoids)
		if len(v.Problems)+len(v.Unknown) > 0 || *v.Lookups > spf.MaxLookups {
			writeNext(p, "mailcheck spf tree "+string(v.Domain))
		}
	}
	return p.flush(s.Out)
}

func writeSPFProblems(p *sheet, title string, list []spfProblemView) {
	if len(list) == 0 {
		return
	}
	p.head(title)
	for _, x := range list {
		words := x.Domain + ": "
		if x.Term != "" {
			words += string(x.Term) + ": "
		}
		words += x.Message
		if !x.Every && title != "Unknown, as a lookup failed" {
			words += ", unless an earlier term matches"
		}
		p.item("%s", words)
	}
}

func (r *spfRecordLint) write(p *sheet, domain string) {
	p.whole("", r.Record)
	p.WriteByte('\n')
	if len(r.Errors)+len(r.Observations) == 0 {
		p.para("No problem.")
	}
	for _, e := range r.Errors {
		words := e.Reason
		if e.Expected != "" {
			words += ", expected " + string(e.Expected)
		}
		p.hang("", "error:", 9, fmt.Sprintf("%s (offset %d)", words, e.Offset))
		underline(p, r.text, e.Offset, e.End)
		switch {
		case e.Suggestion != "":
			p.hang("    ", "meant:", 14, string(e.Suggestion))
		case e.Drop:
			p.hang("    ", "meant:", 14, "nothing: it is best removed")
		}
	}
	for _, n := range r.Observations {
		words := n.Message
		if n.Text != "" {
			words = n.Text + " " + words
		}
		p.hang("", n.Severity+":", 9, words)
		if n.Suggestion != "" {
			p.hang("    ", "meant:", 14, string(n.Suggestion))
		}
	}
	if r.Repaired == "" {
		return
	}
	p.WriteString("\nRepaired:\n")
	if domain == "" {
		p.whole("", string(r.Repaired))
	} else {
		p.whole("", zoneLine(domain, string(r.Repaired)))
	}
	if r.Remaining > 0 {
		p.para("%s, for which no repair is sure.", plural(r.Remaining, "error remains", "errors remain"))
	}
}

// underline shows the part of the text around the octets at fault with a mark
// below them. Octets outside printable ASCII are written \x1b, so that columns
// can be counted.
func underline(p *sheet, text string, offset, end int) {
	const indent = "    "
	offset = max(0, min(offset, len(text)))
	room := p.width - len(indent) - 2
	start := max(0, offset-room/3)
	line, mark := "", ""
	if start > 0 {
		line, mark = "…", " "
	}
	i, cells := start, len(mark)
	for ; i < len(text); i++ {
		cell := octet(text[i])
		if cells+len(cell) > room {
			break
		}
		line += cell
		cells += len(cell)
		switch {
		case i < offset:
			mark += strings.Repeat(" ", len(cell))
		case i == offset:
			mark += "^" + strings.Repeat("~", len(cell)-1)
		case i < end:
			mark += strings.Repeat("~", len(cell))
		}
	}
	if i < len(text) {
		line += "…"
	}
	if offset == len(text) {
		mark += "^"
	}
	p.WriteString(indent + line + "\n" + indent + mark + "\n")
}
