package aggregate

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrWrite is the reason of every *[WriteError].
var ErrWrite = errors.New("aggregate: cannot be written")

// WriteError tells what keeps a report from being valid.
type WriteError struct {
	Record  int64 // counted from 1; 0 for the head of the report
	Element string
	Detail  string
}

func (e *WriteError) Error() string {
	if e.Record > 0 {
		return fmt.Sprintf("%v: record %d: %s: %s", ErrWrite, e.Record, e.Element, e.Detail)
	}
	return fmt.Sprintf("%v: %s: %s", ErrWrite, e.Element, e.Detail)
}

// Unwrap returns [ErrWrite].
func (e *WriteError) Unwrap() error { return ErrWrite }

// Write writes a report as RFC 9990, Appendix A has it. The sums, Format,
// Namespace and Version of rep are not used, and of a [Word] only the value.
//
// What the format requires has to be there, or a *[WriteError] tells what is
// missing. What only older formats have is turned into its nearest form: the
// reasons forwarded and sampled_out become other with the word in the comment,
// and of several SPF results the one for MAIL FROM is written, none for HELO
// alone. Pct is left out. Elements of further policies are left out.
//
// Records are written as they come, so that w may hold a part of a report when
// Write fails.
func Write(w io.Writer, rep *Report, records iter.Seq[*Record]) error {
	x := &writer{Writer: bufio.NewWriterSize(w, 32<<10)}
	x.head(rep)
	n := int64(0)
	if records != nil {
		for rec := range records {
			n++
			x.number = n
			if x.record(rec); x.err != nil {
				return x.err
			}
		}
	}
	if n == 0 && x.err == nil {
		// RFC 9990, Section 3.1.1.1: one record at least.
		x.refuse("record", "there is none")
	}
	if x.err != nil {
		return x.err
	}
	x.WriteString("</feedback>\n")
	return x.Flush()
}

type writer struct {
	*bufio.Writer
	number int64
	err    error
}

func (x *writer) refuse(element, detail string) {
	if x.err == nil {
		x.err = &WriteError{Record: x.number, Element: element, Detail: detail}
	}
}

func (x *writer) open(indent int, name string) {
	x.WriteString(strings.Repeat("  ", indent))
	x.WriteString("<" + name + ">\n")
}

func (x *writer) close(indent int, name string) {
	x.WriteString(strings.Repeat("  ", indent))
	x.WriteString("</" + name + ">\n")
}

// value writes an element with text.
func (x *writer) value(indent int, name, text string) { x.text(indent, name, Text{Text: text}) }

func (x *writer) text(indent int, name string, t Text) {
	x.WriteString(strings.Repeat("  ", indent))
	x.WriteString("<" + name)
	if t.Lang != "" {
		x.WriteString(` lang="` + escape(t.Lang) + `"`)
	}
	x.WriteString(">" + escape(t.Text) + "</" + name + ">\n")
}

// must writes an element that has to hold text.
func (x *writer) must(indent int, name, text string) {
	if strings.TrimSpace(text) == "" {
		x.refuse(name, "it is required and empty")
	}
	x.value(indent, name, text)
}

func (x *writer) may(indent int, name, text string) {
	if text != "" {
		x.value(indent, name, text)
	}
}

func (x *writer) mayText(indent int, name string, t Text) {
	if t.Text != "" {
		x.text(indent, name, t)
	}
}

func (x *writer) head(rep *Report) {
	m, p := rep.Metadata, rep.Policy
	x.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback xmlns=\"" + Namespace9990 + "\">\n")
	x.value(1, "version", "1.0")
	x.open(1, "report_metadata")
	x.must(2, "org_name", m.OrgName)
	x.must(2, "email", m.Email)
	x.mayText(2, "extra_contact_info", m.ExtraContact)
	x.must(2, "report_id", m.ReportID)
	x.open(2, "date_range")
	x.instant("begin", m.Begin)
	x.instant("end", m.End)
	x.close(2, "date_range")
	if len(m.Errors) > 0 {
		x.text(2, "error", joined(m.Errors))
	}
	x.may(2, "generator", m.Generator)
	x.close(1, "report_metadata")
	x.open(1, "policy_published")
	x.must(2, "domain", p.Domain)
	if p.P.Value == "" || p.P.Value == DMARCPass {
		x.refuse("p", "it has to be none, quarantine or reject")
	}
	x.value(2, "p", string(p.P.Value))
	if p.SP.Value != DMARCPass {
		x.may(2, "sp", string(p.SP.Value))
	}
	if p.NP.Value != DMARCPass {
		x.may(2, "np", string(p.NP.Value))
	}
	x.may(2, "adkim", string(p.ADKIM.Value))
	x.may(2, "aspf", string(p.ASPF.Value))
	x.may(2, "discovery_method", string(p.Discovery.Value))
	x.may(2, "fo", p.FO)
	x.may(2, "testing", string(p.Testing.Value))
	x.close(1, "policy_published")
}

