package render

import (
	"fmt"
	"strings"

	"github.com/fatih/color"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Limits of what the text shows of one finding when not verbose. The machine
// formats have it all.
const (
	labelWidth  = 9
	maxRefs     = 3
	maxEvidence = 3
	maxRecords  = 4
	maxLines    = 4 // of one record of the evidence
)

// finding prints one finding. before is the previous finding if it is of the
// same rule: what both have in common is said once.
func (p *textPrinter) finding(f, before *audit.Finding, ink *color.Color) {
	if before == nil {
		p.para(2, 3+cells(string(f.Rule)), ink, string(f.Rule), f.Title)
	}
	if f.Message != "" && (f.Message != f.Title || before != nil) {
		p.para(4, 4, p.ink.dim, "", f.Message)
	}
	if f.Subject.Term != "" || !evident(f) {
		p.label("where", f.Subject.String())
	}
	for i := range f.Evidence {
		if i == maxEvidence && !p.opt.Verbose {
			p.label("", fmt.Sprintf("and %d more answers (in the JSON form)", len(f.Evidence)-i))
			break
		}
		p.seen(f, &f.Evidence[i])
	}
	if refs := references(f, p.opt.Verbose); refs != "" && (before == nil || references(before, p.opt.Verbose) != refs) {
		p.label("source", refs)
	}
	if f.Fix == nil {
		return
	}
	if f.Fix.Text != "" && (before == nil || before.Fix == nil || before.Fix.Text != f.Fix.Text) {
		p.label("do", f.Fix.Text)
	}
	for i := range f.Fix.Changes {
		p.publish(f, &f.Fix.Changes[i])
	}
}

func (p *textPrinter) label(head, text string) {
	if head == "" {
		p.para(4+labelWidth, 4+labelWidth, p.ink.dim, "", text)
		return
	}
	p.para(4, 4+labelWidth, p.ink.dim, head, text)
}

// evident reports whether the evidence names the subject already.
func evident(f *audit.Finding) bool {
	for i := range f.Evidence {
		if e := &f.Evidence[i]; e.Name == f.Subject.Name && e.Type == f.Subject.Type {
			return true
		}
	}
	return false
}

// references lists the texts that decide. An address is given with its title
// only when all is asked for: in a column of prose it would be broken.
func references(f *audit.Finding, all bool) string {
	var out []string
	for i, x := range f.Refs {
		if i == maxRefs && !all {
			break
		}
		s := x.String()
		if x.URL != "" && (all || x.Title == "") {
			s += " " + x.URL
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

// seen prints one answer: what was asked, what came, from whom, and the record
// itself. An answer that has been shown is only named again.
func (p *textPrinter) seen(f *audit.Finding, e *audit.Evidence) {
	key := fmt.Sprint(e.Name, e.Type, e.State, e.RCode, e.Server, e.Records, e.Error)
	asked := e.Name.String() + " " + e.Type.String()
	if by, ok := p.evidence[key]; ok {
		p.label("seen", asked+", as shown with "+string(by))
		return
	}
	text := asked + ": " + answer(e)
	p.evidence[key] = f.Rule
	if p.opt.Verbose && !e.At.IsZero() {
		text += " at " + e.At.UTC().Format("15:04:05 UTC")
	}
	p.label("seen", text)
	for i, rec := range e.Records {
		if p.opt.Verbose {
			p.raw(rec)
			continue
		}
		if i == maxRecords {
			p.label("", fmt.Sprintf("and %d more records", len(e.Records)-i))
			break
		}
		p.label("", shorten(dataOf(rec), maxLines*(p.width-4-labelWidth)*9/10))
	}
}

// answer says in words how a lookup ended.
func answer(e *audit.Evidence) string {
	var s string
	switch {
	case e.State == resolve.Unavailable:
		s = "UNKNOWN"
		if e.Error != "" {
			s += ", " + strings.TrimPrefix(e.Error, e.Name.String()+" "+e.Type.String()+": ")
		}
	case e.State == resolve.Absent:
		s = "no such record"
	default:
		s = plural(len(e.Records), "record")
	}
	if e.RCode != "" {
		s += ", " + e.RCode
	}
	if e.Server != "" && !strings.Contains(s, e.Server) {
		s += " from " + e.Server
		if e.Transport != "" {
			s += " (" + string(e.Transport) + ")"
		}
	}
	for i, n := range e.Chain {
		if i == 0 {
			s += ", by CNAME"
		}
		s += " -> " + n.String()
	}
	return s
}

// dataOf is the data of a record in master file form: what follows owner, TTL,
// class and type, which the line above tells.
func dataOf(record string) string {
	parts := strings.SplitN(record, " ", 5)
	if len(parts) == 5 && parts[2] == "IN" {
		return parts[4]
	}
	return record
}

// shorten cuts s to n columns and says how long it was.
func shorten(s string, n int) string {
	if cells(s) <= n {
		return s
	}
	tail := fmt.Sprintf("... (%d octets)", len(s))
	return s[:fit(s, max(n-len(tail), 1))] + tail
}

// publish prints an edit of one record set, with each record to publish on a
// line of its own, in column 0 and unbroken: a line of a zone file that begins
// with a space has no owner.
func (p *textPrinter) publish(f *audit.Finding, c *fix.Change) {
	key := fmt.Sprint(c.Name, c.Type, c.New)
	if by, ok := p.changes[key]; ok {
		p.label("publish", "the record shown with "+string(by)+" repairs this as well")
		return
	}
	p.changes[key] = f.Rule
	e := editOf(c)
	at := fmt.Sprintf("%s %s", c.Name, c.Type)
	stay := ""
	if e.stay > 0 {
		stay = fmt.Sprintf("; leave the other %s there as it is", plural(e.stay, "record"))
		if e.stay > 1 {
			stay = strings.Replace(stay, "as it is", "as they are", 1)
		}
	}
	if len(e.come) == 0 {
		p.label("remove", fmt.Sprintf("%s, %s%s", at, plural(len(e.gone), "record"), stay))
		for _, d := range e.gone {
			p.raw(p.ink.bad.Sprint("- " + d))
		}
		return
	}
	if len(e.gone) == 1 && len(e.come) == 1 && c.Type == resolve.TypeTXT {
		if gone, come, ok := terms(e.gone[0], e.come[0]); ok {
			p.label("publish", "in place of the present "+at+" (TTL "+fmt.Sprint(c.TTL)+")"+stay)
			p.diff("- ", gone, p.ink.bad)
			p.diff("+ ", come, p.ink.good)
			e.gone = nil
		}
	}
	switch {
	case len(e.gone) > 0:
		p.label("publish", fmt.Sprintf("at %s, in place of what is marked -, TTL %d%s", at, c.TTL, stay))
		for _, d := range e.gone {
			p.raw(p.ink.bad.Sprint("- " + d))
		}
	case len(c.Old) == 0 || e.stay > 0 && len(c.Old) == e.stay:
		p.label("publish", fmt.Sprintf("a new record at %s, TTL %d%s", at, c.TTL, stay))
	}
	for _, d := range e.come {
		one := fix.Change{Name: c.Name, Type: c.Type, TTL: c.TTL, New: []string{d}}
		p.raw(p.ink.good.Sprint(one.Zone()[0]))
		if text, ok := joined(c.Type, d); ok {
			p.label("or", "as one text, where a control panel does the splitting:")
			p.raw(p.ink.good.Sprint(text))
		}
	}
}

// diff prints the words of a record that go or come.
func (p *textPrinter) diff(mark string, words []string, ink *color.Color) {
	if len(words) > 0 {
		at := 4 + labelWidth
		p.para(at, at+cells(mark), ink, mark[:1], shorten(strings.Join(words, " "), 2*(p.width-at-4)))
	}
}