// joined makes one error element of several: RFC 9990 has one at most.
func joined(list []Text) Text {
	t := list[0]
	for _, more := range list[1:] {
		t.Text += "; " + more.Text
	}
	return t
}

func (x *writer) instant(name string, t time.Time) {
	if t.IsZero() || t.Unix() < 0 {
		x.refuse(name, "it is required and no time since 1970")
	}
	x.value(3, name, strconv.FormatInt(t.Unix(), 10))
}

func (x *writer) record(r *Record) {
	x.open(1, "record")
	x.open(2, "row")
	if !r.SourceIP.IsValid() {
		x.refuse("source_ip", "it is required and no address")
	}
	x.value(3, "source_ip", r.SourceIP.WithZone("").String())
	if r.Count < 0 {
		x.refuse("count", "it is negative")
	}
	x.value(3, "count", strconv.FormatInt(r.Count, 10))
	x.evaluated(r.Evaluated)
	x.close(2, "row")
	x.open(2, "identifiers")
	x.must(3, "header_from", r.Identifiers.HeaderFrom)
	if r.Identifiers.NullEnvelope {
		x.value(3, "envelope_from", "")
	} else {
		x.may(3, "envelope_from", r.Identifiers.EnvelopeFrom)
	}
	x.may(3, "envelope_to", r.Identifiers.EnvelopeTo)
	x.close(2, "identifiers")
	x.authResults(r)
	x.close(1, "record")
}

func (x *writer) evaluated(e Evaluated) {
	x.open(3, "policy_evaluated")
	if e.Disposition.Value == "" {
		x.refuse("disposition", "it has to be none, pass, quarantine or reject")
	}
	x.value(4, "disposition", string(e.Disposition.Value))
	x.aligned("dkim", e.DKIM.Value)
	x.aligned("spf", e.SPF.Value)
	for _, r := range e.Reasons {
		kind, comment := r.Type.Value, r.Comment
		switch kind {
		case Forwarded, SampledOut, "":
			// RFC 9990, Section 3.1.6 has neither: they are the reporter's own words now.
			comment.Text = strings.TrimSpace(r.Type.String() + " " + comment.Text)
			kind = Other
		}
		x.open(4, "reason")
		x.value(5, "type", string(kind))
		x.mayText(5, "comment", comment)
		x.close(4, "reason")
	}
	x.close(3, "policy_evaluated")
}

func (x *writer) aligned(name string, r Result) {
	if r != Pass && r != Fail {
		x.refuse("policy_evaluated/"+name, "it has to be pass or fail")
	}
	x.value(4, name, string(r))
}

func (x *writer) authResults(r *Record) {
	x.open(2, "auth_results")
	for _, d := range r.DKIM {
		if d.Result.Value == "" || d.Result.Value == SoftFail {
			x.refuse("dkim/result", "it is no result of DKIM")
		}
		x.open(3, "dkim")
		x.must(4, "domain", d.Domain)
		x.value(4, "selector", d.Selector)
		x.value(4, "result", string(d.Result.Value))
		x.mayText(4, "human_result", d.Human)
		x.close(3, "dkim")
	}
	// RFC 9990, Section 3.1.1.13: one result at most, of MAIL FROM.
	for _, s := range r.SPF {
		if s.Scope.Value == HELO || s.Domain == "" {
			continue
		}
		if s.Result.Value == "" {
			x.refuse("spf/result", "it is no result of SPF")
		}
		x.open(3, "spf")
		x.value(4, "domain", s.Domain)
		x.value(4, "scope", string(MailFrom))
		x.value(4, "result", string(s.Result.Value))
		x.mayText(4, "human_result", s.Human)
		x.close(3, "spf")
		break
	}
	x.close(2, "auth_results")
}

// escape makes text fit for XML 1.0; characters that it does not have are left
// out.
func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&quot;")
		case r == '\t' || r == '\n' || r == '\r':
			fmt.Fprintf(&b, "&#%d;", r)
		case r < ' ' || r == 0x7f || r == 0xfffe || r == 0xffff:
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
